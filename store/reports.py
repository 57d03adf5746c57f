"""To whom monthly reports go, and which went: claimed before they are sent, so that one of several workers sends."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from store.reading.pages import Reader

SELECT_RECIPIENTS: Final = """
SELECT email FROM report_recipients WHERE tenant_id = $1 ORDER BY email
"""


async def recipients(reader: Reader, tenant_id: int) -> list[str]:
    """Return the addresses; none for who may not manage the tenant."""
    return [row["email"] for row in await reader.fetch(SELECT_RECIPIENTS, tenant_id)]


DELETE_RECIPIENTS: Final = """
DELETE FROM report_recipients WHERE tenant_id = $1 AND email <> ALL ($2::text[])
"""

INSERT_RECIPIENTS: Final = """
INSERT INTO report_recipients (tenant_id, email)
SELECT $1, email FROM unnest($2::text[]) AS email
ON CONFLICT DO NOTHING
"""


async def set_recipients(connection: asyncpg.Connection, tenant_id: int, emails: Collection[str]) -> None:
    """Let these receive the reports from now on, and nobody else."""
    await connection.execute(DELETE_RECIPIENTS, tenant_id, list(emails))
    await connection.execute(INSERT_RECIPIENTS, tenant_id, list(emails))


class Claimed(NamedTuple):
    """A report to send: whose, to whom."""

    tenant_id: int
    email: str


# What was claimed and never sent is claimed again after a while: its worker died. A mail of the same report has the
# same Message-ID, so that a mailbox shows it once.
CLAIM: Final = """
INSERT INTO report_mails AS known (tenant_id, month, email, claimed_at)
SELECT tenant_id, $1, email, $2 FROM report_recipients ORDER BY tenant_id, email
ON CONFLICT (tenant_id, month, email) DO UPDATE SET claimed_at = excluded.claimed_at
 WHERE known.sent_at IS NULL
   AND known.claimed_at < excluded.claimed_at - interval '15 minutes'
RETURNING tenant_id, email
"""


async def claim(connection: asyncpg.Connection, month: date, now: datetime) -> list[Claimed]:
    """Take the reports of a month that nobody sent, or is sending."""
    return [Claimed(*row) for row in await connection.fetch(CLAIM, month, now)]


MARK_SENT: Final = """
UPDATE report_mails SET sent_at = $4 WHERE tenant_id = $1 AND month = $2 AND email = $3
"""


async def mark_sent(connection: asyncpg.Connection, claimed: Claimed, month: date, now: datetime) -> None:
    """Note that a report went."""
    await connection.execute(MARK_SENT, claimed.tenant_id, month, claimed.email, now)
