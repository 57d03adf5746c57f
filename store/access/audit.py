"""The audit log: who did what. Applications add to it and change nothing of it; each entry seals the one before."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import SamaraError
from store.reading.pages import Page, page_of


class Entry(NamedTuple):
    """One entry. `detail` is JSON; `digest` is SHA-256 of the digest before and of this entry."""

    entry_id: int
    at: datetime
    account_id: int | None
    actor: str
    action: str
    tenant_id: int | None
    object: str
    detail: str
    digest: bytes


SELECT_APPENDED: Final = """
SELECT audit_append($1, $2, $3, $4, $5, $6)
"""


async def append(
    connection: asyncpg.Connection,
    action: str,
    *,
    actor: str,
    account_id: int | None = None,
    tenant_id: int | None = None,
    subject: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Add an entry, in the transaction that does what it tells. `action` is a word and a verb: `grant.given`."""
    text = json.dumps(detail or {}, ensure_ascii=False, sort_keys=True)
    await connection.fetchval(SELECT_APPENDED, account_id, actor, action, tenant_id, subject, text)


SELECT_APPENDED_OWN: Final = """
SELECT audit_own($1, $2, $3, $4) WHERE NOT $5::boolean OR coalesce(current_setting('samara.audited', true), '') = ''
"""


async def append_own(
    connection: asyncpg.Connection,
    action: str,
    *,
    tenant_id: int | None = None,
    subject: str = "",
    detail: Mapping[str, object] | None = None,
    unless_told: bool = False,
) -> None:
    """Add an entry of whoever reads on this connection (see `bearer.enter`): the database knows who it is.

    With `unless_told` none is added when this transaction has one already.
    """
    text = json.dumps(detail or {}, ensure_ascii=False, sort_keys=True)
    await connection.fetchval(SELECT_APPENDED_OWN, action, tenant_id, subject, text, unless_told)


SELECT_ENTRIES: Final = """
SELECT entry_id, at, account_id, actor, action, tenant_id, object, detail, digest
  FROM audit
 ORDER BY entry_id
"""


async def entries(connection: asyncpg.Connection) -> AsyncIterator[Entry]:
    """Yield every entry, oldest first, in constant memory."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for row in connection.cursor(SELECT_ENTRIES, prefetch=1000):
            yield Entry(*row)


SELECT_NEWEST: Final = """
SELECT entry_id, at, account_id, actor, action, tenant_id, object, detail, digest
  FROM audit
 WHERE ($1::integer IS NULL OR tenant_id = $1)
   AND ($2::text IS NULL OR starts_with(action, $2))
   AND ($3::timestamptz IS NULL OR at >= $3)
   AND ($4::timestamptz IS NULL OR at < $4)
   AND entry_id < $5
 ORDER BY entry_id DESC
 LIMIT $6
"""


class Chosen(NamedTuple):
    """Which entries: of a tenant (None: all that one may read), of actions that begin so, between two moments."""

    tenant_id: int | None
    action: str | None
    since: datetime | None
    until: datetime | None


async def newest(connection: asyncpg.Connection, chosen: Chosen, *, before: int | None, limit: int) -> Page[Entry]:
    """Return entries, the newest first; `before` is the id of the last of the page before."""
    rows = await connection.fetch(SELECT_NEWEST, *chosen, 2**62 if before is None else before, limit + 1)
    found = [Entry(*row) for row in rows]
    return page_of(found, [one.entry_id for one in found], limit)


async def chosen_entries(connection: asyncpg.Connection, chosen: Chosen) -> AsyncIterator[Entry]:
    """Yield the same, all of them, in constant memory. The connection is in a transaction."""
    async for row in connection.cursor(SELECT_NEWEST, *chosen, 2**62, None, prefetch=1000):
        yield Entry(*row)


def sealed(previous: bytes, entry: Entry) -> bytes:
    """Return the digest that an entry must have after `previous`, as store/migrations computes it (`audit_line`)."""
    parts = (
        entry.entry_id,
        entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "" if entry.account_id is None else entry.account_id,
        entry.actor,
        entry.action,
        "" if entry.tenant_id is None else entry.tenant_id,
        entry.object,
        entry.detail,
    )
    return hashlib.sha256(previous + "\x1f".join(map(str, parts)).encode()).digest()


class TamperedError(SamaraError):
    """The audit log is not what was written; whoever owns the database's tables alone can have changed it."""


async def verified(found: AsyncIterator[Entry], head: str = "") -> Entry | None:
    """Return the last entry of a log that is whole, None of an empty one. Raises TamperedError.

    `head` is NUMBER:DIGEST of an entry that was noted elsewhere: without one, a log that was cut at its end, or written
    anew from its beginning, looks whole.
    """
    previous: Entry | None = None
    noted = not head
    async for entry in found:
        wrong = fault(previous, entry)
        if wrong:
            raise TamperedError(wrong)
        noted = noted or head == head_of(entry)
        previous = entry
    if not noted:
        raise TamperedError(f"entry {head} is not there: the log was written anew, or cut before it")
    return previous


def head_of(entry: Entry) -> str:
    """Return NUMBER:DIGEST of an entry, to note elsewhere."""
    return f"{entry.entry_id}:{entry.digest.hex()}"


def fault(previous: Entry | None, entry: Entry) -> str:
    """Say what is wrong with an entry that follows another (None: that is the first); '' when nothing is."""
    expected = 1 if previous is None else previous.entry_id + 1
    if entry.entry_id != expected:
        return f"entry {expected} is missing: {entry.entry_id} follows"
    if entry.digest != sealed(b"" if previous is None else previous.digest, entry):
        return f"entry {entry.entry_id} is not what was written, or follows another than was written"
    return ""
