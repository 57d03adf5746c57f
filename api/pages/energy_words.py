"""The page of energy in words: every sentence and cell chosen, nothing left to the template. Pure."""

from typing import Any, Final

from api.pages import words
from api.pages.energy_view import Amount, Figures, SiteEnergy
from api.pages.periods import Name, Period
from api.pages.rendering import tenant_address
from api.pages.texts import Texts
from api.units import Written
from store.reading.territory import Tenant

KWH: Final = Written("kWh", 0, 0)
_EUROS: Final = Written("€", 0, 0)
_PERCENT: Final = Written("%", 0, 0)
_WATTS: Final = Written("W", 0, 0)
_MINUS: Final = "\u2212"
_STEADY: Final = 0.02  # a change below is none
_MUCH_CLOSED: Final = 0.6
_COLUMNS: Final = ("site", "kwh", "euros", "change", "corrected", "per_m2", "base_load", "closed")
NONE: Final = "—"


def lead(shown: Figures, name: Name, period: Period, texts: Texts) -> str:
    """Return the one sentence at the top."""
    if not shown.sites:
        return texts("energy.lead.nothing")
    said = texts(
        f"energy.lead.{name}",
        kwh=words.quantity(shown.total.kwh, KWH, texts),
        since=words.moment(period.start, period.zone, "day", texts),
    )
    compared = change(shown.total, texts, period)
    cost = (
        ""
        if shown.total.euros is None
        else texts("energy.lead.cost", euros=words.quantity(shown.total.euros, _EUROS, texts))
    )
    return " ".join(part for part in (said, cost, compared) if part)


def change(amount: Amount, texts: Texts, period: Period) -> str:
    """Return what the year before says, in words: by how much it changed, and by how much in equal weather."""
    if amount.change is None:
        return texts("energy.change.unknown")
    year = period.start_before.year
    said = (
        texts("energy.change.steady", year=year)
        if abs(amount.change) < _STEADY
        else texts("energy.change.other", percent=percent(amount.change, texts), year=year)
    )
    if amount.corrected is None:
        return said
    return texts("energy.change.corrected", said=said, percent=percent(amount.corrected, texts))


def percent(share: float, texts: Texts) -> str:
    """Return a relative difference with its sign."""
    rounded = round(100 * share)
    sign = "+" if rounded > 0 else _MINUS if rounded < 0 else ""
    return sign + words.quantity(abs(rounded), _PERCENT, texts)


def tiles(shown: Figures, texts: Texts) -> list[dict[str, str]]:
    """Return a tile a form of energy, and one for what it costs."""
    made = [
        {
            "title": texts(f"energy.quantity.{quantity}"),
            "number": words.number(amount.kwh, KWH, texts),
            "unit": KWH.symbol,
            "words": _short(amount, texts),
            "status": _status(amount),
        }
        for quantity, amount in shown.by_quantity.items()
    ]
    if shown.total.euros is not None:
        made.append(
            {
                "title": texts("energy.cost"),
                "number": words.number(shown.total.euros, _EUROS, texts),
                "unit": _EUROS.symbol,
                "words": texts("energy.cost.words"),
                "status": "",
            }
        )
    return made


def _short(amount: Amount, texts: Texts) -> str:
    if amount.change is None:
        return texts("energy.change.unknown")
    return texts("energy.change.tile", percent=percent(amount.change, texts))


def _status(amount: Amount) -> str:
    compared = amount.change if amount.corrected is None else amount.corrected
    if compared is None:
        return ""
    return "watch" if compared > 0.05 else "good"


def columns(texts: Texts) -> list[str]:
    """Return the heads of the table of buildings."""
    return [texts(f"energy.column.{name}") for name in _COLUMNS]


def rows(shown: Figures, tenant: Tenant, texts: Texts) -> list[list[Any]]:
    """Return a row a building, the greatest use first."""
    return [_row(site, tenant, texts) for site in shown.sites]


def _row(site: SiteEnergy, tenant: Tenant, texts: Texts) -> list[Any]:
    compared: Any = NONE if site.total.change is None else percent(site.total.change, texts)
    if site.total.corrected is not None:
        corrected: Any = {"text": percent(site.total.corrected, texts), "status": _status(site.total)}
    else:
        corrected = NONE
    return [
        {"text": site.name, "href": tenant_address(tenant, "sites", site.site_id)},
        words.quantity(site.total.kwh, KWH, texts),
        _or_none(site.total.euros, _EUROS, texts),
        compared,
        corrected,
        _or_none(site.kwh_per_m2, Written("kWh/m²", 0, 0), texts),
        _or_none(site.base_load_w, _WATTS, texts),
        _closed(site.closed_share, texts),
    ]


def _closed(share: float | None, texts: Texts) -> Any:
    if share is None:
        return NONE
    said = words.quantity(100 * share, _PERCENT, texts)
    return {"text": said, "status": "watch"} if share > _MUCH_CLOSED else said


def _or_none(value: float | None, written: Written, texts: Texts) -> str:
    return NONE if value is None else words.quantity(value, written, texts)
