"""Whom a tenant's alerts are told to."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.reading.pages import Page, checked_limit, page_of


class Contact(NamedTuple):
    """One person reached in one way. `target` and `preferences` are checked by who reads them (alerting)."""

    contact_id: int
    tenant_id: int
    name: str
    language: str
    channel: str
    target: Mapping[str, Any]
    min_severity: str
    on_call_only: bool
    preferences: Mapping[str, Any]
    tenant_slug: str
    time_zone: str
    on_call: bool


_CONTACT: Final = """
SELECT contact_id, contacts.tenant_id, contacts.name, language, channel, target::text, min_severity, on_call_only,
       preferences::text, tenants.slug AS tenant_slug, tenants.time_zone,
       EXISTS (SELECT FROM on_call_shifts AS shifts
                WHERE shifts.contact_id = contacts.contact_id AND shifts.during @> $1::timestamptz) AS on_call
  FROM contacts
  JOIN tenants USING (tenant_id)
 WHERE deleted_at IS NULL
"""

SELECT_CONTACTS: Final = (
    _CONTACT + "   AND enabled AND contacts.tenant_id = ANY ($2::integer[])\n ORDER BY contact_id\n"
)

SELECT_CONTACT: Final = _CONTACT + "   AND contact_id = $2\n"


async def contacts_of(connection: asyncpg.Connection, tenant_ids: list[int], now: datetime) -> list[Contact]:
    """Return the contacts of tenants who may be told something, with who is on call now."""
    return [_contact(row) for row in await connection.fetch(SELECT_CONTACTS, now, tenant_ids)]


async def contact(connection: asyncpg.Connection, contact_id: int, now: datetime) -> Contact | None:
    """Return one contact, None when there is none any more."""
    row = await connection.fetchrow(SELECT_CONTACT, now, contact_id)
    return None if row is None else _contact(row)


def _contact(row: asyncpg.Record) -> Contact:
    values = dict(row)
    return Contact(
        **values | {"target": json.loads(values["target"]), "preferences": json.loads(values["preferences"])}
    )


# A page of a tenant's contacts, those who are not told anything for now as well.
SELECT_CONTACT_PAGE: Final = (
    _CONTACT
    + """   AND contacts.tenant_id = $2
   AND contact_id > $3
 ORDER BY contact_id
 LIMIT $4
"""
)


async def contact_page(
    connection: asyncpg.Connection, tenant_id: int, now: datetime, *, after: int | None, limit: int
) -> Page[Contact]:
    """Return the contacts of a tenant in the order of their ids."""
    rows = await connection.fetch(SELECT_CONTACT_PAGE, now, tenant_id, after or 0, checked_limit(limit) + 1)
    return page_of([_contact(row) for row in rows], [row["contact_id"] for row in rows], limit)


INSERT_CONTACT: Final = """
INSERT INTO contacts (tenant_id, name, language, channel, target, min_severity, on_call_only, preferences)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8::jsonb)
RETURNING contact_id
"""


async def add_contact(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    name: str,
    channel: str,
    target: Mapping[str, Any],
    language: str = "fr",
    min_severity: str = "warning",
    on_call_only: bool = False,
    preferences: Mapping[str, Any] | None = None,
) -> int:
    """Add a contact; return its id. `target` and `preferences` are JSON that was checked."""
    return int(
        await connection.fetchval(
            INSERT_CONTACT,
            tenant_id,
            name,
            language,
            channel,
            json.dumps(dict(target)),
            min_severity,
            on_call_only,
            json.dumps(dict(preferences or {})),
        )
    )


SELECT_CONTACT_OF: Final = _CONTACT + "   AND contacts.tenant_id = $2\n   AND contact_id = $3\n"
SELECT_CONTACT_HELD: Final = f"{SELECT_CONTACT_OF}   FOR UPDATE OF contacts\n"


async def contact_of(
    connection: asyncpg.Connection, tenant_id: int, contact_id: int, now: datetime, *, held: bool = False
) -> Contact:
    """Return one contact of a tenant; `held` keeps others from changing it until the transaction ends.

    Raises NotFoundError.
    """
    row = await connection.fetchrow(SELECT_CONTACT_HELD if held else SELECT_CONTACT_OF, now, tenant_id, contact_id)
    if row is None:
        raise NotFoundError(f"no contact {contact_id}")
    return _contact(row)


# Its shifts, steps and waiting messages end with it; what it was sent stays on record.
DELETE_CONTACT: Final = """
WITH gone AS (
  UPDATE contacts SET deleted_at = $3, enabled = false, target = '{}'
   WHERE contact_id = $2 AND tenant_id = $1 AND deleted_at IS NULL
  RETURNING contact_id
),
shifts AS (DELETE FROM on_call_shifts USING gone WHERE on_call_shifts.contact_id = gone.contact_id),
steps AS (DELETE FROM escalation_steps USING gone WHERE escalation_steps.contact_id = gone.contact_id),
messages AS (
  UPDATE deliveries SET state = 'dropped', ended_at = $3, error = 'the contact was removed'
    FROM gone
   WHERE deliveries.contact_id = gone.contact_id AND state = 'waiting'
)
SELECT contact_id FROM gone
"""


async def remove_contact(connection: asyncpg.Connection, tenant_id: int, contact_id: int, now: datetime) -> None:
    """Forget where a contact is reached, and tell it nothing more. Raises NotFoundError."""
    if await connection.fetchval(DELETE_CONTACT, tenant_id, contact_id, now) is None:
        raise NotFoundError(f"no contact {contact_id}")


INSERT_SHIFT: Final = """
INSERT INTO on_call_shifts (contact_id, during)
SELECT contact_id, tstzrange($3, $4) FROM contacts WHERE contact_id = $2 AND tenant_id = $1 AND deleted_at IS NULL
RETURNING shift_id
"""


async def add_shift(
    connection: asyncpg.Connection, tenant_id: int, contact_id: int, since: datetime, until: datetime
) -> int:
    """Put a contact on call; return the shift's id. Raises NotFoundError."""
    found = await connection.fetchval(INSERT_SHIFT, tenant_id, contact_id, since, until)
    if found is None:
        raise NotFoundError(f"no contact {contact_id}")
    return int(found)


class Shift(NamedTuple):
    """When a contact is on call."""

    shift_id: int
    contact_id: int
    contact_name: str
    since: datetime
    until: datetime


_SHIFT: Final = """
SELECT shift_id, contact_id, contacts.name AS contact_name, lower(during) AS since, upper(during) AS until
  FROM on_call_shifts
  JOIN contacts USING (contact_id)
 WHERE tenant_id = $1
"""

SELECT_SHIFTS: Final = (
    _SHIFT
    + """   AND upper(during) > $2
 ORDER BY lower(during), shift_id
 LIMIT 1000
"""
)


async def shifts(connection: asyncpg.Connection, tenant_id: int, now: datetime) -> list[Shift]:
    """Return who of a tenant is on call, now and later, the first first."""
    return [Shift(**row) for row in await connection.fetch(SELECT_SHIFTS, tenant_id, now)]


SELECT_SHIFT: Final = _SHIFT + "   AND shift_id = $2\n"


async def shift_of(connection: asyncpg.Connection, tenant_id: int, shift_id: int) -> Shift:
    """Return one shift of a tenant, which never changes; past ones as well. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_SHIFT, tenant_id, shift_id)
    if row is None:
        raise NotFoundError(f"no shift {shift_id}")
    return Shift(**row)


DELETE_SHIFT: Final = """
DELETE FROM on_call_shifts
 USING contacts
 WHERE shift_id = $2
   AND contacts.contact_id = on_call_shifts.contact_id
   AND tenant_id = $1
RETURNING shift_id
"""


async def remove_shift(connection: asyncpg.Connection, tenant_id: int, shift_id: int) -> None:
    """Take a shift back. Raises NotFoundError."""
    if await connection.fetchval(DELETE_SHIFT, tenant_id, shift_id) is None:
        raise NotFoundError(f"no shift {shift_id}")


class Step(NamedTuple):
    """Whom to tell when nobody has acknowledged for `after_s` seconds; None: whoever is on call by then."""

    tenant_id: int
    after_s: int
    contact_id: int | None


SELECT_STEPS: Final = """
SELECT tenant_id, after_s, contact_id FROM escalation_steps WHERE tenant_id = ANY ($1::integer[]) ORDER BY after_s
"""


async def steps_of(connection: asyncpg.Connection, tenant_ids: list[int]) -> list[Step]:
    """Return the steps of escalation of tenants, the first first."""
    return [Step(**row) for row in await connection.fetch(SELECT_STEPS, tenant_ids)]


DELETE_STEPS: Final = """
DELETE FROM escalation_steps WHERE tenant_id = $1
"""

INSERT_STEP: Final = """
INSERT INTO escalation_steps (tenant_id, after_s, contact_id)
SELECT $1, $2, $3
 WHERE $3::integer IS NULL
    OR EXISTS (SELECT FROM contacts WHERE contact_id = $3 AND tenant_id = $1 AND deleted_at IS NULL)
RETURNING after_s
"""


async def set_steps(connection: asyncpg.Connection, tenant_id: int, steps: list[tuple[int, int | None]]) -> None:
    """Replace the steps of a tenant, each (after_s, contact_id or None). Raises NotFoundError, and sets none then."""
    async with connection.transaction():
        await connection.execute(DELETE_STEPS, tenant_id)
        for after_s, contact_id in steps:
            if await connection.fetchval(INSERT_STEP, tenant_id, after_s, contact_id) is None:
                raise NotFoundError(f"no contact {contact_id}")
