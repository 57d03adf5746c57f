"""The register of personal data of a tenant, /t/<slug>/registre: what is done with it, and for how long."""

from typing import Final

from aiohttp import web

from api.access import MANAGE, READ, require
from api.context import reader, writer
from api.pages import forms, rendering
from api.pages.navigation import Entry
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from domain.personal import Every
from domain.processings import PROCESSINGS, DataClass, Processing
from store import personal
from store.access import audit
from store.access.bearer import may
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/registre"
MOST_MONTHS: Final = 120
_LONGEST: Final = 200


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the register; who manages the tenant may change a class of it, the one that `change` names."""
    changing = rendering.query(request, "change").choice("change", ("", *PROCESSINGS), "")
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await personal.register(connection, tenant.tenant_id)
        may_change = await may(connection, tenant.tenant_id, MANAGE)
    return _page(request, tenant, found, may_change=may_change, changing=changing)


def _page(
    request: web.Request,
    tenant: Tenant,
    found: list[personal.Declared],
    *,
    may_change: bool,
    changing: str,
    is_wrong: bool = False,
) -> web.Response:
    return rendering.html(
        request,
        "registre.html",
        status=422 if is_wrong else 200,
        tenant=tenant,
        lines=found,
        may_change=may_change,
        changing=changing,
        is_wrong=is_wrong,
    )


@require(MANAGE)
async def save(request: web.Request) -> web.Response:
    """Keep what the form says of one class of data."""
    given = await forms.form(request, "data_class", "purpose", "legal_basis", "keep_months", "grain")
    data_class = _class_of(given["data_class"])
    wanted = _wanted(data_class, given)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        if wanted is None:
            found = await personal.register(connection, tenant.tenant_id)
            return _page(request, tenant, found, may_change=True, changing=data_class, is_wrong=True)
        await personal.declare_processing(connection, tenant.tenant_id, data_class, wanted)
        detail = {name: value for name, value in given.items() if name != "data_class"}
        await audit.append_own(
            connection, "processing.changed", tenant_id=tenant.tenant_id, subject=data_class, detail=detail
        )
    return rendering.onward(rendering.tenant_address(tenant, "registre"), done="registre")


def _class_of(text: str) -> DataClass:
    for known in PROCESSINGS:
        if known == text:
            return known
    raise NotFoundError


def _wanted(data_class: DataClass, given: dict[str, str]) -> Processing | None:
    """Return what a form says; None when it cannot be."""
    purpose, basis, months = (given[name].strip() for name in ("purpose", "legal_basis", "keep_months"))
    fits = months.isascii() and months.isdigit() and 1 <= int(months) <= MOST_MONTHS
    grain: Every = "hour" if given["grain"] == "hour" else "day"
    if not (fits and 0 < len(purpose) <= _LONGEST and 0 < len(basis) <= _LONGEST):
        return None
    return Processing(PROCESSINGS[data_class].domain, purpose, basis, int(months), grain)


ROUTES: Final = (web.get(PATH, show), web.post(PATH, save))
NAVIGATION: Final = (Entry("registre", PATH, "people", 97, needs=MANAGE),)
