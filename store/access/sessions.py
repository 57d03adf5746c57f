"""Sessions of the browser: opened once somebody has shown who they are, ended by them, by time, or by somebody else."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from store.reading.pages import Reader


class Session(NamedTuple):
    """One session of an account. `seen_at` is exact to a minute."""

    session_id: int
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    user_agent: str


class Lifetime(NamedTuple):
    """How long a session lasts when nothing comes (`idle`), and in all."""

    idle: timedelta
    whole: timedelta


INSERT_SESSION: Final = """
INSERT INTO sessions (digest, account_id, is_pending, idle, expires_at, user_agent)
VALUES (sha256($1), $2, $3, $4, now() + $5, $6)
RETURNING session_id
"""


async def open_session(
    connection: asyncpg.Connection,
    bearer: bytes,
    account_id: int,
    lifetime: Lifetime,
    *,
    is_pending: bool = False,
    user_agent: str = "",
) -> int:
    """Open a session and return its id. `is_pending`: it opens nothing until a second factor was shown."""
    session_id: int = await connection.fetchval(
        INSERT_SESSION, bearer, account_id, is_pending, lifetime.idle, lifetime.whole, user_agent[:200]
    )
    return session_id


SELECT_PENDING: Final = """
SELECT account_id
  FROM sessions
  JOIN accounts USING (account_id)
 WHERE digest = sha256($1)
   AND is_pending
   AND expires_at > now()
   AND disabled_at IS NULL
"""


async def pending_account(connection: asyncpg.Connection, bearer: bytes) -> int | None:
    """Return whose pending session this is, None if it is none."""
    account_id: int | None = await connection.fetchval(SELECT_PENDING, bearer)
    return account_id


DELETE_SESSION: Final = """
DELETE FROM sessions WHERE digest = sha256($1) RETURNING account_id
"""


async def end_session(connection: asyncpg.Connection, bearer: bytes) -> int | None:
    """End this session, pending or not; return whose it was."""
    account_id: int | None = await connection.fetchval(DELETE_SESSION, bearer)
    return account_id


DELETE_SESSION_BY_ID: Final = """
DELETE FROM sessions WHERE account_id = $1 AND session_id = $2 RETURNING session_id
"""


async def end_session_by_id(connection: asyncpg.Connection, account_id: int, session_id: int) -> bool:
    """End one session of an account; say whether there was one."""
    return await connection.fetchval(DELETE_SESSION_BY_ID, account_id, session_id) is not None


DELETE_OTHER_SESSIONS: Final = """
DELETE FROM sessions WHERE account_id = $1 AND session_id IS DISTINCT FROM $2 RETURNING session_id
"""


async def end_sessions_of(connection: asyncpg.Connection, account_id: int, *, but: int | None = None) -> int:
    """End all sessions of an account but one; return how many there were."""
    return len(await connection.fetch(DELETE_OTHER_SESSIONS, account_id, but))


UPDATE_SEEN: Final = """
UPDATE sessions SET seen_at = now() WHERE session_id = $1 AND NOT is_pending
"""


async def touch(reader: Reader, session_id: int) -> None:
    """Note that the session is used."""
    await reader.execute(UPDATE_SEEN, session_id)


SELECT_SESSIONS: Final = """
SELECT session_id, opened_at, seen_at, expires_at, user_agent
  FROM sessions
 WHERE account_id = $1
   AND NOT is_pending
   AND expires_at > now()
   AND seen_at + idle > now()
 ORDER BY seen_at DESC
"""


async def sessions_of(reader: Reader, account_id: int) -> list[Session]:
    """Return the sessions of an account that are open, the last used first."""
    return [Session(*row) for row in await reader.fetch(SELECT_SESSIONS, account_id)]


SELECT_FRESH: Final = """
SELECT opened_at > now() - $2::interval FROM sessions WHERE session_id = $1
"""


async def is_fresh(reader: Reader, session_id: int, within: timedelta) -> bool:
    """Say whether somebody showed who they are to open this session, no longer ago than that."""
    return bool(await reader.fetchval(SELECT_FRESH, session_id, within))


DELETE_ENDED: Final = """
DELETE FROM sessions WHERE expires_at < now() OR seen_at + idle < now()
"""


async def forget_ended(connection: asyncpg.Connection) -> None:
    """Remove the sessions that time has ended."""
    await connection.execute(DELETE_ENDED)
