"""Search, /recherche?q=: a commune, a site, a point, or the end of a DevEUI."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import web

from api.access import SIGNED_IN, require
from api.context import reader
from api.pages import rendering
from api.pages.navigation import Entry
from api.pages.texts import Texts
from api.pages.whose import tenant_beside
from store.reading.searching import Hit, search

PATH: Final = "/recherche"
_KINDS: Final = ("tenant", "site", "point", "device")


class Found(NamedTuple):
    """One thing that was found: its name, where it leads, and whose it is."""

    name: str
    href: str
    where: str


class Group(NamedTuple):
    """What was found of one kind."""

    title: str
    found: list[Found]


@require(SIGNED_IN)
async def show(request: web.Request) -> web.Response:
    """Answer what is called like `q`, of what the reader may see; `tenant` is where one was."""
    query = rendering.query(request, "q", "tenant")
    asked = query.text("q", "what to look for", default="").strip()
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        hits = await search(connection, asked)
        tenant = await tenant_beside(connection, query.text("tenant", "the slug of a tenant", default=""))
    return rendering.html(
        request, "recherche.html", tenant=tenant, asked=asked, count=len(hits), groups=groups(hits, texts)
    )


def groups(hits: Sequence[Hit], texts: Texts) -> list[Group]:
    """Return what was found by kind, in the order of the kinds."""
    found = []
    for kind in _KINDS:
        own = [_found(hit) for hit in hits if hit.kind == kind]
        if own:
            found.append(Group(texts(f"recherche.{kind}"), own))
    return found


def _found(hit: Hit) -> Found:
    parts: tuple[object, ...] = ()
    if hit.point_id is not None:
        parts = ("points", hit.point_id)
    elif hit.site_id is not None:
        parts = ("sites", hit.site_id)
    where = [hit.tenant_name] if hit.kind != "tenant" else []
    if hit.kind in {"point", "device"} and hit.site_name:
        where.append(hit.site_name)
    if hit.dev_eui and hit.dev_eui != hit.name:
        where.append(hit.dev_eui.upper())
    return Found(hit.name, rendering.slug_address(hit.tenant_slug, *parts), ", ".join(where))


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("recherche", PATH, "search", 190, needs=SIGNED_IN),)
