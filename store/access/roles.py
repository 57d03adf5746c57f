"""The database's own roles: what each process connects as. `store/migrations/` makes them and says what each may do."""

import base64
import hashlib
import hmac
from typing import Final, NamedTuple

import asyncpg

INGEST: Final = "samara_ingest"
API: Final = "samara_api"
ACCOUNTS: Final = "samara_accounts"  # lets people in; the API uses it beside its own
ALERTING: Final = "samara_alerting"
PROVISIONING: Final = "samara_provisioning"
GRAFANA: Final = "samara_grafana"

ROLES: Final = (INGEST, API, ACCOUNTS, ALERTING, PROVISIONING, GRAFANA)
MIN_PASSWORD_LENGTH: Final = 16

_ITERATIONS: Final = 4096  # PostgreSQL's own


def verifier(password: str, salt: bytes) -> str:
    """Return what PostgreSQL keeps of a password (RFC 5802, RFC 7677): the password itself never reaches its log.

    `salt` is 16 random bytes.
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *parts)


async def let_in(connection: asyncpg.Connection, role: str, password: str, salt: bytes) -> None:
    """Let a role connect with this password. Raises asyncpg.InsufficientPrivilegeError without CREATEROLE."""
    if role not in ROLES:
        raise ValueError(f"{role!r} is not one of {', '.join(ROLES)}")
    await connection.execute(f"ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{verifier(password, salt)}'")


class Standing(NamedTuple):
    """What the server says of whoever is connected: the role, and whether row security means anything to it."""

    role: str
    bypasses: bool
    owns: bool


SELECT_STANDING: Final = """
SELECT current_user,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
       EXISTS (SELECT FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relname = 'measurements'
                  AND pg_has_role(relowner, 'MEMBER'))
"""


async def standing(reader: asyncpg.Connection | asyncpg.Pool) -> Standing:
    """Return what the role of this connection is to the database's rules."""
    row = await reader.fetchrow(SELECT_STANDING)
    assert row is not None
    return Standing(*row)
