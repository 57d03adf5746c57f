"""What people do with rules: add, backtest, enable, disable, and take a template for a whole site."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from alerting.backtest import DAYS, Backtest, as_text, backtest
from alerting.rules import Definition, RuleError, parse
from alerting.rules._templates import TEMPLATES, Proposal, proposals
from alerting.rules._words import Language
from alerting.targets import TargetModel
from store.alerting.rules import (
    NewRule,
    RuleRow,
    add_rule,
    enable_rule,
    has_calendar,
    retire,
    rule,
    set_backtest,
    set_calendar,
)
from store.alerting.subjects import foreign_points, measured_quantities

SEVERITIES: Final = ("info", "warning", "critical")


class Tried(NamedTuple):
    """A rule with what it would have done."""

    row: RuleRow
    definition: Definition
    found: Backtest


async def add(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    name: str,
    kind: str,
    values: Mapping[str, Any],
    target: TargetModel,
    severity: str,
) -> int:
    """Keep a rule, not enabled, and return its number. Raises RuleError for one that its kind does not allow."""
    definition = parse(kind, values)
    if severity not in SEVERITIES:
        raise RuleError(f"severity {severity!r}: one of {', '.join(SEVERITIES)}")
    if (definition.SUBJECT == "gateway") != (target.gateway_id is not None or _all_gateways(definition, target)):
        raise RuleError(f"{kind}: its target is {'a gateway' if definition.SUBJECT == 'gateway' else 'points'}")
    named = [one.point_id for one in definition.series() if one.point_id is not None]
    if target.point_id is not None:
        named.append(target.point_id)
    foreign = await foreign_points(connection, tenant_id, named)
    if foreign:
        raise RuleError(f"no point {foreign[0]} of this tenant")
    written = definition.model_dump_json(exclude_unset=True)
    new = NewRule(tenant_id, name, kind, written, target.model_dump_json(exclude_defaults=True), severity)
    return await add_rule(connection, new)


def _all_gateways(definition: Definition, target: TargetModel) -> bool:
    return definition.SUBJECT == "gateway" and target.everything


def definition_of(row: RuleRow) -> Definition:
    """Return a kept rule's definition."""
    return parse(row.kind, json.loads(row.definition))


async def try_rule(connection: asyncpg.Connection, rule_id: int, now: datetime, days: int = DAYS) -> Tried:
    """Backtest a rule and keep the result with its version: only then can it be enabled. Raises NotFoundError."""
    row = await rule(connection, rule_id)
    definition = definition_of(row)
    target = TargetModel.model_validate_json(row.target)
    found = await backtest(connection, row.tenant_id, definition, target, now=now, days=days)
    await set_backtest(connection, rule_id, row.version, as_text(found))
    return Tried(row, definition, found)


async def enable(connection: asyncpg.Connection, rule_id: int) -> None:
    """Let a rule watch. Raises NotFoundError, NotBacktestedError."""
    await rule(connection, rule_id)
    async with connection.transaction():
        await enable_rule(connection, rule_id)


async def disable(connection: asyncpg.Connection, rule_id: int, now: datetime) -> None:
    """Let a rule watch no longer. Raises NotFoundError."""
    await rule(connection, rule_id)
    await retire(connection, rule_id, now)


class Proposed(NamedTuple):
    """What a template makes of a site: the rules kept, not enabled yet."""

    rule_ids: list[int]
    hours_set: bool


async def take_template(
    connection: asyncpg.Connection, tenant_id: int, site_id: int, template: str, language: Language = "fr"
) -> Proposed:
    """Keep a template's rules for what a site measures, and its opening hours where there are none yet.

    Raises RuleError for a template that does not exist, or a site at which nothing is measured.
    """
    chosen = TEMPLATES.get(template)
    if chosen is None:
        raise RuleError(f"no template {template!r}; there are {', '.join(TEMPLATES)}")
    by_quantity: dict[str, list[int]] = defaultdict(list)
    for point_id, quantity in await measured_quantities(connection, tenant_id, site_id):
        by_quantity[quantity].append(point_id)
    if not by_quantity:
        raise RuleError("nothing is measured at this site yet: declare its sensors first, and let them speak")
    async with connection.transaction():
        hours_set = chosen.hours is not None and not await has_calendar(connection, tenant_id, site_id)
        if chosen.hours is not None and hours_set:
            await set_calendar(connection, tenant_id, site_id, chosen.hours.model_dump_json())
        rule_ids = [
            await add(
                connection,
                tenant_id,
                name=one.name[language],
                kind=one.kind,
                values=one.values,
                target=TargetModel(site_id=site_id),
                severity=one.severity,
            )
            for one in proposals(chosen, set(by_quantity))
        ]
    return Proposed(rule_ids, hours_set)


__all__ = ["TEMPLATES", "Proposal", "Proposed", "Tried", "add", "disable", "enable", "take_template", "try_rule"]
