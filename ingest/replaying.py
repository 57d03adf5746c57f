"""Send what is in quarantine down the path again: after a device was declared, a parser or a range mended."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from decoders.registry import Registry
from ingest import lns
from ingest.codecs import Codecs
from ingest.messages import Message, Origin
from ingest.runner import load_known
from ingest.writer import Writer
from store.known import Known
from store.pool import connect
from store.quarantine import Quarantined, note_replayed
from store.writing import Written

_WORKER = "replay"


class Replayed(NamedTuple):
    """What became of one message: None when only its beginning was kept, so that it cannot be replayed."""

    one: Quarantined
    written: Written | None


async def replay(dsn: str, chosen: Sequence[Quarantined], *, clock: Callable[[], datetime]) -> AsyncIterator[Replayed]:
    """Store each message again, one transaction each, and yield what became of it.

    A message whose uplink is stored already gets the measurements that it lacked. What is refused again stays
    in quarantine. Raises StoreUnavailableError.
    """
    known, registry, codecs = Known(), Registry.load(), Codecs()
    connection = await connect(dsn, application="samara-quarantine-replay")

    async def open_connection() -> asyncpg.Connection:
        return await connect(dsn, application="samara-quarantine-replay-writer")

    writer = Writer(
        open_connection,
        known=known,
        servers=lns.load(),
        registry=registry,
        codecs=codecs,
        clock=clock,
        worker=_WORKER,
        complete_duplicates=True,
    )
    try:
        await load_known(connection, known, registry, [])
        for one in chosen:
            if not one.is_whole:
                yield Replayed(one, None)
                continue
            started_at = clock()
            written = await writer.store([_message(one)])
            counted = written.stored + written.duplicates + written.quarantined
            await note_replayed(connection, one, started_at=started_at, counted=counted)
            yield Replayed(one, written)
    finally:
        writer.close()
        await codecs.__aexit__()
        await connection.close()


def _message(one: Quarantined) -> Message:
    return Message(Origin(one.source, one.lns, _nobody), 0, one.topic, one.message, one.message_bytes, one.first_at)


def _nobody(_tokens: Sequence[int]) -> None:
    """Acknowledge nobody."""
