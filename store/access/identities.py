"""Accounts at identity providers: the pair of issuer and subject says who it is, and nothing else does."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from domain.errors import SamaraError
from store.reading.pages import Reader


class TakenError(SamaraError):
    """This identity is that of another account."""


class Attempt(NamedTuple):
    """A sign-in that went to a provider: where it leads, whose account it binds, which invitation it accepts."""

    following: str
    account_id: int | None
    link: bytes | None


class Known(NamedTuple):
    """The account of an identity."""

    account_id: int
    email: str


class Identity(NamedTuple):
    """One identity of an account."""

    issuer: str
    created_at: datetime


INSERT_ATTEMPT: Final = """
INSERT INTO oidc_attempts (digest, provider, following, account_id, link, expires_at)
VALUES (sha256($1), $2, $3, $4, $5, now() + $6)
"""


async def begin(
    connection: asyncpg.Connection, bearer: bytes, provider: str, attempt: Attempt, valid: timedelta
) -> None:
    """Keep what an answer of the provider will be met with."""
    await connection.execute(
        INSERT_ATTEMPT, bearer, provider, attempt.following, attempt.account_id, attempt.link, valid
    )


DELETE_ATTEMPT: Final = """
DELETE FROM oidc_attempts WHERE digest = sha256($1) AND provider = $2 AND expires_at > now()
RETURNING following, account_id, link
"""


async def take(connection: asyncpg.Connection, bearer: bytes, provider: str) -> Attempt | None:
    """Return what was begun with this provider, once; None when nothing was, or it is too long ago."""
    row = await connection.fetchrow(DELETE_ATTEMPT, bearer, provider)
    return None if row is None else Attempt(*row)


SELECT_KNOWN: Final = """
SELECT account_id, email
  FROM identities
  JOIN accounts USING (account_id)
 WHERE issuer = $1
   AND subject = $2
   AND disabled_at IS NULL
"""


async def known(reader: Reader, issuer: str, subject: str) -> Known | None:
    """Return whose identity this is; None when it is nobody's, or of an account that is disabled."""
    row = await reader.fetchrow(SELECT_KNOWN, issuer, subject)
    return None if row is None else Known(*row)


INSERT_IDENTITY: Final = """
INSERT INTO identities AS bound (issuer, subject, account_id) VALUES ($1, $2, $3)
ON CONFLICT (issuer, subject) DO UPDATE SET account_id = bound.account_id
RETURNING account_id
"""


async def bind(connection: asyncpg.Connection, issuer: str, subject: str, account_id: int) -> None:
    """Let this identity open the account. Raises TakenError when it opens another."""
    if await connection.fetchval(INSERT_IDENTITY, issuer, subject, account_id) != account_id:
        raise TakenError


SELECT_IDENTITIES: Final = """
SELECT issuer, created_at FROM identities WHERE account_id = $1 ORDER BY issuer
"""


async def identities_of(reader: Reader, account_id: int) -> list[Identity]:
    """Return the identities of an account."""
    return [Identity(*row) for row in await reader.fetch(SELECT_IDENTITIES, account_id)]


DELETE_IDENTITIES: Final = """
DELETE FROM identities WHERE account_id = $1 AND issuer = $2 RETURNING subject
"""


async def unbind(connection: asyncpg.Connection, account_id: int, issuer: str) -> bool:
    """Let identities of this issuer open the account no more; say whether there was one."""
    return bool(await connection.fetch(DELETE_IDENTITIES, account_id, issuer))


DELETE_OLD_ATTEMPTS: Final = """
DELETE FROM oidc_attempts WHERE expires_at < now()
"""

DELETE_OLD_LINKS: Final = """
DELETE FROM links WHERE expires_at < now() - interval '30 days'
"""


async def forget_old(connection: asyncpg.Connection) -> None:
    """Remove what was begun and never ended, and links that opened their last door a month ago."""
    await connection.execute(DELETE_OLD_ATTEMPTS)
    await connection.execute(DELETE_OLD_LINKS)
