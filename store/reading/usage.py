"""What tenants used, month by month, as maintenance reckoned it."""

from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from store.reading.pages import Reader


class Usage(NamedTuple):
    """What one tenant used in one month (its first day). `disk_bytes` is None until there is something to go by."""

    month: date
    tenant_id: int
    slug: str
    name: str
    insee: str | None
    siren: str | None
    devices: int
    uplinks: int
    measurements: int
    disk_bytes: int | None
    emails: int
    sms: int
    sms_segments: int
    exports: int
    reckoned_at: datetime


class After(NamedTuple):
    """Where a page begins: with what follows this month and tenant."""

    month: date
    tenant_id: int


BEGINNING: Final = After(date.min, 0)

SELECT_USAGE: Final = """
SELECT month, tenant_id, slug, name, insee, siren, devices, uplinks, measurements, disk_bytes, emails, sms,
       sms_segments, exports, reckoned_at
  FROM usage
  JOIN tenants USING (tenant_id)
 WHERE ($1::integer IS NULL OR tenant_id = $1)
   AND month BETWEEN $2 AND $3
   AND (month, tenant_id) > ($4, $5)
 ORDER BY month, tenant_id
 LIMIT $6
"""


async def usage(
    reader: Reader,
    tenant_id: int | None,
    *,
    first: date,
    last: date,
    after: After = BEGINNING,
    limit: int | None = None,
) -> list[Usage]:
    """Return the months from `first` to `last`, both included, of one tenant or of all (None), no more than `limit`."""
    return [Usage(*row) for row in await reader.fetch(SELECT_USAGE, tenant_id, first, last, *after, limit)]


SELECT_COUNTED: Final = """
SELECT count_export($1, $2, $3, $4)
"""


async def count_export(
    connection: asyncpg.Connection, tenant_id: int, form: str, measurements: int, sent_at: datetime
) -> None:
    """Note that a file was sent whole, to whoever asks."""
    await connection.execute(SELECT_COUNTED, tenant_id, form, measurements, sent_at)
