"""The year's assessment of the air in schools and nurseries: in words, and as the rows of a file. Pure.

Source: décret n° 2022-1690 (Code de l'environnement, R221-30 and after): each year, a direct reading of CO2.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from api.pages import air_words, words
from api.pages.air_view import Room, verdict
from api.pages.texts import Texts
from api.units import Written
from domain.indoor_air import Confinement

_HOURS: Final = Written("h", 0, 0)
_PPM: Final = Written("ppm", 0, 0)
_COLUMNS: Final = ("room", "hours", "mean", "above_watch", "above_act", "icone", "status")
_FILE: Final = ("site", "room", "from", "to", "hours", "mean_ppm", "above_800", "above_1500", "icone", "status")


class Year(NamedTuple):
    """What was read: rooms, those with the worst air first, by which school and under which name; [start, end)."""

    tenant: str
    start: date
    end: date
    rooms: Sequence[Room]
    names: Mapping[int, tuple[str, str]]  # of points: the school, the room


class Assessed(NamedTuple):
    """What the template lays out: a table a school."""

    title: str
    period: str
    sentences: list[str]
    to_do: list[str]
    sites: list[tuple[str, list[list[str]]]]
    columns: list[str]


def tell(found: Year, texts: Texts) -> Assessed:
    """Return the assessment in the reader's language."""
    sites: dict[str, list[list[str]]] = {}
    for room in found.rooms:
        site, name = found.names[room.point_id]
        sites.setdefault(site, []).append([name, *_told(room.air, texts)])
    worse = [room for room in found.rooms if verdict(room.air) in {"watch", "bad"}]
    unknown = sum(room.air is None for room in found.rooms)
    return Assessed(
        title=texts("air.schools.title", name=found.tenant),
        period=texts("range.custom.long", start=words.day(found.start, texts), end=words.day(found.end, texts)),
        sentences=[air_words.summary(found.rooms, texts)]
        + ([texts.plural("air.schools.unknown", unknown)] if unknown else []),
        to_do=[texts("report.do.air", place=", ".join(found.names[room.point_id])) for room in worse],
        sites=list(sites.items()),
        columns=[texts(f"air.column.{name}") for name in _COLUMNS],
    )


def _told(air: Confinement | None, texts: Texts) -> list[str]:
    said = texts(f"air.verdict.{verdict(air)}")
    if air is None:
        return ["—"] * (len(_COLUMNS) - 2) + [said]
    return [
        words.quantity(air.hours, _HOURS, texts),
        words.quantity(air.mean_ppm, _PPM, texts),
        words.share(air.above_watch, texts),
        words.share(air.above_act, texts),
        str(air.icone),
        said,
    ]


def rows(found: Year, texts: Texts) -> list[tuple[object, ...]]:
    """Return the rows of the file, heads first; shares in per cent, nothing where there is too little."""
    return [
        tuple(texts(f"air.file.{name}") for name in _FILE),
        *(
            (
                *found.names[room.point_id],
                found.start.isoformat(),
                found.end.isoformat(),
                *_numbers(room.air),
                texts(f"air.verdict.{verdict(room.air)}"),
            )
            for room in found.rooms
        ),
    ]


def _numbers(air: Confinement | None) -> tuple[float | None, ...]:
    if air is None:
        return (None,) * 5
    shares = (round(100 * air.above_watch, 1), round(100 * air.above_act, 1))
    return air.hours, round(air.mean_ppm), *shares, air.icone
