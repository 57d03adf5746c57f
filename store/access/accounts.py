"""Accounts, their passwords, and the roles that they were given."""

from datetime import datetime
from typing import Final, Literal, NamedTuple, get_args

import asyncpg

from domain.errors import NotFoundError, SamaraError
from store.reading.pages import Reader

Role = Literal["viewer", "manager", "technician", "supervisor", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


class AccountError(SamaraError):
    """An account cannot be made or changed so."""


class Person(NamedTuple):
    """One account, for a list."""

    account_id: int
    email: str
    name: str
    language: str
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool
    has_second_factor: bool


class Grant(NamedTuple):
    """A role on a tenant (None: on all), or on it and its descendants."""

    grant_id: int
    role: Role
    tenant_id: int | None
    tenant: str | None  # its slug
    tenant_name: str | None
    with_descendants: bool


class Credential(NamedTuple):
    """What a sign-in is checked against. `hash` is None for who has no password."""

    account_id: int
    email: str
    language: str
    hash: str | None
    is_disabled: bool
    has_second_factor: bool
    roles: tuple[str, ...]


INSERT_ACCOUNT: Final = """
INSERT INTO accounts (email, name, language) VALUES ($1, $2, $3)
ON CONFLICT (email) DO NOTHING
RETURNING account_id
"""


async def add_account(connection: asyncpg.Connection, email: str, name: str = "", language: str = "fr") -> int | None:
    """Make an account and return its id; None if there is one with this e-mail. Raises AccountError."""
    try:
        account_id: int | None = await connection.fetchval(INSERT_ACCOUNT, email.strip().lower(), name, language)
    except (asyncpg.CheckViolationError, asyncpg.DataError) as error:
        raise AccountError(f"account {email[:64]!r}: this is not an e-mail address, or the name is too long") from error
    return account_id


SELECT_ACCOUNT_BY_EMAIL: Final = """
SELECT account_id FROM accounts WHERE email = $1
"""


async def account_by_email(reader: Reader, email: str) -> int:
    """Return the id of the account. Raises NotFoundError."""
    account_id: int | None = await reader.fetchval(SELECT_ACCOUNT_BY_EMAIL, email.strip().lower())
    if account_id is None:
        raise NotFoundError(f"no account {email[:64]!r}")
    return account_id


_SELECT_PERSON: Final = """
SELECT account_id, email, name, language, accounts.created_at, disabled_at, hash IS NOT NULL AS has_password,
       confirmed_at IS NOT NULL AS has_second_factor
  FROM accounts
  LEFT JOIN passwords USING (account_id)
  LEFT JOIN second_factors USING (account_id)
"""
SELECT_PEOPLE: Final = _SELECT_PERSON + " ORDER BY email"
SELECT_PERSON: Final = _SELECT_PERSON + " WHERE account_id = $1"


async def people(reader: Reader) -> list[Person]:
    """Return all accounts, by e-mail."""
    return [Person(*row) for row in await reader.fetch(SELECT_PEOPLE)]


async def person(reader: Reader, account_id: int) -> Person:
    """Return one account. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_PERSON, account_id)
    if row is None:
        raise NotFoundError(f"no account {account_id}")
    return Person(*row)


_SELECT_CREDENTIAL: Final = """
SELECT account_id, email, language, hash, disabled_at IS NOT NULL AS is_disabled,
       confirmed_at IS NOT NULL AS has_second_factor,
       ARRAY(SELECT DISTINCT role FROM grants WHERE grants.account_id = accounts.account_id) AS roles
  FROM accounts
  LEFT JOIN passwords USING (account_id)
  LEFT JOIN second_factors USING (account_id)
"""
SELECT_CREDENTIAL: Final = _SELECT_CREDENTIAL + " WHERE email = $1"
SELECT_CREDENTIAL_OF: Final = _SELECT_CREDENTIAL + " WHERE account_id = $1"


async def credential(reader: Reader, email: str) -> Credential | None:
    """Return what a sign-in with this e-mail is checked against; None if there is no such account."""
    return _credential(await reader.fetchrow(SELECT_CREDENTIAL, email.strip().lower()))


async def credential_of(reader: Reader, account_id: int) -> Credential | None:
    """Return the same of an account by its id."""
    return _credential(await reader.fetchrow(SELECT_CREDENTIAL_OF, account_id))


def _credential(row: asyncpg.Record | None) -> Credential | None:
    return None if row is None else Credential(**{**row, "roles": tuple(row["roles"])})


UPSERT_HASH: Final = """
INSERT INTO passwords (account_id, hash) VALUES ($1, $2)
ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, changed_at = now()
"""


async def set_password(connection: asyncpg.Connection, account_id: int, password_hash: str) -> None:
    """Keep the argon2id hash of a password."""
    await connection.execute(UPSERT_HASH, account_id, password_hash)


SELECT_HASH: Final = """
SELECT hash FROM passwords WHERE account_id = $1
"""


async def password_hash(reader: Reader, account_id: int) -> str | None:
    """Return the hash of the account's password, None if it has none."""
    found: str | None = await reader.fetchval(SELECT_HASH, account_id)
    return found


UPDATE_DISABLED: Final = """
UPDATE accounts SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, now()) END WHERE account_id = $1
"""


async def set_disabled(connection: asyncpg.Connection, account_id: int, *, disabled: bool) -> None:
    """Let the account in no more, or again. Its sessions and keys stop at once."""
    await connection.execute(UPDATE_DISABLED, account_id, disabled)


INSERT_GRANT: Final = """
INSERT INTO grants (account_id, role, tenant_id, with_descendants, granted_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, role, tenant_id) DO UPDATE SET with_descendants = excluded.with_descendants
RETURNING grant_id
"""


async def grant(
    connection: asyncpg.Connection,
    account_id: int,
    role: str,
    tenant_id: int | None,
    *,
    with_descendants: bool,
    granted_by: int | None = None,
) -> int:
    """Give a role on a tenant (None: on all, now and later). Raises AccountError."""
    if role not in ROLES:
        raise AccountError(f"{role[:32]!r} is no role: {', '.join(ROLES)}")
    try:
        grant_id: int = await connection.fetchval(
            INSERT_GRANT, account_id, role, tenant_id, with_descendants or tenant_id is None, granted_by
        )
    except asyncpg.ForeignKeyViolationError as error:
        raise AccountError("there is no such account or tenant") from error
    return grant_id


DELETE_GRANT: Final = """
DELETE FROM grants WHERE account_id = $1 AND role = $2 AND tenant_id IS NOT DISTINCT FROM $3 RETURNING grant_id
"""


async def revoke(connection: asyncpg.Connection, account_id: int, role: str, tenant_id: int | None) -> bool:
    """Take a role away; say whether the account had it."""
    return await connection.fetchval(DELETE_GRANT, account_id, role, tenant_id) is not None


SELECT_GRANTS: Final = """
SELECT grant_id, role, grants.tenant_id, slug, name, with_descendants
  FROM grants
  LEFT JOIN tenants USING (tenant_id)
 WHERE account_id = $1
 ORDER BY name NULLS FIRST, role
"""


async def grants_of(reader: Reader, account_id: int) -> list[Grant]:
    """Return the roles of an account."""
    return [Grant(*row) for row in await reader.fetch(SELECT_GRANTS, account_id)]
