"""What became of each day's messages, tenant by tenant: from the air to the table, and it adds up.

sent by the sensors = lost by radio + heard
received            = stored + duplicate + quarantined + ignored
uplinks stored      = heard + repeated, once the day is settled (docs/decisions/0005-derived-not-counted.md)
"""

from datetime import date
from typing import Final, NamedTuple

from store.reading.pages import Reader


class DayAccount(NamedTuple):
    """One UTC day of one tenant. `tenant` is its slug, None for messages of nobody known.

    Messages are of all kinds; `uplinks` is how many of those stored were uplinks. What follows comes from the frame
    counters: frames heard, lost by radio, late, repeated, and sessions begun.
    """

    day: date
    tenant: str | None
    received: int
    stored: int
    duplicate: int
    quarantined: int
    ignored: int
    uplinks: int
    heard: int
    lost_by_radio: int
    late: int
    repeated: int
    resets: int


SELECT_DAYS: Final = """
WITH messages AS (
  SELECT day, tenant_id,
         sum(messages) AS received,
         sum(messages) FILTER (WHERE outcome = 'stored') AS stored,
         sum(messages) FILTER (WHERE outcome = 'duplicate') AS duplicate,
         sum(messages) FILTER (WHERE outcome = 'quarantined') AS quarantined,
         sum(messages) FILTER (WHERE outcome = 'ignored') AS ignored,
         sum(messages) FILTER (WHERE outcome = 'stored' AND kind = 'uplink') AS uplinks
    FROM ingest_accounts
   WHERE day BETWEEN $1 AND $2
   GROUP BY day, tenant_id
), radio AS (
  SELECT day, tenant_id, sum(heard) AS heard, sum(lost) AS lost, sum(late) AS late, sum(repeated) AS repeated,
         sum(resets) AS resets
    FROM radio_accounts JOIN devices USING (device_id)
   WHERE day BETWEEN $1 AND $2
   GROUP BY day, tenant_id
)
SELECT messages.day, tenants.slug,
       coalesce(received, 0)::bigint, coalesce(stored, 0)::bigint, coalesce(duplicate, 0)::bigint,
       coalesce(quarantined, 0)::bigint, coalesce(ignored, 0)::bigint, coalesce(uplinks, 0)::bigint,
       coalesce(heard, 0)::bigint, coalesce(lost, 0)::bigint, coalesce(late, 0)::bigint,
       coalesce(repeated, 0)::bigint, coalesce(resets, 0)::bigint
  FROM messages
  LEFT JOIN radio ON radio.day = messages.day AND radio.tenant_id = messages.tenant_id
  LEFT JOIN tenants ON tenants.tenant_id = messages.tenant_id
 ORDER BY messages.day, tenants.slug NULLS LAST
"""


async def day_accounts(reader: Reader, first: date, last: date) -> list[DayAccount]:
    """Return the accounts of the UTC days from `first` to `last`, both included."""
    return [DayAccount(*record) for record in await reader.fetch(SELECT_DAYS, first, last)]
