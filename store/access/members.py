"""Who may do what on a tenant, as whoever administers it sees and says it. The database checks that they do."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.access.accounts import AccountError
from store.reading.pages import Page, Reader, page_of


class NotYoursError(AccountError):
    """These rights are not for whoever asks to give: they do not administer all that would be given."""


class OwnRightsError(AccountError):
    """Nobody takes away their own rights: another administrator does."""


class Held(NamedTuple):
    """A role of somebody on a tenant (None: on all). `has_entered`: they have a way in."""

    grant_id: int
    account_id: int
    email: str
    name: str
    role: str
    tenant_id: int | None
    with_descendants: bool
    granted_at: datetime
    granted_by: str | None
    is_disabled: bool
    has_entered: bool
    has_second_factor: bool


class Invited(NamedTuple):
    """Who was given a role. `must_enter`: they have no way in, and need a link that makes one."""

    account_id: int
    grant_id: int
    must_enter: bool
    is_disabled: bool


class Taken(NamedTuple):
    """What was taken away from whom."""

    account_id: int
    email: str
    role: str
    tenant_id: int | None


SELECT_HELD: Final = """
SELECT grant_id, account_id, email, name, role, tenant_id, with_descendants, granted_at, granted_by, is_disabled,
       has_entered, has_second_factor
  FROM visible.held_grants
 WHERE tenant_id IS NOT DISTINCT FROM $1
   AND grant_id > $2
 ORDER BY grant_id
 LIMIT $3
"""


async def held_on(reader: Reader, tenant_id: int | None, *, after: int | None, limit: int) -> Page[Held]:
    """Return the roles given on a tenant (None: on all), by id."""
    found = [Held(*row) for row in await reader.fetch(SELECT_HELD, tenant_id, after or 0, limit + 1)]
    return page_of(found, [one.grant_id for one in found], limit)


SELECT_HELD_ONE: Final = """
SELECT grant_id, account_id, email, name, role, tenant_id, with_descendants, granted_at, granted_by, is_disabled,
       has_entered, has_second_factor
  FROM visible.held_grants
 WHERE tenant_id IS NOT DISTINCT FROM $1
   AND grant_id = $2
"""


async def held_one(reader: Reader, tenant_id: int | None, grant_id: int) -> Held:
    """Return one role given on a tenant (None: on all). Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_HELD_ONE, tenant_id, grant_id)
    if row is None:
        raise NotFoundError
    return Held(*row)


SELECT_INVITED: Final = """
SELECT account_id, grant_id, must_enter, is_disabled FROM invite($1, $2, $3, $4, $5, $6)
"""


async def invite(
    connection: asyncpg.Connection,
    email: str,
    name: str,
    language: str,
    *,
    role: str,
    tenant_id: int | None,
    with_descendants: bool,
) -> Invited:
    """Give a role to whoever has this e-mail, making an account if there is none. Raises AccountError."""
    try:
        row = await connection.fetchrow(
            SELECT_INVITED, email.strip(), name, language, role, tenant_id, with_descendants
        )
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotYoursError from error
    except (asyncpg.CheckViolationError, asyncpg.DataError) as error:
        raise AccountError(f"{email[:64]!r} is not an e-mail address") from error
    assert row is not None
    return Invited(*row)


SELECT_GIVEN: Final = """
SELECT give_member($1, $2, $3, $4)
"""


async def give(
    connection: asyncpg.Connection, account_id: int, role: str, tenant_id: int | None, *, with_descendants: bool
) -> int:
    """Give another role to an account that has one where whoever asks administers.

    Raises NotFoundError when it has none, NotYoursError.
    """
    try:
        grant_id: int = await connection.fetchval(SELECT_GIVEN, account_id, role, tenant_id, with_descendants)
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotYoursError from error
    except asyncpg.NoDataFoundError as error:
        raise NotFoundError from error
    return grant_id


SELECT_TAKEN: Final = """
SELECT account_id, email, role, tenant_id FROM take_grant($1)
"""


async def take(connection: asyncpg.Connection, grant_id: int) -> Taken:
    """Take a role away. Raises NotFoundError, OwnRightsError."""
    try:
        row = await connection.fetchrow(SELECT_TAKEN, grant_id)
    except asyncpg.ObjectInUseError as error:
        raise OwnRightsError from error
    if row is None:
        raise NotFoundError
    return Taken(*row)


SELECT_ENDED: Final = """
SELECT end_sessions_of_member($1)
"""


async def end_sessions(connection: asyncpg.Connection, account_id: int) -> int:
    """End every session of somebody all of whose roles are where whoever asks administers. Raises NotFoundError."""
    ended: int | None = await connection.fetchval(SELECT_ENDED, account_id)
    if ended is None:
        raise NotFoundError
    return ended


SELECT_ADMINISTERS_ALL: Final = """
SELECT administers_all()
"""


async def administers_all(reader: Reader) -> bool:
    """Say whether whoever asks administers all tenants."""
    return bool(await reader.fetchval(SELECT_ADMINISTERS_ALL))
