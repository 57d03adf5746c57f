"""The page of sensors that measure nothing, /stock: which, since when, and where they were."""

from typing import Any, Final

from aiohttp import web

from api.access import INSTALL, require
from api.context import CLOCK, reader
from api.pages import loans_view, pose_view, rendering, words
from api.pages.navigation import Entry
from api.pages.texts import Texts
from store import loans
from store.reading import installations
from store.reading.installations import Stocked

PATH: Final = "/stock"
_SHOWN: Final = 200


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer the sensors in stock; `q` narrows them."""
    texts = rendering.catalogue_of(request)
    query = rendering.query(request, "q")
    sought = query.text("q", "a text").strip() if request.query.get("q") else ""  # an empty field is no search
    async with reader(request) as connection:
        found = await installations.stock(connection, sought, _SHOWN + 1)
        lent = await loans.going_on(connection, _SHOWN)
    today = request.app[CLOCK]().astimezone(words.PARIS).date()
    return rendering.html(
        request, "stock.html", rows=[_row(one, texts) for one in found[:_SHOWN]], sought=sought,
        is_more=len(found) > _SHOWN, shown=_SHOWN, loans=loans_view.lent(lent, today, texts),
        overdue=loans_view.overdue(lent, today),
    )  # fmt: skip


def _row(one: Stocked, texts: Texts) -> list[Any]:
    eui = pose_view.eui(one.dev_eui)
    return [
        {"text": f"{one.name} · {eui}" if one.name else eui,
         "href": f"/mettre-en-service/{one.dev_eui}{pose_view.address({}, tenant=one.slug)}"},
        one.model or texts("pose.model_unknown"),
        one.tenant,
        words.day(one.since.astimezone(words.PARIS).date(), texts),
        texts("stock.from", point=one.point, site=one.site) if one.point else texts("stock.new"),
        {"text": texts("pret.action"), "href": f"/t/{one.slug}/stock/{one.dev_eui}"},
    ]  # fmt: skip


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("stock", PATH, "sheet", 112, INSTALL),)
