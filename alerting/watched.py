"""What evaluation knows of a state besides its samples: the rule, and what is around its subject."""

import json
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerting.rules import HEARD, Calendar, Definition, OpeningHours, Surroundings, parse
from alerting.states import Rule
from store.alerting.subjects import Around


class Watched(NamedTuple):
    """A rule on one subject. `reads` says which series: samples, whether it was heard, or a gateway."""

    rule: Rule
    rule_id: int
    severity: str
    reads: str  # "samples", "heard" or "gateway"


def watched(found: Around) -> Watched:
    """Return what a state is of."""
    definition = _definition(found.kind, found.definition)
    zone = ZoneInfo(found.zone)
    surroundings = Surroundings(
        zone=zone,
        calendar=None if found.calendar is None else _calendar(found.calendar, found.zone),
        period_s=found.period_s,
        members=found.members,
    )
    reads = "samples"
    if definition.SUBJECT == "gateway":
        reads = "gateway"
    elif definition.series()[0].quantity == HEARD:
        reads = "heard"
    return Watched(Rule(definition, surroundings), found.rule_id, found.severity, reads)


@lru_cache(maxsize=50_000)
def _definition(kind: str, text: str) -> Definition:
    return parse(kind, json.loads(text))


@lru_cache(maxsize=5_000)
def _calendar(text: str, zone: str) -> Calendar:
    return Calendar(OpeningHours.model_validate_json(text), ZoneInfo(zone))
