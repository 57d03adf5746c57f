"""Devices lent and given back, as pages and programs ask: from whom to whom, until when, and who did it."""

from datetime import date, datetime

import asyncpg
from aiohttp import web

from api.access import INSTALL, account_of
from api.context import CLOCK
from api.pages.words import PARIS
from api.problems import NO_SUCH_MOMENT, NO_SUCH_TAKER, ProblemError
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store import loans
from store.access import audit
from store.access.bearer import may
from store.loans import Loan
from store.reading.territory import Tenant, tenant_by_slug


async def both_of(request: web.Request, connection: asyncpg.Connection, taker_slug: str) -> tuple[Tenant, Tenant]:
    """Return the tenant of the request and the one that takes a device; the connection shows the first from then on.

    Raises what `tenant_of` does, and ProblemError for a taker that there is not, or on which the account may not
    install: the same words for both.
    """
    taker = None
    try:
        found = await tenant_by_slug(connection, taker_slug)
    except NotFoundError:
        pass
    else:
        taker = found if await may(connection, found.tenant_id, INSTALL) else None
    tenant = await tenant_of(request, connection)
    if taker is None or taker.tenant_id == tenant.tenant_id:
        raise ProblemError(NO_SUCH_TAKER)
    return tenant, taker


async def lend(
    request: web.Request, connection: asyncpg.Connection, dev_eui: str, taker_slug: str, *, due_on: date, note: str
) -> Loan:
    """Lend a device in stock until a day, included; return the loan.

    Raises what `both_of` does, ProblemError for a day that is past, NotFoundError, RefusedError.
    """
    tenant, borrower = await both_of(request, connection, taker_slug)
    now = request.app[CLOCK]()
    _refuse_before(now, due_on)
    loan_id = await loans.lend(
        connection, dev_eui, tenant.tenant_id, borrower.tenant_id,
        due_on=due_on, note=note, account_id=account_of(request).account_id, now=now,
    )  # fmt: skip
    detail = {"to": borrower.slug, "until": due_on.isoformat()}
    await audit.append_own(connection, "device.lent", tenant_id=tenant.tenant_id, subject=dev_eui, detail=detail)
    return await loans.loan(connection, tenant.tenant_id, loan_id)


def _refuse_before(begun_at: datetime, due_on: date) -> None:
    if due_on < begun_at.astimezone(PARIS).date():
        raise ProblemError(NO_SUCH_MOMENT, "`due_on` is before the loan begins.")


async def change(
    request: web.Request, connection: asyncpg.Connection, loan_id: int, *, due_on: date | None, note: str | None
) -> Loan:
    """Lend for longer or shorter, or note something else; None leaves it. Return the loan.

    Raises what `tenant_of` does, ProblemError for a day before it began, NotFoundError, RefusedError.
    """
    tenant = await tenant_of(request, connection)
    found = await loans.loan(connection, tenant.tenant_id, loan_id)
    if due_on is not None:
        _refuse_before(found.lent_at, due_on)
    await loans.change(connection, tenant.tenant_id, loan_id, due_on=due_on, note=note)
    if due_on is not None:
        detail = {"until": due_on.isoformat()}
        await audit.append_own(
            connection, "loan.prolonged", tenant_id=tenant.tenant_id, subject=found.dev_eui, detail=detail
        )
    return await loans.loan(connection, tenant.tenant_id, loan_id)


async def give_back(request: web.Request, connection: asyncpg.Connection, loan_id: int) -> Loan:
    """Take a lent device back, into the lender's stock; return the loan.

    Raises what `tenant_of` does, NotFoundError, RefusedError.
    """
    tenant = await tenant_of(request, connection)
    await loans.give_back(connection, tenant.tenant_id, loan_id, request.app[CLOCK]())
    found = await loans.loan(connection, tenant.tenant_id, loan_id)
    await audit.append_own(connection, "device.given_back", tenant_id=tenant.tenant_id, subject=found.dev_eui)
    return found
