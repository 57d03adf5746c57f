"""The answers of writes that bore an Idempotency-Key, for a day."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

KEPT: Final = timedelta(hours=24)


class Key(NamedTuple):
    """Who sent which key, and a digest of the request that it stands for."""

    account: str
    key: str
    digest: bytes


class Answer(NamedTuple):
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Kept(NamedTuple):
    """The answer of the first time, and the digest of what was asked then."""

    digest: bytes
    answer: Answer


# A key that another transaction holds is waited for; one that is older than a day is as good as new.
INSERT_KEY: Final = """
INSERT INTO idempotency_keys AS kept (account, key, digest, asked_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (account, key) DO UPDATE
   SET digest = excluded.digest, asked_at = excluded.asked_at
 WHERE kept.asked_at <= $5
RETURNING true
"""

SELECT_ANSWER: Final = """
SELECT digest, status, headers, body FROM idempotency_keys WHERE account = $1 AND key = $2
"""


async def claim(connection: asyncpg.Connection, key: Key, now: datetime) -> Kept | None:
    """Return what was kept under the key; None when it is new: then it is taken, if the transaction commits."""
    if await connection.fetchval(INSERT_KEY, *key, now, now - KEPT):
        return None
    row = await connection.fetchrow(SELECT_ANSWER, key.account, key.key)
    assert row is not None
    return Kept(row["digest"], Answer(row["status"], json.loads(row["headers"]), row["body"]))


UPDATE_ANSWER: Final = """
UPDATE idempotency_keys SET status = $3, headers = $4, body = $5 WHERE account = $1 AND key = $2
"""


async def keep(connection: asyncpg.Connection, key: Key, answer: Answer) -> None:
    """Keep the answer with the key, in the transaction that claimed it."""
    headers = json.dumps(dict(answer.headers))
    await connection.execute(UPDATE_ANSWER, key.account, key.key, answer.status, headers, answer.body)


DELETE_OLD: Final = """
DELETE FROM idempotency_keys WHERE asked_at <= $1
"""


async def forget(connection: asyncpg.Connection, now: datetime) -> None:
    """Delete the keys that are older than a day."""
    await connection.execute(DELETE_OLD, now - KEPT)
