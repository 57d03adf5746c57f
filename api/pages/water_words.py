"""The page of water in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.pages import words
from api.pages.energy_words import NONE, percent
from api.pages.periods import Name, Period
from api.pages.rendering import tenant_address
from api.pages.texts import Texts
from api.pages.water_view import Meter
from api.units import Written
from domain.water import Network, Performance, performance
from store.reading.territory import Tenant

M3: Final = Written("m³", 0, 1)
_WHOLE_M3: Final = Written("m³", 0, 0)
_LITRES_H: Final = Written("L/h", 0, 0)
_LITRES: Final = Written("L", 0, 0)
_EUROS: Final = Written("€", 0, 0)
_PERCENT: Final = Written("%", 0, 1)
_LOSSES: Final = Written("m³/km/j", 0, 1)
_COLUMNS: Final = ("meter", "m3", "euros", "change", "night", "status")
_NETWORK_COLUMNS: Final = ("year", "yield", "threshold", "losses", "status")


def lead(found: Sequence[Meter], name: Name, period: Period, texts: Texts) -> str:
    """Return the one sentence at the top: what was used in buildings, and whether something leaks."""
    used = counted(found)
    if not used:
        return texts("water.lead.nothing")
    said = texts(
        f"water.lead.{name}",
        m3=words.quantity(sum(one.m3 for one in used), M3, texts),
        since=words.moment(period.start, period.zone, "day", texts),
    )
    leaks = sum(one.leak is not None for one in found)
    return f"{said} {texts.plural('water.lead.leaks', leaks) if leaks else texts('water.lead.no_leak')}"


def counted(found: Sequence[Meter]) -> list[Meter]:
    """Return the meters that are added up: not a network's, nor one behind another that is."""
    by_point = {one.point_id: one for one in found}

    def is_counted(one: Meter) -> bool:
        whole = None if one.part_of is None else by_point.get(one.part_of)
        return not one.supplies and (one.part_of is None or (whole is not None and whole.supplies))

    return [one for one in found if is_counted(one)]


def leaks(found: Sequence[Meter], names: Mapping[int, str], tenant: Tenant, texts: Texts) -> list[dict[str, str]]:
    """Return what seems to leak: where, how much, what it costs a year, what to do."""
    return [
        {
            "name": names[one.point_id],
            "href": tenant_address(tenant, "points", one.point_id),
            "words": texts.plural(
                "water.leak.words",
                one.leak.nights,
                flow=words.quantity(one.leak.litres_an_hour, _LITRES_H, texts),
                day=words.quantity(one.leak.litres_a_day(), _LITRES, texts),
            ),
            "cost": texts("water.leak.year", m3=words.quantity(one.leak.m3_a_year(), _WHOLE_M3, texts))
            if one.leak_euros is None
            else texts(
                "water.leak.cost",
                m3=words.quantity(one.leak.m3_a_year(), _WHOLE_M3, texts),
                euros=words.quantity(one.leak_euros, _EUROS, texts),
            ),
        }
        for one in found
        if one.leak is not None
    ]


def columns(texts: Texts) -> list[str]:
    """Return the heads of the table of meters."""
    return [texts(f"water.column.{name}") for name in _COLUMNS]


def rows(found: Sequence[Meter], names: Mapping[int, str], tenant: Tenant, texts: Texts) -> list[list[Any]]:
    """Return a row a meter."""
    return [
        [
            {"text": _name(one, names, texts), "href": tenant_address(tenant, "points", one.point_id)},
            words.quantity(one.m3, M3, texts),
            NONE if one.euros is None or one.supplies else words.quantity(one.euros, _EUROS, texts),
            NONE if one.change is None else percent(one.change, texts),
            NONE if one.night_l is None else words.quantity(one.night_l, _LITRES_H, texts),
            _status(one, texts),
        ]
        for one in found
    ]


def _name(one: Meter, names: Mapping[int, str], texts: Texts) -> str:
    return names[one.point_id] if one.part_of is None else texts("water.part", name=names[one.point_id])


def _status(one: Meter, texts: Texts) -> dict[str, str]:
    if one.leak is not None:
        return {"text": texts("water.status.leak"), "status": "bad"}
    if one.is_abnormal:
        return {"text": texts("water.status.abnormal"), "status": "watch"}
    if one.supplies:
        return {"text": texts("water.status.supplies"), "status": "none"}
    if one.night_l is None:
        return {"text": texts("water.status.unknown"), "status": "none"}
    return {"text": texts("water.status.fine"), "status": "good"}


def network_columns(texts: Texts) -> list[str]:
    """Return the heads of the table of the network's years."""
    return [texts(f"water.network.column.{name}") for name in _NETWORK_COLUMNS]


def network_rows(networks: Mapping[int, Network], texts: Texts) -> list[list[Any]]:
    """Return a row a year."""
    return [
        [
            str(year),
            words.quantity(told.yield_percent, _PERCENT, texts),
            words.quantity(told.threshold_percent, _PERCENT, texts),
            words.quantity(told.losses, _LOSSES, texts),
            _standing(told, texts),
        ]
        for year, network in networks.items()
        if (told := performance(network)) is not None
    ]


def _standing(told: Performance, texts: Texts) -> dict[str, str]:
    key = "water.network.suffices" if told.suffices else "water.network.too_low"
    return {"text": texts(key), "status": "good" if told.suffices else "bad"}
