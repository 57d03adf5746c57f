"""ChirpStack v4's own PostgreSQL event log, given again as the JSON that it publishes.

Source: `event_up` of `store.event_log`; the JSON is that of integration.proto's UplinkEvent, as captures show it.
Columns hold what was published, but for the region, a relay's figures, the device class and a join server's context,
which no table keeps. The time has microseconds there, cut as ours is. `object` is null without a codec, and then
absent from the message.
"""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from ingest.repair.archive import Archived, ArchiveUnavailableError, Window
from store.event_log import EventUp, Wanted, uplinks_of
from store.pool import TRANSIENT


class ChirpstackLog:
    """The archive of one ChirpStack, over a connection of `store.event_log`."""

    def __init__(self, connection: asyncpg.Connection, *, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock

    async def read(self, windows: Sequence[Window]) -> AsyncGenerator[Archived, None]:
        """Yield each row once: see `ingest.repair.archive.Archive.read`."""
        wanted = [Wanted(*window) for window in windows]
        try:
            async with aclosing(uplinks_of(self._connection, wanted, now=self._clock())) as rows:
                async for row in rows:
                    yield archived(row)
        except TRANSIENT as error:
            raise ArchiveUnavailableError(f"ChirpStack's database: {error or type(error).__name__}") from error


def archived(row: EventUp) -> Archived:
    """Return the row as the message on `event/up` that it was."""
    body = msgspec.json.encode(_message(row))
    return Archived(f"application/{row.application_id}/device/{row.dev_eui}/event/up", body, len(body))


def _message(row: EventUp) -> dict[str, Any]:
    decoded = {} if row.object == "null" else {"object": msgspec.Raw(row.object.encode())}
    return {
        "deduplicationId": row.deduplication_id,
        "time": row.time,
        "deviceInfo": {
            "tenantId": row.tenant_id,
            "tenantName": row.tenant_name,
            "applicationId": row.application_id,
            "applicationName": row.application_name,
            "deviceProfileId": row.device_profile_id,
            "deviceProfileName": row.device_profile_name,
            "deviceName": row.device_name,
            "devEui": row.dev_eui,
            "tags": msgspec.Raw(row.tags.encode()),
        },
        "devAddr": row.dev_addr,
        "adr": row.adr,
        "dr": row.dr,
        "fCnt": row.f_cnt,
        "fPort": row.f_port,
        "confirmed": row.confirmed,
        "data": b64encode(row.data).decode(),
        **decoded,
        "rxInfo": msgspec.Raw(row.rx_info.encode()),
        "txInfo": msgspec.Raw(row.tx_info.encode()),
    }
