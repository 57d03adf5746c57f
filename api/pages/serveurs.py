"""The page of the network servers that devices are registered at, /reseau/serveurs, for who administers tenants."""

from typing import Any, Final

from aiohttp import web

from api.access import ADMINISTER, require
from api.context import reader
from api.pages import orders_view, rendering, words
from api.pages.navigation import Entry
from api.pages.network_words import count
from api.pages.texts import Texts
from store.provisioning import servers
from store.provisioning.servers import Declared

PATH: Final = "/reseau/serveurs"
_SHOWN: Final = 100


@require(ADMINISTER)
async def show(request: web.Request) -> web.Response:
    """Answer the network servers, and the tenants for which one can be declared; `q` narrows these."""
    texts, query = rendering.catalogue_of(request), rendering.query(request, "q")
    sought = query.text("q", "a text").strip() if request.query.get("q") else ""
    async with reader(request) as connection:
        found = await servers.declared(connection, _SHOWN)
        without = await servers.without(connection, sought)
    return rendering.html(
        request,
        "serveurs.html",
        rows=[_row(one, texts) for one in found],
        choices=[(f"/t/{slug}/serveur-reseau", name, texts(f"kind.{kind}")) for slug, name, kind in without],
        sought=sought,
    )


def _row(one: Declared, texts: Texts) -> list[Any]:
    listed = words.moment(one.listed_at, words.PARIS, "minute", texts) if one.listed_at else texts("serveur.never")
    state = (
        {"status": "bad", "text": orders_view.reason(one.trouble, texts)}
        if one.trouble
        else {"status": "good" if one.listed_at else "none", "text": texts("serveur.read", at=listed)}
    )
    return [
        {"text": one.tenant, "href": f"/t/{one.slug}/serveur-reseau"},
        texts(f"serveur.kind.{one.kind}"),
        one.address,
        state,
        count(one.devices, texts),
    ]


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("serveurs", PATH, "antenna", 140, needs=ADMINISTER),)
