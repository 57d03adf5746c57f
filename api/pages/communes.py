"""The communes of an EPCI or a syndicat, /t/<slug>/communes: on a map and in a table."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.pages import months, rendering, words
from api.pages.navigation import Entry
from api.pages.periods import COMPARABLE
from api.pages.texts import Texts
from api.tenancy import tenant_of
from api.units import written
from domain.quantities import QUANTITIES
from store.reading.below import Below, Used, below, used_below
from store.reading.growth import Asked

PATH: Final = "/t/{slug}/communes"
KINDS: Final = frozenset({"syndicat", "departement", "epci", "water_union", "other"})
_USED: Final = ("active_energy_import", "water_volume")
ORDERS: Final = ("name", "incidents", "silent", "received", *_USED)
_NEARLY_ALL: Final = 0.95
_MOST: Final = 0.8

_AllUsed = Mapping[tuple[int, str], Used]


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the page; `sort` says in which order."""
    order = rendering.query(request, "sort").choice("sort", ORDERS, "name")
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)  # shows this one alone from here on
    month = months.to_date(now, ZoneInfo(tenant.time_zone))
    periods = [month.bounds, months.year_before(month).bounds]
    async with reader(request) as connection:
        found = [one for one in await below(connection, tenant.tenant_id, now) if one.kind == "commune" or one.points]
        counters = Asked([one.tenant_id for one in found], _USED, periods, tenant.time_zone)
        told = await used_below(connection, counters, month.days * COMPARABLE)
    used = {(one.tenant_id, one.quantity): one for one in told}
    ordered = sorted(found, key=lambda one: _rank(one, used, order))
    return rendering.html(
        request,
        "communes.html",
        tenant=tenant,
        found=ordered,
        rows=[_row(one, used, texts) for one in ordered],
        columns=[texts(f"communes.{name}") for name in ("name", "incidents", "silent", "received")]
        + [texts("use.electricity"), texts("use.water")],
        orders=[
            {
                "href": rendering.address(request, sort=name),
                "label": texts(f"communes.by_{name}"),
                "chosen": name == order,
            }
            for name in ORDERS
        ],
        period=month.said(texts),
        to_watch=sum(1 for one in found if one.incidents or one.silent),
        map_sites=rendering.island(_on_map(ordered, texts)),
    )


def _rank(one: Below, used: _AllUsed, order: str) -> tuple[float, str]:
    """Return what to sort by: the worst first, the greatest use first; of equals, the name."""
    if order in _USED:
        own = used.get((one.tenant_id, order))
        return (1.0 if own is None else -own.used, words.sort_key(one.name))
    worst_first = {"incidents": -one.incidents, "silent": -one.silent, "received": _received(one) or 0.0, "name": 0.0}
    return worst_first[order], words.sort_key(one.name)


def _received(one: Below) -> float | None:
    counted = (one.heard or 0) + (one.lost or 0)
    return (one.heard or 0) / counted if counted else None


def _row(one: Below, used: _AllUsed, texts: Texts) -> list[Any]:
    received = _received(one)
    return [
        {"text": one.name, "href": rendering.slug_address(one.slug)},
        _count(one.incidents),
        _count(one.silent),
        "—" if received is None else {"text": words.share(received, texts), "status": _grade(received)},
        *(_used(one.tenant_id, quantity, used, texts) for quantity in _USED),
    ]


def _grade(received: float) -> str:
    return "good" if received >= _NEARLY_ALL else "watch" if received >= _MOST else "bad"


def _count(count: int) -> dict[str, str]:
    return {"text": str(count), "status": "watch" if count else "good"}


def _used(tenant_id: int, quantity: str, used: _AllUsed, texts: Texts) -> str:
    own = used.get((tenant_id, quantity))
    if own is None:
        return "—"
    value = words.rounded(own.used, texts) + words.unit(written(quantity, QUANTITIES[quantity].unit), texts)
    if own.before <= 0:
        return value
    return texts("use.with_change", value=value, percent=words.percent(own.comparable / own.before - 1, texts))


def _on_map(found: Sequence[Below], texts: Texts) -> list[dict[str, object]]:
    return [
        {
            "name": one.name,
            "href": rendering.slug_address(one.slug),
            "status": "watch" if one.incidents or one.silent else "good" if one.points else "none",
            "words": texts("fare.watch" if one.incidents or one.silent else "fare.good" if one.points else "fare.none"),
            "at": [one.latitude_deg, one.longitude_deg],
        }
        for one in found
        if one.latitude_deg is not None
    ]


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("communes", PATH, "map", 15, kinds=KINDS, handy=True),)
