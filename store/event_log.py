"""What ChirpStack v4 keeps of its uplinks when its integration "postgresql" is on: its table `event_up`.

Source: chirpstack/src/integration/postgresql/migrations of ChirpStack 4, "00000000000000_initial". It is
ChirpStack's database, not ours: it is read, in a read-only transaction, and nothing is assumed of it but this table.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import ConfigurationError
from domain.times import EARLIEST, FUTURE_TOLERANCE
from store.pool import session

_CONNECT_TIMEOUT_S: Final = 10.0
_STATEMENT_TIMEOUT_S: Final = 3600  # without an index by device and time, ChirpStack's table is read whole
_AT_ONCE: Final = 200

_NO_ACCESS: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
)
_NO_TABLE: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)


class Wanted(NamedTuple):
    """Uplinks of one device between two moments, both left out."""

    dev_eui: str
    after: datetime
    before: datetime


class EventUp(NamedTuple):
    """A row of `event_up`, by its columns. What is jsonb is JSON text; `time` is ISO 8601, in UTC, "" if infinite."""

    deduplication_id: str
    time: str
    tenant_id: str
    tenant_name: str
    application_id: str
    application_name: str
    device_profile_id: str
    device_profile_name: str
    device_name: str
    dev_eui: str
    tags: str
    dev_addr: str
    adr: bool
    dr: int
    f_cnt: int
    f_port: int
    confirmed: bool
    data: bytes
    object: str
    rx_info: str
    tx_info: str


# A gateway whose clock is wrong gave its time to the row: such rows of these devices are read too, and what reads
# the message finds the right time in it.
SELECT_EVENTS_UP: Final = """
-- The schema is ChirpStack's.
SELECT deduplication_id::text,
       CASE WHEN isfinite(time) THEN to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
            ELSE '' END,
       tenant_id::text, tenant_name, application_id::text, application_name, device_profile_id::text,
       device_profile_name, device_name, dev_eui::text, tags::text, dev_addr::text, adr, dr, f_cnt, f_port, confirmed,
       data, object::text, rx_info::text, tx_info::text
  FROM event_up
 WHERE EXISTS (SELECT
                 FROM unnest($1::character(16)[], $2::timestamptz[], $3::timestamptz[]) AS gap (dev_eui, after, before)
                WHERE gap.dev_eui = event_up.dev_eui
                  AND (event_up.time > gap.after AND event_up.time < gap.before
                       OR event_up.time NOT BETWEEN $4 AND $5))
"""


async def connect_event_log(dsn: str, *, application: str) -> asyncpg.Connection:
    """Return a connection to ChirpStack's integration database.

    Raises ConfigurationError when the DSN is wrong or access is refused, else what asyncpg raises when the server is
    away.
    """
    try:
        return await asyncpg.connect(
            dsn,
            timeout=_CONNECT_TIMEOUT_S,
            server_settings=session(
                application, default_transaction_read_only="on", statement_timeout=f"{_STATEMENT_TIMEOUT_S}s"
            ),
        )
    except _NO_ACCESS as error:
        raise ConfigurationError(f"ChirpStack's database lets us not in: {error}") from None


async def uplinks_of(
    connection: asyncpg.Connection, wanted: Sequence[Wanted], *, now: datetime
) -> AsyncGenerator[EventUp, None]:
    """Yield the rows of these gaps, once each, in no order, a few hundred in memory at a time.

    Raises ConfigurationError when the table is not ChirpStack's or may not be read, else what asyncpg raises.
    """
    if not wanted:
        return
    arguments = (*map(list, zip(*wanted, strict=True)), EARLIEST, now + FUTURE_TOLERANCE)
    try:
        async with connection.transaction(readonly=True):
            async for record in connection.cursor(SELECT_EVENTS_UP, *arguments, prefetch=_AT_ONCE):
                yield EventUp(*record)
    except _NO_TABLE as error:
        raise ConfigurationError(
            f"{error}: give the database that [integration.postgresql] of chirpstack.toml names"
        ) from None
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(f"{error}: GRANT SELECT ON event_up") from None
