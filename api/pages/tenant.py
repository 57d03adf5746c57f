"""The page of a tenant, /t/<slug>: the latest value of each point, and one of them over time."""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api import pagination, series
from api.access import READ, require
from api.context import CLOCK, SETTINGS, reader
from api.pages import detail, rendering, view
from api.pages.navigation import Entry
from api.pages.texts import Texts
from api.problems import TOO_MANY_POINTS, ProblemError
from api.query import MAX_ID, Query
from api.series import Asked
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from domain.quantities import QUANTITIES
from store.reading import network, territory
from store.reading.latest import latest_values
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}"
_MAX_ROWS: Final = 1500  # of a table that somebody may read
_MAX_CHANNEL: Final = 2**15 - 1


class Chosen(NamedTuple):
    """What is shown over time."""

    card: view.Card
    value: view.Value
    range_name: str


class Choice(NamedTuple):
    """A link that shows something else."""

    href: str
    label: str
    chosen: bool


@require(READ)
async def page(request: web.Request) -> web.Response:
    """Answer the page; `point`, `quantity`, `channel` and `range` say what is shown over time."""
    query = rendering.query(request, "point", "quantity", "channel", "range")
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        blocks = await _blocks(connection, tenant, request, texts)
        chosen = _chosen(query, [card for block in blocks for card in block.cards])
        shown = None if chosen is None else await _table(connection, tenant, chosen, request, texts)
    return rendering.html(
        request,
        "tenant.html",
        tenant=tenant,
        live=f"/api/v1/live?tenant={quote(tenant.slug)}",
        now=now,
        blocks=blocks,
        summary=view.summary(blocks, texts),
        chosen=chosen,
        table=shown,
        quantities=_quantities(request, chosen),
        ranges=_ranges(request, chosen, texts),
        choose=partial(_choose, request),
    )


async def _blocks(
    connection: asyncpg.Connection, tenant: Tenant, request: web.Request, texts: Texts
) -> list[view.Block]:
    of_tenant = (connection, tenant.tenant_id)
    sites = await pagination.everything(partial(territory.sites, *of_tenant))
    points = await pagination.everything(partial(territory.points, *of_tenant))
    devices = await pagination.everything(partial(network.devices, *of_tenant))
    values = await latest_values(*of_tenant)
    periods = {device.point_id: device.period_s for device in devices if device.point_id is not None}
    return view.blocks(sites, points, values, periods_s=periods, now=request.app[CLOCK](), texts=texts)


def _chosen(query: Query, cards: Sequence[view.Card]) -> Chosen | None:
    """Return what the address asks to show; by default the first point that has measured something."""
    range_name = query.choice("range", tuple(detail.RANGES), detail.DEFAULT_RANGE)
    point_id = query.integer("point", low=1, high=MAX_ID)
    quantity = query.text("quantity", "the name of a quantity", default="")
    channel = query.integer("channel", low=0, high=_MAX_CHANNEL)
    candidates = [card for card in cards if card.point_id == point_id]
    if point_id is None:
        candidates = sorted(cards, key=lambda card: card.main is None)  # what was measured before how the sensor is
    if point_id and not candidates:
        raise NotFoundError
    for card in candidates:
        for value in card.values:
            if quantity in {"", value.quantity} and channel in {None, value.channel}:
                return Chosen(card, value, range_name)
    return None


async def _table(
    connection: asyncpg.Connection, tenant: Tenant, chosen: Chosen, request: web.Request, texts: Texts
) -> detail.Table:
    end, zone = request.app[CLOCK](), ZoneInfo(tenant.time_zone)
    known = QUANTITIES.get(chosen.value.quantity)
    every = detail.every("gauge" if known is None else known.kind, chosen.range_name)
    start = end - detail.RANGES[chosen.range_name]
    asked = Asked(chosen.value.quantity, chosen.value.channel, every, start, end, zone)
    limit = min(_MAX_ROWS, request.app[SETTINGS].max_series_points)
    try:
        found = await series.read(connection, tenant.tenant_id, chosen.card.point_id, asked, limit)
    except ProblemError as error:
        if error.kind != TOO_MANY_POINTS:
            raise
        asked = asked._replace(every=detail.FALLBACK)
        found = await series.read(connection, tenant.tenant_id, chosen.card.point_id, asked, limit)
    return detail.table(found.series, asked, chosen.range_name, texts)


def _choose(request: web.Request, value: view.Value) -> str:
    point_id = value.key.partition(":")[0]
    return rendering.address(request, point=point_id, quantity=value.quantity, channel=value.channel) + "#evolution"


def _quantities(request: web.Request, chosen: Chosen | None) -> list[Choice]:
    if chosen is None:
        return []
    return [Choice(_choose(request, value), value.label, value.key == chosen.value.key) for value in chosen.card.values]


def _ranges(request: web.Request, chosen: Chosen | None, texts: Texts) -> list[Choice]:
    return [
        Choice(
            rendering.address(request, range=name) + "#evolution",
            texts(f"range.{name}"),
            chosen is not None and name == chosen.range_name,
        )
        for name in detail.RANGES
    ]


ROUTES: Final = (web.get(PATH, page),)
NAVIGATION: Final = (Entry("accueil", PATH, "home", 10, handy=True),)
