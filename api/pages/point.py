"""A point over time, /t/<slug>/points/<id>: chart and table, last year, alerts, signal, replacements."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api import series
from api.access import INSTALL, READ, account_of, require
from api.context import CLOCK, SETTINGS, reader
from api.pages import detail, point_view, radio, ranges, rendering, view
from api.pages.ranges import Range
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.problems import TOO_MANY_POINTS, ProblemError, invalid_parameter
from api.query import Query, path_id
from api.series import Asked, Compare, Found
from api.tenancy import tenant_of
from domain.quantities import QUANTITIES
from store.reading import point as store
from store.reading.latest import LatestValue, latest_values
from store.reading.seen import Seen

PATH: Final = "/t/{slug}/points/{id}"
_MAX_ROWS: Final = 1500  # of a table that somebody may read
_MAX_CHANNEL: Final = 2**15 - 1
_BY_HOURS: Final = timedelta(days=15)
_MOMENT: Final = "a date (2025-11-22) or an instant with its zone (2025-11-22T08:00:00Z)"
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"
_NO_COMPARISON: Final = ""
_COMPARISONS: Final = (_NO_COMPARISON, "year", "year-weekday")


class Chosen(NamedTuple):
    """What the address asks to show."""

    quantity: str
    channel: int
    shown: Range
    compare: Compare | None


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the page; `quantity`, `channel`, `range` or `from` and `to`, and `compare` say what is shown."""
    query = rendering.query(request, "quantity", "channel", "range", "from", "to", "compare")
    point_id = path_id(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        found = await store.point(connection, tenant.tenant_id, point_id)
        values = await latest_values(connection, tenant.tenant_id, site_id=found.site_id)
        measurers = await store.measurers(connection, point_id, now)
        card = _card(found, [value for value in values if value.point_id == point_id], measurers, now, texts)
        chosen = _chosen(query, card, now, zone)
        told = None
        if chosen is not None:
            told = await _read(connection, tenant.tenant_id, point_id, _asked(chosen, zone), _limit(request))
        span = ranges.named(ranges.DEFAULT, now, zone) if chosen is None else chosen.shown
        watched = await store.watched(connection, tenant.tenant_id, found)
        fired = await store.fired(connection, tenant.tenant_id, point_id, span.start, span.end)
    address = rendering.tenant_address(tenant)
    return rendering.html(
        request,
        "point.html",
        tenant=tenant,
        here="sites",
        crumbs=[
            Crumb(texts("nav.sites"), f"{address}/sites"),
            Crumb(found.site_name, f"{address}/sites/{found.site_id}"),
        ],
        point=found,
        may_install=INSTALL in account_of(request).permissions,
        settings=f"{address}/points/{point_id}/compteur",
        card=card,
        now=now,
        live=f"/api/v1/live?tenant={quote(tenant.slug)}",
        chosen=chosen,
        value=None if chosen is None else point_view.value(card, chosen.quantity, chosen.channel, texts),
        table=None if chosen is None or told is None else _table(told, chosen, zone, texts, now),
        quantities=[] if chosen is None else _quantities(request, card, chosen),
        ranges=[] if chosen is None else _ranges(request, chosen, texts),
        moves=[] if chosen is None else _moves(request, chosen, now, texts),
        compare=None if chosen is None else _compare(request, chosen, texts),
        dates=None if chosen is None else point_view.dates(chosen.shown, zone),
        exports=[] if chosen is None else _exports(tenant.slug, point_id, chosen, texts),
        levels=[] if chosen is None else point_view.levels(watched, chosen.quantity, chosen.channel, texts),
        events=[]
        if chosen is None
        else point_view.events(point_view.of_quantity(fired, chosen.quantity), measurers, span, zone, texts),
        signal=radio.signal(measurers[0], texts) if measurers and measurers[0].until is None else None,
        history=point_view.history(measurers, zone, texts),
        watching=[
            point_view.sentence(one, texts)
            for one in point_view.of_point(watched, [value.quantity for value in card.values])
        ],
    )


def _limit(request: web.Request) -> int:
    return min(_MAX_ROWS, request.app[SETTINGS].max_series_points)


def _card(
    found: store.PointFound, values: list[LatestValue], measurers: list[store.Measurer], now: datetime, texts: Texts
) -> view.Card:
    present = measurers[0] if measurers and measurers[0].until is None else None
    heard_at, period_s = (None, None) if present is None else (present.heard_at, present.period_s)
    point = Seen(found.point_id, found.site_id, found.name, period_s, heard_at)
    return view.cards([point], values, now, texts)[0]


def _chosen(query: Query, card: view.Card, now: datetime, zone: ZoneInfo) -> Chosen | None:
    """Return what the address asks; by default the main value. None for a point that never measured anything."""
    name = query.choice("range", ranges.NAMES, ranges.DEFAULT)
    start, end = (query.text(one, _MOMENT, default="") for one in ("from", "to"))
    shown = ranges.custom(start, end, now, zone) if start or end else ranges.named(name, now, zone)
    if shown is None:
        raise invalid_parameter("from", f"{start or '(none)'!r} to {end or 'now'!r} is no period of the past", _MOMENT)
    compare = query.choice("compare", _COMPARISONS, _NO_COMPARISON)
    quantity = query.text("quantity", "the name of a quantity", default="")
    channel = query.integer("channel", low=0, high=_MAX_CHANNEL)
    candidates = [one for one in card.values if quantity in {"", one.quantity} and channel in {None, one.channel}]
    how: Compare | None = "year" if compare == "year" else "year-weekday" if compare == "year-weekday" else None
    if candidates:
        return Chosen(candidates[0].quantity, candidates[0].channel, shown, how)
    return Chosen(quantity, channel or 0, shown, how) if quantity in QUANTITIES else None


async def _read(
    connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked, limit: int
) -> tuple[Found, Asked]:
    read = partial(series.read, connection, tenant_id, point_id)
    try:
        return await read(asked, limit), asked
    except ProblemError as error:
        if error.kind != TOO_MANY_POINTS:
            raise
    coarser = asked._replace(every=ranges.HOUR if asked.end - asked.start <= _BY_HOURS else ranges.DAY)
    return await read(coarser, limit), coarser


def _asked(chosen: Chosen, zone: ZoneInfo) -> Asked:
    known = QUANTITIES.get(chosen.quantity)
    compared = chosen.compare is not None
    every = ranges.every("gauge" if known is None else known.kind, chosen.shown.lasting, compared=compared)
    start, end = chosen.shown.start, chosen.shown.end
    return Asked(chosen.quantity, chosen.channel, every, start, end, zone, compare=chosen.compare)


def _table(told: tuple[Found, Asked], chosen: Chosen, zone: ZoneInfo, texts: Texts, now: datetime) -> detail.Table:
    found, asked = told
    return detail.table(found, asked, ranges.said(chosen.shown, zone, texts, now), texts)


def _quantities(request: web.Request, card: view.Card, chosen: Chosen) -> list[dict[str, object]]:
    return [
        {
            "href": rendering.address(request, quantity=value.quantity, channel=value.channel),
            "label": value.label,
            "chosen": (value.quantity, value.channel) == (chosen.quantity, chosen.channel),
        }
        for value in card.values
    ]


def _ranges(request: web.Request, chosen: Chosen, texts: Texts) -> list[dict[str, object]]:
    kept = {key: value for key, value in request.query.items() if key in {"quantity", "channel", "compare"}}
    return [
        {
            "href": "?" + urlencode({**kept, "range": name}),
            "label": texts(f"range.{name}"),
            "chosen": name == chosen.shown.name,
        }
        for name in ranges.NAMES
    ]


def _moves(request: web.Request, chosen: Chosen, now: datetime, texts: Texts) -> list[dict[str, object]]:
    """Return links to the periods around the one shown."""
    kept = {key: value for key, value in request.query.items() if key in {"quantity", "channel", "compare"}}
    return [
        {
            "name": name,
            "href": "?" + urlencode({**kept, "from": f"{one.start:{_INSTANT}}", "to": f"{one.end:{_INSTANT}}"}),
            "label": texts(f"range.{name}"),
        }
        for name, one in ranges.moved(chosen.shown, now).items()
    ]


def _compare(request: web.Request, chosen: Chosen, texts: Texts) -> list[dict[str, object]]:
    return [
        {
            "href": rendering.address(request, compare=name),
            "label": texts(f"compare.{name or 'none'}"),
            "chosen": name == (chosen.compare or _NO_COMPARISON),
        }
        for name in _COMPARISONS
    ]


def _exports(slug: str, point_id: int, chosen: Chosen, texts: Texts) -> list[Crumb]:
    asked = {
        "tenant": slug,
        "points": point_id,
        "quantity": chosen.quantity,
        "from": f"{chosen.shown.start:{_INSTANT}}",
        "to": f"{chosen.shown.end:{_INSTANT}}",
    }
    forms = ("csv-fr" if texts.language == "fr" else "csv", "xlsx")
    return [
        Crumb(texts(f"download.{form}"), f"/api/v1/exports/measurements?{urlencode({**asked, 'form': form})}")
        for form in forms
    ]


ROUTES: Final = (web.get(PATH, show),)
