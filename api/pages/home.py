"""The first page: whose measurements to look at."""

from functools import partial
from typing import Final, NamedTuple

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
    """Answer the list of tenants, by name; the way on to the only one."""
    async with reader(request) as connection:
        tenants = await everything(partial(territory.tenants, connection))
    if len(tenants) == 1:
        return rendering.onward(rendering.tenant_address(tenants[0]))
    texts = rendering.catalogue_of(request)
    links = [
        Link(rendering.tenant_address(tenant), tenant.name, texts(f"kind.{tenant.kind}"))
        for tenant in sorted(tenants, key=lambda tenant: words.sort_key(tenant.name))
    ]
    return rendering.html(request, "home.html", tenants=links)


ROUTES: Final = (web.get("/", home),)
