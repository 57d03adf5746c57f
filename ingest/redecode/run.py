"""Decode again: show what would change, or do it; several connections share the work."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from decoders.registry import Registry
from domain.errors import NotFoundError, StoreUnavailableError
from ingest.codecs import Codecs
from ingest.redecode.portion import USUAL, Bounds, Decoding, Size, applied, shown
from ingest.redecode.tally import Tally, added
from ingest.runner import load_known
from store import known as known_names
from store.bound_codecs import BoundCodecs
from store.known import Known
from store.maintenance.retention import kept_from, retention
from store.pool import TRANSIENT, connect
from store.redecoding_record import Chosen, Redecoding, Selection, begin, chosen_devices, finish, unfinished
from store.staging import prepare_connection

CONNECTIONS: Final = 3  # for two cores: while one waits for the server, another decodes

Work = Callable[[asyncpg.Connection], AsyncIterator[Tally]]
OnProgress = Callable[[Tally], None]


class Asked(NamedTuple):
    """What somebody asks for. Exactly one of `dev_eui` and `model_id` is given; `until` None is the present."""

    dev_eui: str | None
    model_id: str | None
    since: datetime
    until: datetime | None


class Report(NamedTuple):
    """What was found. `record` is None when nothing was changed; `went_on` is true of one taken up again.

    `names` are those of quantities, `dev_euis` those of devices, both by their number.
    """

    tally: Tally
    record: Redecoding | None
    went_on: bool
    names: dict[int, str]
    dev_euis: dict[int, str]


async def show(
    dsn: str,
    asked: Asked,
    *,
    registry: Registry,
    now: datetime,
    on_progress: OnProgress,
    size: Size = USUAL,
) -> Report:
    """Say what decoding again would change, and change nothing. Raises NotFoundError, StoreUnavailableError."""
    async with _connections(dsn) as connections, Codecs() as codecs:
        known = Known()
        await known_names.load(connections[0], known)
        selection, devices = await _selected(connections[0], asked, registry, known.codecs)
        bounds = await _bounds(connections[0], selection.until or now, now, size)
        waiting = iter(devices)

        async def work(connection: asyncpg.Connection) -> AsyncIterator[Tally]:
            for device in waiting:
                async for tally in shown(connection, device, Decoding(registry, known, codecs), bounds):
                    yield tally

        try:
            tally = await _shared(connections, work, on_progress)
        finally:
            await codecs.record_quarantines(connections[0])
    return _report(tally, None, known, devices, went_on=False)


async def apply(
    dsn: str,
    asked: Asked,
    *,
    registry: Registry,
    now: datetime,
    asked_by: str,
    reason: str,
    on_progress: OnProgress,
    size: Size = USUAL,
) -> Report:
    """Decode again, and record it. What was begun before and did not end is taken up where it stopped.

    Raises NotFoundError, ContendedError, StoreUnavailableError; what is done by then stays done.
    """
    async with _connections(dsn) as connections, Codecs() as codecs:
        known = Known()
        await load_known(connections[0], known, registry, [])
        selection, devices = await _selected(connections[0], asked, registry, known.codecs)
        taken_up = await unfinished(connections[0], selection)
        record = taken_up or await begin(connections[0], selection, asked_by=asked_by, reason=reason)
        bounds = await _bounds(connections[0], record.until, now, size)

        def work(connection: asyncpg.Connection) -> AsyncIterator[Tally]:
            return applied(connection, record.redecoding_id, Decoding(registry, known, codecs), bounds)

        try:
            tally = await _shared(connections, work, on_progress)
        finally:
            await codecs.record_quarantines(connections[0])
        await finish(connections[0], record.redecoding_id)
    return _report(tally, record, known, devices, went_on=taken_up is not None)


@asynccontextmanager
async def _connections(dsn: str) -> AsyncIterator[list[asyncpg.Connection]]:
    """Give the connections that share the work; say in our words that the database does not answer."""
    try:
        async with AsyncExitStack() as stack:
            connections = []
            for _ in range(CONNECTIONS):
                connection = await connect(dsn, application="samara-redecode")
                stack.callback(connection.terminate)
                await prepare_connection(connection)
                connections.append(connection)
            yield connections
    except TRANSIENT as error:
        raise StoreUnavailableError(f"{type(error).__name__}: {error}; what is done stays done") from error


async def _selected(
    connection: asyncpg.Connection, asked: Asked, registry: Registry, codecs: BoundCodecs
) -> tuple[Selection, list[Chosen]]:
    dev_eui, model_id, since, until = asked
    if model_id is not None and model_id not in registry.decoders and not codecs.knows(model_id):
        raise NotFoundError(f"no decoder for {model_id!r}; `samara decoders list` and `samara codecs list` show them")
    selection = Selection(dev_eui, model_id, "", since, until)
    devices = await chosen_devices(connection, selection)
    if not devices:
        raise NotFoundError(f"no device {dev_eui}" if dev_eui else f"no device of model {model_id}")
    version = _version({_version_of(one, registry, codecs) for one in devices})
    return selection._replace(model_id=devices[0].model_id, decoder_version=version), devices


def _version_of(device: Chosen, registry: Registry, codecs: BoundCodecs) -> str:
    codec = codecs.of(device.device_id, device.tenant_id, device.model_id)
    if codec is not None:
        return codec.version
    decoder = registry.decoders.get(device.model_id) if device.model_id else None
    return decoder.version if decoder else ""


def _version(versions: set[str]) -> str:
    """Return one version for those of all devices: tenants may have codecs of their own for one model."""
    if len(versions) == 1:
        return versions.pop()
    return hashlib.sha256("\n".join(sorted(versions)).encode()).hexdigest()[:12]


async def _bounds(connection: asyncpg.Connection, until: datetime, now: datetime, size: Size) -> Bounds:
    kept = await retention(connection)
    return Bounds(until, kept_from(kept.get("measurements"), now), size)


async def _shared(connections: list[asyncpg.Connection], work: Work, on_progress: OnProgress) -> Tally:
    """Let every connection work until nothing is left; return what they found together."""
    total = Tally.empty()

    async def one(connection: asyncpg.Connection) -> None:
        nonlocal total
        async for tally in work(connection):
            total = added(total, tally)
            on_progress(total)

    try:
        async with asyncio.TaskGroup() as tasks:
            for connection in connections:
                tasks.create_task(one(connection))
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # they do the same work: what stopped one is why all stopped
    return total


def _report(tally: Tally, record: Redecoding | None, known: Known, devices: list[Chosen], *, went_on: bool) -> Report:
    names = {reference.quantity_id: name for name, reference in known.quantities.items()}
    return Report(tally, record, went_on, names, {one.device_id: one.dev_eui for one in devices})
