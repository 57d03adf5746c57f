"""The page of the environment in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.pages import words
from api.pages.air_view import Outside, Room, Seen, verdict
from api.pages.energy_words import NONE
from api.pages.rendering import tenant_address
from api.pages.texts import Texts
from api.units import Written, written
from domain.quantities import QUANTITIES
from store.reading.territory import Tenant

_PPM: Final = Written("ppm", 0, 0)
_PERCENT: Final = Written("%", 0, 0)
_DEGREES: Final = Written("°C", 1, 1)
_ROOM_COLUMNS: Final = ("room", "status", "icone", "mean", "above_watch", "above_act", "temperature", "cold", "warm")
_OTHER_COLUMNS: Final = ("point", "quantity", "average", "low", "high")


def lead(found: Seen, texts: Texts) -> str:
    """Return the one sentence at the top."""
    if not found.rooms:
        return texts("air.lead.nothing" if not found.others else "air.lead.no_room")
    return summary(found.rooms, texts)


def summary(rooms: Sequence[Room], texts: Texts) -> str:
    """Return in one sentence how the air of rooms is; of those that were measured long enough, if any was."""
    known = [room for room in rooms if room.air is not None]
    if not known:
        return texts("air.lead.unknown")
    worse = sum(verdict(room.air) in {"watch", "bad"} for room in known)
    return texts.plural("air.lead.worse", worse) if worse else texts.plural("air.lead.good", len(known))


def room_columns(texts: Texts) -> list[str]:
    """Return the heads of the table of rooms."""
    return [texts(f"air.column.{name}") for name in _ROOM_COLUMNS]


def room_rows(found: Seen, names: Mapping[int, str], tenant: Tenant, texts: Texts) -> list[list[Any]]:
    """Return a row a room, the worst air first."""

    def share(value: float | None) -> str:
        return NONE if value is None else words.quantity(100 * value, _PERCENT, texts)

    return [
        [
            {"text": names[room.point_id], "href": tenant_address(tenant, "points", room.point_id)},
            {"text": texts(f"air.verdict.{verdict(room.air)}"), "status": verdict(room.air)},
            NONE if room.air is None else str(room.air.icone),
            NONE if room.air is None else words.quantity(room.air.mean_ppm, _PPM, texts),
            share(room.air and room.air.above_watch),
            share(room.air and room.air.above_act),
            NONE if room.mean_c is None else words.quantity(room.mean_c, _DEGREES, texts),
            share(room.cold_share),
            share(room.warm_share),
        ]
        for room in found.rooms
    ]


def other_columns(texts: Texts) -> list[str]:
    """Return the heads of the table of everything else."""
    return [texts(f"air.column.{name}") for name in _OTHER_COLUMNS]


def others(found: Seen, names: Mapping[int, str], tenant: Tenant, texts: Texts) -> list[tuple[str, list[list[Any]]]]:
    """Return a table for each subject that is measured: its title, and a row a point and quantity."""
    tables: dict[str, list[list[Any]]] = {}
    for one in found.others:
        place = {"text": names[one.point_id], "href": tenant_address(tenant, "points", one.point_id)}
        tables.setdefault(one.subject, []).append([place, *_figures(one, texts)])
    return [(texts(f"air.subject.{subject}"), rows) for subject, rows in tables.items()]


def _figures(one: Outside, texts: Texts) -> list[str]:
    quantity = QUANTITIES[one.quantity]
    form = written(quantity.name, quantity.unit)
    label = quantity.label_fr if texts.language == "fr" else quantity.label_en
    if one.total is not None:
        return [label, texts("air.total", value=words.quantity(one.total, form, texts)), NONE, NONE]
    figures = (one.mean, one.low, one.high)
    return [label, *(NONE if value is None else words.quantity(value, form, texts) for value in figures)]
