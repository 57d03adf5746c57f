"""The tertiary decree in words: where each building stands, and what OPERAT asks to be declared. Pure.

Source: Code de la construction et de l'habitation, R174-22 and after; the platform OPERAT of ADEME.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from api.pages import words
from api.pages.energy_view import QUANTITIES, Decree, kwh, missing
from api.pages.energy_words import KWH, NONE
from api.pages.texts import Texts
from domain import energy
from store.buildings import Building
from store.reading.consumption import Use

_FILE: Final = ("site", "activity", "floor", "reference_year", "reference_kwh", "year", *QUANTITIES, "missing")


def columns(texts: Texts) -> list[str]:
    """Return the heads of the table of buildings."""
    heads = [texts(f"energy.decree.column.{name}") for name in ("site", "reference", "year", "path")]
    targets = [
        texts("energy.decree.column.target", year=year, percent=words.percent(-share, texts))
        for year, share in energy.TARGETS
    ]
    return [*heads, *targets, texts("energy.decree.column.status")]


def rows(found: Sequence[Decree], texts: Texts) -> list[list[Any]]:
    """Return a row a building of 1000 m2 and more."""
    return [
        [
            one.name,
            NONE if one.reference_kwh is None else f"{_said(one.reference_kwh, texts)} ({one.reference_year})",
            _said(one.year_kwh, texts),
            _said(one.path_kwh, texts),
            *(_said(target, texts) for target in one.targets_kwh or [None] * len(energy.TARGETS)),
            _standing(one, texts),
        ]
        for one in found
    ]


def _said(value: float | None, texts: Texts) -> str:
    return NONE if value is None else words.quantity(value, KWH, texts)


def _standing(one: Decree, texts: Texts) -> dict[str, str]:
    if one.missing:
        return {"text": texts("energy.decree.missing", what=_named(one.missing, texts)), "status": "none"}
    return {
        "text": texts("energy.decree.on_path" if one.on_path else "energy.decree.off_path"),
        "status": "good" if one.on_path else "watch",
    }


def _named(names: Iterable[str], texts: Texts) -> str:
    return ", ".join(texts(f"energy.decree.missing.{name}") for name in names)


def file(buildings: Iterable[Building], uses: Iterable[Use], year: int, texts: Texts) -> list[list[object]]:
    """Return the rows of the file, heads first: a line for each building of a known floor, and what it lacks."""
    used: dict[tuple[int, str], float] = defaultdict(float)
    for use in uses:
        used[use.site_id, use.quantity] += kwh(use)
    lines: list[list[object]] = [[texts(f"energy.operat.{name}") for name in _FILE]]
    for building in buildings:
        if building.floor_area_m2 is None:
            continue
        amounts = [used.get((building.site_id, quantity)) for quantity in QUANTITIES]
        is_metered = any(amount is not None for amount in amounts)
        lines.append(
            [
                building.name,
                texts(f"buildings.activity.{building.activity}") if building.activity else "",
                building.floor_area_m2,
                building.reference_year,
                building.reference_kwh,
                year,
                *(None if amount is None else round(amount, 1) for amount in amounts),
                _named(missing(building, is_metered=is_metered), texts),
            ]
        )
    return lines
