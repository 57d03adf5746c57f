"""The first page: whose measurements to look at."""

from functools import partial
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode

from aiohttp import web

from api.access import SIGNED_IN, require
from api.context import reader
from api.pages import rendering, words
from api.pagination import everything
from store.reading import territory


class Link(NamedTuple):
    """A tenant to choose."""

    href: str
    name: str
    kind: str


@require(SIGNED_IN)
async def home(request: web.Request) -> web.Response:
    """Answer the list of tenants, by name."""
    async with reader(request) as connection:
        tenants = await everything(partial(territory.tenants, connection))
    texts = rendering.catalogue_of(request)
    suffix = f"?{urlencode({'lang': request.query['lang']})}" if "lang" in request.query else ""
    links = [
        Link(f"/t/{quote(tenant.slug)}{suffix}", tenant.name, texts(f"kind.{tenant.kind}"))
        for tenant in sorted(tenants, key=lambda tenant: words.sort_key(tenant.name))
    ]
    return rendering.html(request, "home.html", tenants=links)


ROUTES: Final = (web.get("/", home),)
