"""Devices that go from one tenant to another: for good, or lent until a day and given back.

What a device said stays with whom it was of at the time. Who hands one over may install at both ends.
"""

from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store import installing
from store.installing import RefusedError
from store.reading.pages import Reader

SELECT_HAND_OVER: Final = """
SELECT hand_over_device($1, $2, $3, $4)
"""


async def hand_over(connection: asyncpg.Connection, dev_eui: str, giver_id: int, taker_id: int, now: datetime) -> int:
    """Give a device to another tenant for good, and return its id. Network servers are told.

    Raises NotFoundError, and RefusedError for one that measures something, or is lent: it belongs to another.
    """
    found = await installing.assignments(connection, giver_id, dev_eui=dev_eui, point_id=None)
    if any(one.ended_at is None for one in found):
        raise RefusedError("The device measures a point: take it away first, into stock.")
    if await connection.fetchval(SELECT_OPEN, dev_eui):
        raise RefusedError("The device is lent: give it back first.")
    return await _moved(connection, dev_eui, giver_id, taker_id, now)


SELECT_OPEN: Final = """
SELECT EXISTS (SELECT FROM loans JOIN devices USING (device_id) WHERE dev_eui = $1 AND returned_at IS NULL)
"""


async def _moved(connection: asyncpg.Connection, dev_eui: str, giver_id: int, taker_id: int, now: datetime) -> int:
    try:
        moved: int = await connection.fetchval(SELECT_HAND_OVER, dev_eui, giver_id, taker_id, now)
    except asyncpg.NoDataFoundError as error:
        raise NotFoundError from error
    except asyncpg.ObjectInUseError as error:
        raise RefusedError("The device measures a point since a later moment.") from error
    return moved


INSERT_LOAN: Final = """
INSERT INTO loans (tenant_id, borrower_id, device_id, account_id, lent_at, due_on, note)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING loan_id
"""


async def lend(
    connection: asyncpg.Connection,
    dev_eui: str,
    lender_id: int,
    borrower_id: int,
    *,
    due_on: date,
    note: str,
    account_id: int | None,
    now: datetime,
) -> int:
    """Lend a device that is in stock until a day, included; return the number of the loan. Raises as `hand_over`."""
    async with connection.transaction():
        device_id = await hand_over(connection, dev_eui, lender_id, borrower_id, now)
        loan_id: int = await connection.fetchval(
            INSERT_LOAN, lender_id, borrower_id, device_id, account_id, now, due_on, note
        )
    return loan_id


class Loan(NamedTuple):
    """A loan. `due_on` is its last day, `is_lender` whether whoever asks is on the side of the lender."""

    loan_id: int
    dev_eui: str
    name: str
    model: str | None
    lender_slug: str
    lender: str
    borrower_slug: str
    borrower: str
    lent_at: datetime
    due_on: date
    returned_at: datetime | None
    note: str
    is_lender: bool


SELECT_LOANS: Final = """
SELECT * FROM loans_of($1) WHERE loan_id > $2 AND ($3::boolean IS NULL OR (returned_at IS NULL) = $3)
 ORDER BY loan_id
 LIMIT $4
"""

SELECT_OPEN_LOANS: Final = """
SELECT * FROM loans_of(NULL) WHERE returned_at IS NULL ORDER BY due_on, loan_id LIMIT $1
"""

SELECT_LOAN: Final = """
SELECT * FROM loans_of($1) WHERE loan_id = $2
"""

SELECT_HELD: Final = """
SELECT borrower_id FROM loans WHERE tenant_id = $1 AND loan_id = $2 AND returned_at IS NULL FOR UPDATE
"""


async def loans(
    reader: Reader, tenant_id: int, *, is_open: bool | None = None, after: int = 0, limit: int = 1000
) -> list[Loan]:
    """Return what a tenant lent and borrowed, by number: what goes on, what is over, or all (None)."""
    return [Loan(**row) for row in await reader.fetch(SELECT_LOANS, tenant_id, after, is_open, limit)]


async def going_on(reader: Reader, limit: int) -> list[Loan]:
    """Return the loans that go on and that whoever asks may know of, those due first at first."""
    return [Loan(**row) for row in await reader.fetch(SELECT_OPEN_LOANS, limit)]


async def loan(reader: Reader, tenant_id: int, loan_id: int) -> Loan:
    """Return a loan of a tenant, lent or borrowed. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_LOAN, tenant_id, loan_id)
    if row is None:
        raise NotFoundError
    return Loan(**row)


UPDATE_LOAN: Final = """
UPDATE loans SET due_on = coalesce($3, due_on), note = coalesce($4, note) WHERE tenant_id = $1 AND loan_id = $2
"""


async def change(
    connection: asyncpg.Connection, lender_id: int, loan_id: int, *, due_on: date | None, note: str | None
) -> None:
    """Lend for longer or shorter, or note something else; None leaves it. Raises NotFoundError, RefusedError."""
    await _held(connection, lender_id, loan_id)
    await connection.execute(UPDATE_LOAN, lender_id, loan_id, due_on, note)


async def _held(connection: asyncpg.Connection, lender_id: int, loan_id: int) -> int:
    """Return who borrowed, and keep others from the loan. Raises NotFoundError, RefusedError when it is over."""
    found = await loan(connection, lender_id, loan_id)
    borrower: int | None = await connection.fetchval(SELECT_HELD, lender_id, loan_id)
    if borrower is None:
        if found.returned_at is None:
            raise NotFoundError  # it is the borrower's, who changes nothing of it
        raise RefusedError("The device was given back: the loan is over.")
    return borrower


UPDATE_RETURNED: Final = """
UPDATE loans SET returned_at = $3 WHERE tenant_id = $1 AND loan_id = $2
"""


async def give_back(connection: asyncpg.Connection, lender_id: int, loan_id: int, now: datetime) -> None:
    """Take a lent device back, into the lender's stock: what it measured at the borrower's ends, and stays there.

    Raises NotFoundError, RefusedError.
    """
    async with connection.transaction():
        borrower_id = await _held(connection, lender_id, loan_id)
        found = await loan(connection, lender_id, loan_id)
        await _moved(connection, found.dev_eui, borrower_id, lender_id, now)
        await connection.execute(UPDATE_RETURNED, lender_id, loan_id, now)
