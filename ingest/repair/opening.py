"""From settings to an archive that can be read, whatever its kind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp

from ingest.repair.archive import Archive, ArchiveUnavailableError
from ingest.repair.chirpstack_log import ChirpstackLog
from ingest.repair.things_stack import ThingsStackStorage
from ingest.settings import RepairSettings
from store.event_log import connect_event_log
from store.pool import TRANSIENT


@asynccontextmanager
async def open_archive(
    settings: RepairSettings,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
    max_message_bytes: int,
) -> AsyncIterator[Archive]:
    """Give the archive of these settings for as long as it is used.

    Raises ConfigurationError when access is refused, ArchiveUnavailableError when it does not answer.
    """
    if settings.kind == "things-stack":
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield ThingsStackStorage(settings, session=session, sleep=sleep, max_message_bytes=max_message_bytes)
        return
    try:
        connection = await connect_event_log(settings.dsn.get_secret_value(), application="samara-repair")
    except TRANSIENT as error:
        raise ArchiveUnavailableError(f"ChirpStack's database: {error or type(error).__name__}") from error
    try:
        yield ChirpstackLog(connection, clock=clock)
    finally:
        await connection.close(timeout=5)
