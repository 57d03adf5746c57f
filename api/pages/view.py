"""The points of a site with their latest values: every word chosen, nothing left to the template. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from api.latest import unit_of
from api.pages import words
from api.pages.fare import late_after_s
from api.pages.texts import Texts
from api.units import Written, written
from domain.quantities import FOREIGN_PREFIX, QUANTITIES, Quantity
from store.reading.latest import LatestValue
from store.reading.seen import Seen

_NAMED: Final = 3  # points named in the sentence at the top

FRESH: Final = "fresh"
LATE: Final = "late"
NEVER: Final = "never"

_SYNONYMS: Final = {"battery": "battery_level", "battery_v": "battery_voltage", "batv": "battery_voltage"}
# Of the sensor itself, what a town hall can act on. The rest is for technicians.
_OF_DEVICE: Final = {"battery_voltage", "battery_level", "battery_low", "tamper", "device_fault"}
_ORDER: Final = {name: position for position, name in enumerate(QUANTITIES)}


class Value(NamedTuple):
    """One latest value. `states` is JSON, the word of each state, or empty when the value is a number."""

    key: str  # "<point>:<quantity>:<channel>", as the scripts know it
    quantity: str
    channel: int
    label: str
    number: str
    unit: str
    value: float
    written: Written
    states: str
    measured_at: datetime


class Card(NamedTuple):
    """One point: its main value, its other ones, those of the sensor itself, and how it fares."""

    point_id: int
    name: str
    main: Value | None
    others: list[Value]
    device: list[Value]
    status: str
    status_words: str
    age: str
    measured_at: datetime | None
    late_after_s: int

    @property
    def values(self) -> list[Value]:
        """All the values, the main one first."""
        return [*([self.main] if self.main else []), *self.others, *self.device]


class Summary(NamedTuple):
    """The one sentence at the top."""

    status: str
    words: str


def cards(points: Iterable[Seen], values: Iterable[LatestValue], now: datetime, texts: Texts) -> list[Card]:
    """Return the points by name, each with its latest values."""
    by_point: dict[int, list[LatestValue]] = {}
    for value in values:
        by_point.setdefault(value.point_id, []).append(value)
    found = [_card(point, by_point.get(point.point_id, []), now, texts) for point in points]
    return sorted(found, key=lambda card: words.sort_key(card.name))


def _card(point: Seen, latest: list[LatestValue], now: datetime, texts: Texts) -> Card:
    late_s = late_after_s(point.period_s)
    ordered = sorted(_shown(latest), key=lambda value: (_rank(value.quantity), value.quantity, value.channel))
    times = Counter(value.quantity for value in ordered)
    shown = [_value(value, times[value.quantity] > 1, texts) for value in ordered]
    measured = [value for value in shown if not _is_of_device(value.quantity)]
    newest = max((value.measured_at for value in latest), default=None)
    age_s = None if newest is None else (now - newest).total_seconds()
    status = NEVER if age_s is None else LATE if age_s > late_s else FRESH
    return Card(
        point_id=point.point_id,
        name=point.name,
        main=measured[0] if measured else None,
        others=measured[1:],
        device=[value for value in shown if _is_of_device(value.quantity)],
        status=status,
        status_words=texts(f"status.{status}"),
        age="" if age_s is None else words.age(age_s, texts),
        measured_at=newest,
        late_after_s=late_s,
    )


def _shown(latest: list[LatestValue]) -> Iterator[LatestValue]:
    """Leave out what says nothing to this reader, and what a network server's codec says of what we decode too."""
    ours = {value.quantity for value in latest}
    for value in latest:
        known = _known_as(value.quantity)
        superseded = known is not None and known.name != value.quantity and known.name in ours
        technical = known is not None and known.domain == "device" and known.name not in _OF_DEVICE
        if not superseded and not technical:
            yield value


def _rank(quantity: str) -> int:
    """Rank by the vocabulary, then what it does not know, alarms and other states, then the sensor's own."""
    known = _known_as(quantity)
    rank = len(_ORDER) if known is None else _ORDER[known.name]
    if known is not None and known.kind == "state":
        rank += len(_ORDER) + 1
    return rank + 3 * len(_ORDER) if _is_of_device(quantity) else rank


def _is_of_device(quantity: str) -> bool:
    known = _known_as(quantity)
    return known is not None and known.domain == "device"


def _known_as(quantity: str) -> Quantity | None:
    """Return the quantity meant, by its name alone: what a network server's own codec computed has no unit we know."""
    name = quantity.removeprefix(FOREIGN_PREFIX).lower()
    return QUANTITIES.get(_SYNONYMS.get(name, name))


def label(quantity: str, channel: int, texts: Texts, *, numbered: bool) -> str:
    """Return a quantity's name in words, with its channel when a point has several."""
    known = _known_as(quantity)
    if known is None:
        words_of_it = quantity.removeprefix(FOREIGN_PREFIX).replace("_", " ").replace(".", " ")
        name = texts("value.foreign", label=words_of_it[:1].upper() + words_of_it[1:])
    else:
        name = known.label_fr if texts.language == "fr" else known.label_en
    return texts("value.channel", label=name, channel=channel) if numbered else name


def states(quantity: str, texts: Texts) -> dict[str, str]:
    """Return the word of each state of a quantity; empty when its values are told as numbers."""
    return {code: texts(key) for code in ("0", "1") if texts.has(key := f"state.{quantity}.{code}")}


def states_json(quantity: str, texts: Texts) -> str:
    """Return the same as JSON for the scripts; nothing when there are none."""
    found = states(quantity, texts)
    return json.dumps(found, ensure_ascii=False) if found else ""


def said(quantity: str, value: float, texts: Texts) -> tuple[str, str]:
    """Return a value in words and its unit ("21,3", " °C"), or a state's word and nothing ("Ouvert", "")."""
    word = states(quantity, texts).get(f"{value:g}")
    if word is not None:
        return word, ""
    how = written(quantity, unit_of(quantity))
    return words.number(value, how, texts), words.unit(how, texts)


def _value(latest: LatestValue, numbered: bool, texts: Texts) -> Value:  # noqa: FBT001 - private
    number, unit = said(latest.quantity, latest.value, texts)
    return Value(
        key=f"{latest.point_id}:{latest.quantity}:{latest.channel}",
        quantity=latest.quantity,
        channel=latest.channel,
        label=label(latest.quantity, latest.channel, texts, numbered=numbered),
        number=number,
        unit=unit,
        value=latest.value,
        written=written(latest.quantity, unit_of(latest.quantity)),
        states=states_json(latest.quantity, texts),
        measured_at=latest.measured_at,
    )


def summary(shown: Sequence[Card], texts: Texts) -> Summary | None:
    """Return the sentence that says how it all fares; None when there is nothing yet."""
    if not shown:
        return None
    to_watch = [card.name for card in shown if card.status != FRESH]
    if to_watch:
        named = ", ".join(to_watch[:_NAMED])
        if len(to_watch) > _NAMED:
            named = texts.plural("tenant.and_more", len(to_watch) - _NAMED, names=named)
        return Summary(LATE, texts.plural("tenant.to_watch", len(to_watch), total=len(shown), names=named))
    return Summary(FRESH, texts.plural("tenant.all_fresh", len(shown)))
