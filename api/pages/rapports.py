"""The reports of a tenant, /t/<slug>/rapports: one a month, as a PDF to bring to the council; who receives them."""

import re
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader, writer
from api.mailing import MAILER
from api.pages import forms, rendering
from api.pages.navigation import Entry
from api.pages.paper import paper
from api.reports import month, words
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store import reports
from store.access import audit

PATH: Final = "/t/{slug}/rapports"
_FILE: Final = f"{PATH}/{{month}}.pdf"
_RECIPIENTS: Final = f"{PATH}/destinataires"
_LISTED: Final = 12
_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,190}\.[^\s@<>,;\"]{2,60}\Z")
_MAX_RECIPIENTS: Final = 10


@require(READ)
async def page(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    return await _page(request, None, "")


async def _page(request: web.Request, given: str | None, error: str) -> web.Response:
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        known = await reports.recipients(connection, tenant.tenant_id)
    this_month = now.astimezone(ZoneInfo(tenant.time_zone)).date().replace(day=1)
    listed = month.months_before(this_month, _LISTED + 1)[:-1][::-1]
    return rendering.html(
        request,
        "rapports.html",
        status=422 if error else 200,
        tenant=tenant,
        months=[
            {
                "label": words.month_name(first, texts),
                "href": rendering.tenant_address(tenant, "rapports", f"{first:%Y-%m}.pdf"),
            }
            for first in listed
        ],
        sends_mail=request.app[MAILER].available,
        may_manage=MANAGE in account_of(request).permissions,
        recipients="\n".join(known) if given is None else given,
        error=error,
        save=rendering.tenant_address(tenant, "rapports", "destinataires"),
    )


@require(READ)
async def file(request: web.Request) -> web.Response:
    """Answer the PDF of a month, in the reader's language."""
    rendering.query(request)
    found = _MONTH.match(request.match_info["month"])
    if found is None:
        raise NotFoundError
    first, texts = date(int(found[1]), int(found[2]), 1), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        if month.month_after(first) > request.app[CLOCK]().astimezone(ZoneInfo(tenant.time_zone)).date():
            raise NotFoundError
        read = await month.read(connection, tenant, first)
    return await paper(request, words.tell(read, texts), f"rapport-{tenant.slug}-{first:%Y-%m}.pdf")


@require(MANAGE)
async def save(request: web.Request) -> web.Response:
    """Keep to whom each month's report is mailed."""
    given = (await forms.form(request, "recipients"))["recipients"]
    texts = rendering.catalogue_of(request)
    wanted = list(dict.fromkeys(given.replace(",", " ").replace(";", " ").split()))
    wrong = [one for one in wanted if _EMAIL.match(one) is None]
    if wrong or len(wanted) > _MAX_RECIPIENTS:
        error = (
            texts("report.error.email", email=wrong[0][:60]) if wrong else texts("report.error.many", n=_MAX_RECIPIENTS)
        )
        return await _page(request, given, error)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await reports.set_recipients(connection, tenant.tenant_id, wanted)
        await audit.append_own(connection, "report.recipients", tenant_id=tenant.tenant_id, subject=str(len(wanted)))
    return rendering.onward(rendering.tenant_address(tenant, "rapports"), done="saved")


ROUTES: Final = (web.get(PATH, page), web.get(_FILE, file), web.post(_RECIPIENTS, save))
NAVIGATION: Final = (Entry("rapports", PATH, "report", 90),)
