"""The pages of a sensor in stock, /t/<slug>/stock/<DevEUI>: lend it until a day, or give it; and of its return."""

from datetime import date
from typing import Final

from aiohttp import web

from api import lending
from api.access import INSTALL, require
from api.context import CLOCK, reader, writer
from api.pages import pose_view, rendering, words
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.parameters import Asked, DevEui, Id, Slug, of_path
from api.problems import NO_SUCH_MOMENT, NO_SUCH_TAKER, ProblemError
from api.tenancy import tenant_of
from store import installing, loans
from store.installing import RefusedError
from store.reading import installations

PATH: Final = "/t/{slug}/stock/{dev_eui}"
GIVE: Final = PATH + "/don"
LOAN: Final = "/t/{slug}/prets/{id}"
RETURN: Final = LOAN + "/retour"
_MAX_NOTE: Final = 2000
_FAR: Final = date(2199, 12, 31)


class StockPath(Asked):
    """One device of a tenant."""

    slug: Slug
    dev_eui: DevEui


class LoanPath(Asked):
    """One loan of a tenant."""

    slug: Slug
    id: Id


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer the forms that lend a sensor or give it away; `q` seeks the authorities that could have it."""
    query = rendering.query(request, "q")
    return await _page(request, {}, sought=query.text("q", "a text").strip() if request.query.get("q") else "")


async def _page(request: web.Request, given: dict[str, str], *, sought: str = "", wrong: str = "") -> web.Response:
    texts, dev_eui = rendering.catalogue_of(request), of_path(request, StockPath).dev_eui
    async with reader(request) as connection:
        takers = await installations.grounds(connection, sought, limit=200)
        tenant = await tenant_of(request, connection)
        found = await installing.device(connection, tenant.tenant_id, dev_eui)
        measured = await installing.assignments(connection, tenant.tenant_id, dev_eui=dev_eui, point_id=None)
        lent = await loans.loans(connection, tenant.tenant_id, is_open=True)
    borrowed = next((one for one in lent if one.dev_eui == dev_eui and one.borrower_slug == tenant.slug), None)
    return rendering.html(
        request,
        "pret.html",
        status=422 if wrong else 200,
        tenant=tenant,
        here="stock",
        crumbs=[Crumb(texts("nav.stock"), "/stock")],
        here_address=rendering.tenant_address(tenant, "stock", dev_eui),
        name=found["name"] or pose_view.eui(dev_eui),
        dev_eui=pose_view.eui(dev_eui),
        install=f"/mettre-en-service/{dev_eui}{pose_view.address({}, tenant=tenant.slug)}",
        takers=[(one.slug, one.name) for one in takers if one.slug != tenant.slug],
        sought=sought,
        wrong=wrong,
        given={"to": "", "due_on": "", "note": ""} | given,
        measures=any(one.ended_at is None for one in measured),
        borrowed=texts("pret.borrowed", lender=borrowed.lender, day=words.day(borrowed.due_on, texts))
        if borrowed
        else "",
        today=request.app[CLOCK]().astimezone(words.PARIS).date().isoformat(),
    )


@require(INSTALL)
async def lend(request: web.Request) -> web.Response:
    """Lend the sensor until a day."""
    given, texts = await form(request, "to", "due_on", "note"), rendering.catalogue_of(request)
    dev_eui, due_on = of_path(request, StockPath).dev_eui, _day(given["due_on"])
    if due_on is None:
        return await _page(request, given, wrong=texts("pret.wrong.day"))
    note = "".join(one for one in given["note"] if one.isprintable()).strip()[:_MAX_NOTE]
    try:
        async with writer(request) as connection:
            await lending.lend(request, connection, dev_eui, given["to"], due_on=due_on, note=note)
    except (ProblemError, RefusedError) as error:
        return await _page(request, given, wrong=_wrong(error, texts))
    return rendering.onward("/stock#prets", done="lent")


def _wrong(error: ProblemError | RefusedError, texts: Texts) -> str:
    """Return in words why the sensor was not lent or given. What is no answer to a form is raised again."""
    if isinstance(error, RefusedError):
        return texts("pret.wrong.refused")
    if error.kind is NO_SUCH_TAKER:
        return texts("pret.wrong.taker")
    if error.kind is NO_SUCH_MOMENT:
        return texts("pret.wrong.day")
    raise error


def _day(text: str) -> date | None:
    try:
        return min(date.fromisoformat(text), _FAR)
    except ValueError:
        return None


@require(INSTALL)
async def give(request: web.Request) -> web.Response:
    """Give the sensor to another authority for good."""
    given, texts = await form(request, "to"), rendering.catalogue_of(request)
    dev_eui = of_path(request, StockPath).dev_eui
    try:
        async with writer(request) as connection:
            tenant, taker = await lending.both_of(request, connection, given["to"])
            await loans.hand_over(connection, dev_eui, tenant.tenant_id, taker.tenant_id, request.app[CLOCK]())
    except (ProblemError, RefusedError) as error:
        return await _page(request, given, wrong=_wrong(error, texts))
    return rendering.onward("/stock", done="given_away")


@require(INSTALL)
async def prolong(request: web.Request) -> web.Response:
    """Lend for longer, or shorter."""
    due_on = _day((await form(request, "due_on"))["due_on"])
    if due_on is None:
        return rendering.onward("/stock#prets", done="no_such_day")
    try:
        async with writer(request) as connection:
            await lending.change(request, connection, of_path(request, LoanPath).id, due_on=due_on, note=None)
    except RefusedError:
        return rendering.onward("/stock#prets", done="not_given_back")
    except ProblemError as error:
        if error.kind is not NO_SUCH_MOMENT:
            raise
        return rendering.onward("/stock#prets", done="no_such_day")
    return rendering.onward("/stock#prets", done="saved")


@require(INSTALL)
async def give_back(request: web.Request) -> web.Response:
    """Take the sensor back into the lender's stock."""
    await form(request)
    try:
        async with writer(request) as connection:
            await lending.give_back(request, connection, of_path(request, LoanPath).id)
    except RefusedError:
        return rendering.onward("/stock#prets", done="not_given_back")
    return rendering.onward("/stock", done="given_back")


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PATH, lend),
    web.post(GIVE, give),
    web.post(LOAN, prolong),
    web.post(RETURN, give_back),
)
