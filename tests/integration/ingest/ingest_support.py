"""Helpers to run ingest in the test's process against real services, and to see what it stored."""

import asyncio
import gzip
import json
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
from prometheus_client import CollectorRegistry

from decoders.registry import Registry
from ingest.runner import Ingest
from ingest.settings import IngestSettings, MqttSource

PATIENCE_S = 30.0


class Line(NamedTuple):
    topic: str
    payload: dict[str, Any]


def read_lines(path: Path) -> list[Line]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [Line(one["topic"], one["payload"]) for one in map(json.loads, data.splitlines())]


async def declare(dsn: str, dev_euis: dict[str, str | None]) -> None:
    """Declare devices (DevEUI -> model id) of one tenant."""
    connection = await asyncpg.connect(dsn)
    try:
        tenant_id = await connection.fetchval(
            "INSERT INTO tenants (kind, slug, name) VALUES ('commune', $1, 'Test') RETURNING tenant_id",
            f"test-{secrets.token_hex(4)}",
        )
        models = [(model, model, model) for model in {model for model in dev_euis.values() if model}]
        await connection.executemany(
            "INSERT INTO models (model_id, vendor, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", models
        )
        rows = [(eui, tenant_id, model) for eui, model in dev_euis.items()]
        await connection.executemany("INSERT INTO devices (dev_eui, tenant_id, model_id) VALUES ($1, $2, $3)", rows)
    finally:
        await connection.close()


def fleet_of(lines: Iterable[Line], registry: Registry) -> dict[str, str | None]:
    """Return the devices of a ChirpStack capture with the model that their profile's name speaks of."""
    infos = (line.payload["deviceInfo"] for line in lines)
    return {info["devEui"]: registry.match(info["deviceProfileName"]) for info in infos}


def source(broker: Any, **overrides: Any) -> MqttSource:
    values = {"name": "chirpstack", "host": broker.host, "port": broker.port, "client_id": secrets.token_hex(8)}
    return MqttSource(**values | overrides)


@asynccontextmanager
async def ingesting(
    dsn: str, folder: Path, *sources: MqttSource, clock: Callable[[], datetime] | None = None, **bounds: Any
) -> AsyncIterator[Ingest]:
    """Run ingest until the block ends."""
    ingest = Ingest(
        IngestSettings(mqtt=sources, **bounds),
        dsn=dsn,
        folder=folder,
        worker="test",
        metrics_registry=CollectorRegistry(),
        clock=clock or (lambda: datetime.now(UTC)),
        randomness=random.Random(1),
    )
    async with ingest:
        running = asyncio.create_task(ingest.run())
        try:
            await until(lambda: _ready(ingest))
            yield ingest
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _ready(ingest: Ingest) -> bool:
    return ingest.is_ready


async def until(condition: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
    """Ask again and again until the condition holds; fail when patience ends."""
    async with asyncio.timeout(patience_s):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.02)
