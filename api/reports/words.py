"""A month's report in words. Pure."""

from datetime import date
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from api.pages import air_view, air_words, alarms, energy_words, water_words, words
from api.pages.texts import Texts
from api.reports.drawing import bars
from api.reports.month import Month
from api.units import Written

_MWH: Final = Written("MWh", 1, 1)
_KWH: Final = Written("kWh", 0, 0)
_M3: Final = Written("m³", 0, 0)
_EUROS: Final = Written("€", 0, 0)
_INCIDENTS: Final = 8
_SITES: Final = 12


class Told(NamedTuple):
    """What the template lays out: the first page is sentences and figures, the others charts and tables."""

    title: str
    month: str
    sentences: list[str]
    tiles: list[dict[str, str]]
    to_do: list[str]
    charts: list[tuple[str, Markup]]
    energy: list[list[Any]]
    energy_columns: list[str]
    water: list[list[Any]]
    water_columns: list[str]
    rooms: list[list[Any]]
    room_columns: list[str]


def month_name(first: date, texts: Texts) -> str:
    """Return a month as people say it: "octobre 2026"."""
    return f"{texts('report.months').split()[first.month - 1]} {first.year}"


def tell(found: Month, texts: Texts) -> Told:
    """Return the report in the reader's language."""
    leaks = [one for one in found.meters if one.leak is not None]
    used = water_words.counted(found.meters)
    bad = [room for room in found.air.rooms if air_view.verdict(room.air) in {"watch", "bad"}]
    return Told(
        title=texts("report.title", name=found.tenant.name),
        month=month_name(found.first, texts),
        sentences=list(
            filter(None, (_energy(found, texts), _water(found, texts), _air(found, texts), _alerts(found, texts)))
        ),
        tiles=_tiles(found, sum(one.m3 for one in used), texts),
        to_do=[
            *(
                texts(
                    "report.do.leak",
                    place=found.names[one.point_id],
                    m3=words.quantity(one.leak.m3_a_year(), _M3, texts),
                )
                for one in leaks
                if one.leak is not None
            ),
            *(texts("report.do.air", place=found.names[room.point_id]) for room in bad),
            *(
                texts(
                    "report.do.energy", place=site.name, percent=energy_words.percent(site.total.corrected or 0, texts)
                )
                for site in found.energy.sites
                if (site.total.corrected or 0) > 0.05
            ),
        ],
        charts=_charts(found, texts),
        energy=_plain(energy_words.rows(found.energy, found.tenant, texts)[:_SITES]),
        energy_columns=energy_words.columns(texts),
        water=_plain(water_words.rows(found.meters, found.names, found.tenant, texts)[:_SITES]),
        water_columns=water_words.columns(texts),
        rooms=_plain(air_words.room_rows(found.air, found.names, found.tenant, texts)[:_SITES]),
        room_columns=air_words.room_columns(texts),
    )


def _plain(rows: list[list[Any]]) -> list[list[Any]]:
    """Return cells as texts: paper has no links."""
    return [[cell["text"] if isinstance(cell, dict) else cell for cell in row] for row in rows]


def _energy(found: Month, texts: Texts) -> str:
    if not found.energy.sites:
        return ""
    said = texts("report.energy", kwh=words.quantity(found.energy.total.kwh, _KWH, texts))
    if found.energy.total.euros is not None:
        said = f"{said} {texts('energy.lead.cost', euros=words.quantity(found.energy.total.euros, _EUROS, texts))}"
    return f"{said} {energy_words.change(found.energy.total, texts, found.period)}"


def _water(found: Month, texts: Texts) -> str:
    used = water_words.counted(found.meters)
    if not used:
        return ""
    leaks = sum(one.leak is not None for one in found.meters)
    said = texts("report.water", m3=words.quantity(sum(one.m3 for one in used), _M3, texts))
    return f"{said} {texts.plural('water.lead.leaks', leaks) if leaks else texts('water.lead.no_leak')}"


def _air(found: Month, texts: Texts) -> str:
    return air_words.lead(found.air, texts) if found.air.rooms else ""


def _alerts(found: Month, texts: Texts) -> str:
    if not found.incidents:
        return texts("report.no_alert")
    titles = [
        alarms.title(one.cause, one.rule_name, one.point_name, one.site_name, one.gateway_name, texts=texts)
        for one in found.incidents[:_INCIDENTS]
    ]
    return texts.plural("report.alerts", len(found.incidents), titles=texts("report.between").join(titles))


def _tiles(found: Month, m3: float, texts: Texts) -> list[dict[str, str]]:
    tiles = energy_words.tiles(found.energy, texts)
    if found.meters:
        tiles.append(
            {
                "title": texts("nav.eau"),
                "number": words.number(m3, _M3, texts),
                "unit": _M3.symbol,
                "words": "",
                "status": "",
            }
        )
    return tiles


def _charts(found: Month, texts: Texts) -> list[tuple[str, Markup]]:
    short = texts("moment.months").split()
    charts = []
    for key, series, written, share in (("kwh", found.kwh, _MWH, 1000.0), ("m3", found.m3, _M3, 1.0)):
        if any(value is not None for _, value in series):
            values = [
                (
                    short[month.month - 1] if month.month > 1 else str(month.year),
                    value,
                    "" if value is None else words.number(value / share, written, texts),
                )
                for month, value in series
            ]
            caption = texts(f"report.chart.{key}")
            charts.append((caption, bars(values, caption)))
    return charts
