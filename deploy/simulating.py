"""`samara simulate run`: publish a load from here, then compare its ledger with what the platform stored."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from decoders.registry import Registry
from simulators.broker import BrokerAddress
from simulators.clock import Clock
from simulators.load import heard, ledger, run
from simulators.load.http_sender import HttpSender
from simulators.load.judge import StoredUplink, Verdict, judge
from simulators.load.spec import LoadSpec, Publishing
from simulators.mqtt_publisher import Publisher
from store.fleet import DeviceDeclaration, Model, TenantDeclaration, declare_devices, declare_tenant, sync_models
from store.pool import TRANSIENT, connect
from store.reading.stored_frames import Frames, count_declared, count_frames, stored_frames, unreadable_messages

TENANT: Final = TenantDeclaration("simulateur", "Simulateur", "other")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ASK_AGAIN_S: Final = 0.5
_CLOCKS_APART: Final = timedelta(hours=1)


async def declare(connection: asyncpg.Connection, spec: LoadSpec, now: datetime) -> int:
    """Declare a load's devices under the tenant `simulateur`; return how many. Again, nothing changes."""
    known = Registry.load().decoders
    models = heard.models(spec) if spec.radio else spec.models
    chosen = [known[name][0] for name in sorted(set(models)) if name in known]
    await sync_models(connection, [Model(one.id, one.vendor, one.name, one.period_s) for one in chosen])
    tenant_id = await declare_tenant(connection, TENANT)
    return await declare_devices(
        connection,
        tenant_id,
        (
            DeviceDeclaration(
                ledger.dev_eui(spec, number),
                name=f"load {number:07d}",
                model_id=model if (model := models[number % len(models)]) in known else None,
            )
            for number in range(spec.devices)
        ),
        now,
    )


async def undeclared(connection: asyncpg.Connection, spec: LoadSpec) -> int:
    """Return how many of a load's devices the platform does not know: what they say is set aside."""
    first, last = ledger.dev_eui(spec, 0), ledger.dev_eui(spec, spec.devices - 1)
    return spec.devices - await count_declared(connection, first, last)


async def publish(
    spec: LoadSpec,
    publishing: Publishing,
    target: BrokerAddress | str,
    book: Path,
    *,
    clock: Clock,
    headers: Mapping[str, str] | None = None,
    on_progress: Callable[[run.Progress], None] = lambda _: None,
) -> run.LoadReport:
    """Publish a load to a broker, or to the URL of a webhook, with its ledger in `book`."""
    async with _sinks(publishing, target, headers or {}) as sinks:
        return await run.run(
            spec, sinks, book, clock=clock, max_p99_s=publishing.max_lateness_s, on_progress=on_progress
        )


@asynccontextmanager
async def _sinks(
    publishing: Publishing, target: BrokerAddress | str, headers: Mapping[str, str]
) -> AsyncIterator[Sequence[run.Sink]]:
    async with AsyncExitStack() as stack:
        sinks: list[run.Sink] = []
        for number in range(publishing.connections):
            if isinstance(target, str):
                share = max(1, publishing.window // publishing.connections)
                sinks.append(
                    await stack.enter_async_context(HttpSender(target, headers=headers, concurrency=min(64, share)))
                )
            else:
                publisher = Publisher(
                    target, client_id=f"samara-load-{number}", qos=publishing.qos, window=publishing.window
                )
                sinks.append(await stack.enter_async_context(publisher))
        yield sinks


async def until_judged(
    dsn: str, book: Path, *, clock: Clock, quiet_s: float, late_after_s: float | None = None
) -> Verdict:
    """Compare a ledger with what is stored, again and again until every obligation is kept.

    Once nothing more has been stored for `quiet_s`, the verdict is what it is. The database may be away meanwhile;
    raises what asyncpg raises if it stays away.
    """
    account = ledger.read(book)
    before, quiet_since = -1, clock.monotonic()
    while True:
        try:
            count, verdict = await _judged(dsn, account, before, late_after_s)
        except TRANSIENT:
            if clock.monotonic() - quiet_since > quiet_s:
                raise
            await clock.sleep(_ASK_AGAIN_S)
            continue
        quiet = count == before and clock.monotonic() - quiet_since > quiet_s
        if verdict is not None and (quiet or not _can_still_mend(verdict)):
            return verdict
        if count != before:
            before, quiet_since = count, clock.monotonic()
        await clock.sleep(_ASK_AGAIN_S)


def _can_still_mend(verdict: Verdict) -> bool:
    """Say whether waiting may help: what is stored twice or altered stays so."""
    return bool(verdict.lost or verdict.not_set_aside)


async def _judged(
    dsn: str, account: ledger.Ledger, before: int, late_after_s: float | None
) -> tuple[int, Verdict | None]:
    """Return how much is stored, and the verdict once that is as much as `before`, or all."""
    frames, since = _frames(account)
    connection = await connect(dsn, application="samara-simulate")
    try:
        count = await count_frames(connection, frames)
        if count != before and count < len(account.records):
            return count, None
        stored = [StoredUplink(*one) async for one in stored_frames(connection, frames)]
        quarantined = await unreadable_messages(connection, since)
    finally:
        await connection.close()
    verdict = await asyncio.to_thread(judge, account, stored, quarantined=quarantined, late_after_s=late_after_s)
    return count, verdict


def _frames(account: ledger.Ledger) -> tuple[Frames, datetime]:
    """Return which frames the ledger is about, and since when it was published."""
    first, count = int(account.spec["first_dev_eui"]), int(account.spec["devices"])
    received = account.records["received_ms"]
    since, until = (int(received.min()), int(received.max())) if len(received) else (0, 0)
    emitted = int(account.records["emitted_ms"].min()) if len(received) else 0
    return (
        Frames(f"{first:016x}", f"{first + count - 1:016x}", _moment(since), _moment(until)),
        _moment(emitted) - _CLOCKS_APART,
    )


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
