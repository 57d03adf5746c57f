"""Sensors in stock, and lent or given to another tenant."""

from datetime import date, datetime
from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field

from api import lending, models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import CLOCK, reader
from api.endpoint import get, patch, post
from api.models import Resource
from api.pages import words
from api.parameters import Asked, DevEui, DevEuiPath, IdPath, Note, OfTenant, PagedOfTenant, Slug
from api.problems import NO_SUCH_MOMENT, NO_SUCH_TAKER
from store import loans
from store.reading import installations
from store.reading.pages import page_of

STOCK: Final = "/api/v1/stock"
LOANS: Final = "/api/v1/loans"
TRANSFER: Final = "/api/v1/devices/{dev_eui}/transfer"

DueOn = Annotated[date, Field(description="the last day of the loan, YYYY-MM-DD")]


class StockedDevice(Resource):
    """A sensor that measures nothing: since when, and what it measured last."""

    dev_eui: str
    name: str
    model_id: str | None
    since: datetime
    point: str | None
    site: str | None


class Loan(Resource):
    """A sensor lent by one tenant to another until `due_on`, the last day; `is_overdue` when that is past."""

    id: int
    dev_eui: str
    name: str
    lender: str
    borrower: str
    lent_at: datetime
    due_on: date
    returned_at: datetime | None
    is_overdue: bool
    note: str


class NewLoan(Asked):
    """A sensor in stock, lent to the tenant `to` (its slug) until a day."""

    dev_eui: DevEui
    to: Slug
    due_on: DueOn
    note: Note = ""


class ChangedLoan(Asked):
    """What is to be otherwise of a loan; the rest stays."""

    due_on: DueOn | None = None
    note: Note | None = None


class LoansQuery(PagedOfTenant):
    """Those that go on, those that are over, or all."""

    open: bool | None = None


class NewTransfer(Asked):
    """The tenant to which a sensor in stock goes for good, by its slug."""

    to: Slug


@require(INSTALL)
async def list_stock(request: web.Request, query: PagedOfTenant) -> models.Page[StockedDevice]:
    """List a tenant's sensors that measure nothing."""
    asked = pagination.asked(query, "stock")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await installations.stock_of(
            connection, tenant.tenant_id, after=asked.after or 0, limit=asked.limit + 1
        )  # fmt: skip
    page = page_of(found, [one.device_id for one in found], asked.limit)
    return pagination.answer(models.Page[StockedDevice], "stock", page, _stocked)


def _stocked(found: installations.Stocked) -> StockedDevice:
    fields = {name: value for name, value in found._asdict().items() if name in StockedDevice.model_fields}
    return StockedDevice(**fields)


@require(HEALTH)
async def list_loans(request: web.Request, query: LoansQuery) -> models.Page[Loan]:
    """List what a tenant lent and borrowed."""
    asked = pagination.asked(query, "loans")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await loans.loans(
            connection, tenant.tenant_id, is_open=query.open, after=asked.after or 0, limit=asked.limit + 1
        )
    page = page_of(found, [one.loan_id for one in found], asked.limit)
    return pagination.answer(models.Page[Loan], "loans", page, lambda one: _told(one, request))


@require(HEALTH)
async def get_loan(request: web.Request, path: IdPath) -> Loan:
    """Tell one loan."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _told(await loans.loan(connection, tenant.tenant_id, path.id), request)


async def _held_loan(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Loan:
    tenant = await tenancy.tenant_of(request, connection)
    return _told(await loans.loan(connection, tenant.tenant_id, path.id), request)


def _told(found: loans.Loan, request: web.Request) -> Loan:
    today = request.app[CLOCK]().astimezone(words.PARIS).date()
    return Loan(
        id=found.loan_id, dev_eui=found.dev_eui, name=found.name, lender=found.lender_slug,
        borrower=found.borrower_slug, lent_at=found.lent_at, due_on=found.due_on, returned_at=found.returned_at,
        is_overdue=found.returned_at is None and found.due_on < today, note=found.note,
    )  # fmt: skip


@require(INSTALL)
async def create_loan(request: web.Request, connection: asyncpg.Connection, body: NewLoan) -> Loan:
    """Lend a sensor that is in stock. What it says is the borrower's until it is given back."""
    made = await lending.lend(request, connection, body.dev_eui, body.to, due_on=body.due_on, note=body.note)
    return _told(made, request)


@require(INSTALL)
async def change_loan(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: ChangedLoan) -> Loan:
    """Lend for longer or shorter, or note something else: the lender may."""
    changed = await lending.change(request, connection, path.id, due_on=body.due_on, note=body.note)
    return _told(changed, request)


@require(INSTALL)
async def return_loan(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Loan:
    """Take a lent sensor back, into the lender's stock. What it said while it was lent stays the borrower's."""
    return _told(await lending.give_back(request, connection, path.id), request)


@require(INSTALL)
async def transfer_device(
    request: web.Request, connection: asyncpg.Connection, path: DevEuiPath, body: NewTransfer
) -> None:
    """Give a sensor that is in stock to another tenant for good. What it said until now stays here."""
    tenant, taker = await lending.both_of(request, connection, body.to)
    await loans.hand_over(connection, path.dev_eui, tenant.tenant_id, taker.tenant_id, request.app[CLOCK]())


ROUTES: Final = (
    get(STOCK, list_stock),
    get(LOANS, list_loans),
    post(LOANS, create_loan, query=OfTenant, problems=(NO_SUCH_TAKER, NO_SUCH_MOMENT)),
    get(f"{LOANS}/{{id}}", get_loan, query=OfTenant),
    patch(f"{LOANS}/{{id}}", change_loan, query=OfTenant, held=_held_loan, problems=(NO_SUCH_MOMENT,)),
    post(f"{LOANS}/{{id}}/return", return_loan, query=OfTenant, held=_held_loan),
    post(TRANSFER, transfer_device, query=OfTenant, problems=(NO_SUCH_TAKER,)),
)
