"""A PostgreSQL role for each tenant's Grafana: it reads, for a bounded time, what an account of that tenant may see.

The role is a member of samara_grafana, whose rights are those of the schema `visible`; `database_readers` binds it to
an account that holds one grant and has no password: nobody signs in with it.
"""

from typing import Final, NamedTuple

import asyncpg

from store.access.roles import GRAFANA, verifier

STATEMENT_TIMEOUT_S: Final = 15
_NOBODY: Final = "@grafana.invalid"  # no mail goes there (RFC 2606)


class Reader(NamedTuple):
    """A role and the tenant that it reads; tenant_id None for supervision."""

    role: str
    tenant_id: int | None


def role_of(tenant_id: int | None) -> str:
    """Return the name of the role."""
    return f"{GRAFANA}_{'supervision' if tenant_id is None else tenant_id}"


UPSERT_ACCOUNT: Final = """
INSERT INTO accounts (email, name) VALUES ($1, $2)
ON CONFLICT (email) DO UPDATE SET name = excluded.name, disabled_at = NULL
RETURNING account_id
"""

DELETE_OTHER_GRANTS: Final = """
DELETE FROM grants
 WHERE account_id = $1
   AND (role, coalesce(tenant_id, 0)) IS DISTINCT FROM ($2::text, coalesce($3::integer, 0))
"""

INSERT_GRANT: Final = """
INSERT INTO grants (account_id, role, tenant_id, with_descendants) VALUES ($1, $2, $3, true)
ON CONFLICT DO NOTHING
"""

UPSERT_READER: Final = """
INSERT INTO database_readers (role_name, account_id) VALUES ($1, $2)
ON CONFLICT (role_name) DO UPDATE SET account_id = excluded.account_id
"""

SELECT_ROLE_EXISTS: Final = """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
"""


async def ensure_reader(connection: asyncpg.Connection, reader: Reader, password: str, salt: bytes) -> None:
    """Make the role, or give it this password, and bind it. Raises asyncpg.InsufficientPrivilegeError."""
    if reader.role != role_of(reader.tenant_id):
        raise ValueError(f"{reader.role!r} is not the role of tenant {reader.tenant_id}")
    async with connection.transaction():
        if not await connection.fetchval(SELECT_ROLE_EXISTS, reader.role):
            await connection.execute(f"CREATE ROLE {reader.role} NOLOGIN IN ROLE {GRAFANA}")
        await connection.execute(
            f"ALTER ROLE {reader.role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE CONNECTION LIMIT 10"
            f" PASSWORD '{verifier(password, salt)}'"
        )
        for setting in (
            f"statement_timeout = '{STATEMENT_TIMEOUT_S}s'",
            "default_transaction_read_only = on",
            "search_path = visible, public",
            "idle_in_transaction_session_timeout = '15s'",
            "timezone = 'UTC'",
        ):
            await connection.execute(f"ALTER ROLE {reader.role} SET {setting}")
        account = await connection.fetchval(
            UPSERT_ACCOUNT, f"{reader.role}@grafana.invalid", f"Grafana ({reader.role})"
        )
        role = "supervisor" if reader.tenant_id is None else "viewer"
        await connection.execute(DELETE_OTHER_GRANTS, account, role, reader.tenant_id)
        await connection.execute(INSERT_GRANT, account, role, reader.tenant_id)
        await connection.execute(UPSERT_READER, reader.role, account)


SELECT_STALE: Final = """
SELECT role_name FROM database_readers
  JOIN accounts USING (account_id)
 WHERE role_name LIKE 'samara\\_grafana\\_%' AND NOT role_name = ANY ($1::text[]) AND email LIKE '%@grafana.invalid'
"""

DELETE_ACCOUNT: Final = """
DELETE FROM accounts WHERE email = $1
"""


async def drop_stale_readers(connection: asyncpg.Connection, wanted: list[str]) -> list[str]:
    """Drop the roles of tenants that are no more; return their names."""
    stale = [record["role_name"] for record in await connection.fetch(SELECT_STALE, wanted)]
    for role in stale:
        async with connection.transaction():
            await connection.execute(DELETE_ACCOUNT, f"{role}{_NOBODY}")
            await connection.execute(f'DROP ROLE IF EXISTS "{role}"')
    return stale


class Member(NamedTuple):
    """Somebody who may look at one tenant (None: supervision), as an account; may_edit says whether more than look."""

    tenant_id: int | None
    email: str
    name: str
    may_edit: bool


SELECT_MEMBERS: Final = """
SELECT tree.tenant_id, email, accounts.name, bool_or(role IN ('manager', 'administrator')) AS may_edit
  FROM grants
  JOIN accounts USING (account_id)
  JOIN tenant_tree AS tree ON tree.ancestor_id = coalesce(grants.tenant_id, 0)
                          AND (grants.with_descendants OR tree.tenant_id = grants.tenant_id)
 WHERE role IN ('viewer', 'manager', 'technician', 'administrator')
   AND disabled_at IS NULL
   AND email NOT LIKE '%@grafana.invalid'
 GROUP BY 1, 2, 3
 UNION ALL
SELECT NULL, email, name, true
  FROM grants
  JOIN accounts USING (account_id)
 WHERE role = 'supervisor'
   AND disabled_at IS NULL
   AND email NOT LIKE '%@grafana.invalid'
 GROUP BY 2, 3
 ORDER BY 1 NULLS FIRST, 2
"""


async def members(connection: asyncpg.Connection) -> list[Member]:
    """Return who may look at what."""
    return [Member(*record) for record in await connection.fetch(SELECT_MEMBERS)]


SELECT_EMAILS: Final = """
SELECT email FROM accounts
"""


async def emails(connection: asyncpg.Connection) -> frozenset[str]:
    """Return the address of every account, disabled or not."""
    return frozenset(record["email"] for record in await connection.fetch(SELECT_EMAILS))
