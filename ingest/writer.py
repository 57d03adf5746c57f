"""Store messages: understand them, write one transaction, and know what a failure means.

A failure is one of two: the store is unavailable (the messages go elsewhere, or wait), or one message is poison
to it (it is found by halving, and set aside; its neighbours are stored).
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from decoders.registry import Registry
from domain.errors import StoreUnavailableError
from ingest import batching, understanding
from ingest.codecs import NOT_BY_CODEC, Codecs
from ingest.lns import NetworkServer
from ingest.messages import Message
from ingest.neighbours import Neighbours
from ingest.tracing import UNTRACED, Tracing
from ingest.understanding import Read
from store import known as known_names
from store.batch import Batch
from store.changes import Changes
from store.known import Known
from store.neighbours import learn_elsewhere
from store.packing import Packed
from store.pool import TRANSIENT, end_sessions
from store.staging import prepare_connection
from store.writing import CommitUnknownError, Written, committed, write

log = structlog.get_logger()

# What one message can do to the store, or, through a defect of ours, to what understands it.
_POISON: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,  # a number too large for its column
)
_ASK_AGAIN_S: Final = 0.2
PART: Final = 40  # messages: what is made of so many stays in the processor's cache, and others wait 1 ms at most
_PART_WITH_CODECS: Final = 2_000  # messages: their workers are best asked for many at once
_CODECS_WITHIN_S: Final = 2.0  # what a batch waits for scripts; what they have not decoded by then is stored undecoded
_MISSED_FOR_S: Final = 30.0  # an undeclared DevEUI is looked up again after this, or when it is declared

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Writer:
    """One connection, used by one batch at a time; reconnects by itself.

    `given_up` is shared by the writers of a process: sessions that one dropped, and that the server may still hold
    open with their locks when the network was cut. Whichever writer comes next ends them. So is `changes`.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        known: Known,
        servers: Mapping[str, NetworkServer],
        registry: Registry,
        codecs: Codecs,
        clock: Callable[[], datetime],
        worker: str,
        changes: Changes | None = None,
        given_up: list[int] | None = None,
        complete_duplicates: bool = False,
        neighbours: Neighbours | None = None,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._tracing = tracing
        self._connect = connect
        self._neighbours = neighbours
        self._known = known
        self._servers = servers
        self._registry = registry
        self._codecs = codecs
        self._clock = clock
        self._worker = worker
        self._complete_duplicates = complete_duplicates
        self._connection: asyncpg.Connection | None = None
        self._changes = changes or Changes()
        self._given_up = [] if given_up is None else given_up
        self._pid = 0

    async def store(self, messages: Sequence[Message]) -> Written:
        """Return once every message is committed, each stored or quarantined.

        Raises StoreUnavailableError when the database does not answer; then a message may or may not be
        stored, and storing it again is harmless.
        """
        try:
            return await self._store(messages)
        except asyncio.CancelledError:
            self._drop()
            raise
        except (*TRANSIENT, asyncpg.PostgresError, asyncpg.InternalClientError) as error:
            self._drop()
            raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connection at once."""
        self._drop()

    async def _store(self, messages: Sequence[Message]) -> Written:
        connection = await self._connected()
        now = self._clock()
        try:
            with self._tracing.step("understand"):
                packed = await self._pack(connection, messages, now)
            with self._tracing.step("write"):
                return await self._write(connection, packed, messages)
        except asyncpg.UniqueViolationError:
            raise  # never poison: the writing falls back by itself, so this is a defect to see
        except _POISON as error:
            if not messages:
                raise
            if len(messages) == 1:
                said = f"{type(error).__name__}: {error}"
                log.error("message_refused", topic=messages[0].topic, detail=said, action="see quarantine")  # noqa: TRY400
                rows = Packed()
                rows.add(batching.batch(understanding.refused_by_store(messages[0], said), self._known, now))
                return await self._write(connection, rows, messages)
        middle = len(messages) // 2
        first, second = await self._store(messages[:middle]), await self._store(messages[middle:])
        return Written(*(a + b for a, b in zip(first, second, strict=True)))

    async def _pack(self, connection: asyncpg.Connection, messages: Sequence[Message], now: datetime) -> Packed:
        """Make the rows, of some messages at a time; in between, other batches may send theirs."""
        rows = Packed()
        part = _PART_WITH_CODECS if self._known.codecs else PART
        for at in range(0, len(messages), part):
            if at:
                await asyncio.sleep(0)
            rows.add(await self._understand(connection, messages[at : at + part], now))
        return rows

    async def _understand(self, connection: asyncpg.Connection, messages: Sequence[Message], now: datetime) -> Batch:
        known = self._known
        sources = understanding.unknown_sources(messages, known)
        if sources:
            await known_names.learn_sources(connection, known, sources)
        found = understanding.read(messages, self._servers)
        await self._find_devices(connection, found, now)
        by_codec = NOT_BY_CODEC
        if known.codecs and (wanted := understanding.for_codecs(found, known)):
            by_codec = await self._codecs.decode(wanted, _CODECS_WITHIN_S)
            await self._codecs.record_quarantines(connection)
            await self._find_devices(connection, found, now)
        understood = understanding.identify(found, known, self._registry, by_codec)
        gateways = understanding.unknown_gateways(understood, known)
        if gateways:
            await known_names.learn_gateways(connection, known, gateways)
        quantities = understanding.unknown_quantities(understood, known)
        if quantities:
            await known_names.learn_foreign(connection, known, quantities)
        return batching.batch(understood, known, now)

    async def _find_devices(self, connection: asyncpg.Connection, found: Read, now: datetime) -> None:
        """Look up the devices that memory does not hold, and those that were changed while it was done."""
        if self._neighbours is None or not understanding.unknown_devices(found, self._known):
            return await self._look_up(connection, found, now)
        async with self._neighbours.asking:  # what another writer asks of now is not a stranger yet
            return await self._look_up(connection, found, now)

    async def _look_up(self, connection: asyncpg.Connection, found: Read, now: datetime) -> None:
        known = self._known
        while missing := [
            eui for eui in understanding.unknown_devices(found, known) if known.may_ask(eui, now, _MISSED_FOR_S)
        ]:
            await known_names.refresh_devices(connection, known, missing, now)
            strangers = [eui for eui in missing if eui not in known.devices]
            if strangers and self._neighbours is not None:
                await learn_elsewhere(connection, known, await self._neighbours.having(strangers))

    async def _write(self, connection: asyncpg.Connection, rows: Packed, messages: Sequence[Message]) -> Written:
        try:
            return await write(
                connection,
                rows,
                worker=self._worker,
                changes=self._changes,
                now_s=asyncio.get_running_loop().time(),
                complete_duplicates=self._complete_duplicates,
            )
        except CommitUnknownError as unknown:
            self._drop()
            return await self._resolve(unknown, messages)

    async def _resolve(self, unknown: CommitUnknownError, messages: Sequence[Message]) -> Written:
        """Ask the server whether the COMMIT took during which the connection died; store again if it did not."""
        connection = await self._connected()
        while (took := await committed(connection, unknown.transaction_id)) is None:  # noqa: ASYNC110
            await asyncio.sleep(_ASK_AGAIN_S)  # it is the server that decides
        return unknown.written if took else await self._store(messages)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            self._pid = self._connection.get_server_pid()
            await prepare_connection(self._connection)
        if self._given_up:
            pids = [*self._given_up]
            await end_sessions(self._connection, pids)
            self._given_up[:] = [pid for pid in self._given_up if pid not in pids]
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._given_up.append(self._pid)
            self._connection.terminate()
            self._connection = None
