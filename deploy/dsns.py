"""As whom each process speaks to the database, and how these roles get their passwords."""

import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import asyncpg
from pydantic import SecretStr

from deploy.embedded.postgres import role_dsn, role_password
from deploy.settings import Settings
from domain.errors import ConfigurationError
from store.access.roles import ACCOUNTS, ALERTING, API, INGEST, MIN_PASSWORD_LENGTH, PROVISIONING, ROLES, let_in
from store.pool import connect

_LOCK: Final = 0x53414D524F4C  # "SAMROL": one at a time


class Dsns(NamedTuple):
    """The database's address for its owner (migration, maintenance, commands) and for each role; '' where none is."""

    owner: str
    ingest: str
    api: str
    accounts: str
    alerting: str
    provisioning: str


def of_settings(settings: Settings, owner: str) -> Dsns:
    """Return the addresses; `owner` is that of the database in use, embedded unless the settings name one."""
    if not settings.database.address:
        return Dsns(owner, *(role_dsn(owner, role) for role in (INGEST, API, ACCOUNTS, ALERTING, PROVISIONING)))
    given = settings.database
    secret = SecretStr.get_secret_value
    return Dsns(
        owner,
        secret(given.ingest_dsn) or owner,
        secret(given.api_dsn),
        secret(given.accounts_dsn),
        secret(given.alerting_dsn) or owner,
        secret(given.provisioning_dsn) or owner,
    )


def passwords(settings: Settings, owner: str) -> dict[str, str]:
    """Return the password of each role that has one. Raises ConfigurationError for one that is easily guessed."""
    if not settings.database.address:
        return {role: role_password(owner, role) for role in ROLES}
    found = {}
    for key in ("ingest_dsn", "api_dsn", "accounts_dsn", "alerting_dsn", "provisioning_dsn"):
        address = urlsplit(getattr(settings.database, key).get_secret_value())
        role = f"samara_{key.removesuffix('_dsn')}"
        if address.username == role and address.password:
            if len(address.password) < MIN_PASSWORD_LENGTH:
                raise ConfigurationError(f"database.{key}: a password has {MIN_PASSWORD_LENGTH} characters at least")
            found[role] = unquote(address.password)
    return found


async def let_roles_in(owner: str, wanted: Mapping[str, str]) -> None:
    """Give the roles their passwords. Raises ConfigurationError when the owner may not."""
    connection = await connect(owner, application="samara-roles")
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1::bigint)", _LOCK)
            for role, password in wanted.items():
                await let_in(connection, role, password, secrets.token_bytes(16))
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"database: {error}. As a superuser: ALTER ROLE {', '.join(wanted)} LOGIN PASSWORD …, as in the settings"
        ) from None
    finally:
        await connection.close()
