"""A sensor that takes commands, the network server's events about it by ingest itself, and what people ask of it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from provisioning_world import AIR, Desk

from deploy.embedded.postgres import role_dsn
from ingest.runner import Ingest
from store.access.roles import INGEST
from store.fleet import Model, sync_models

sys.path.append(str(Path(__file__).parents[1] / "ingest"))
from ingest_support import ingesting

LSE01 = "dragino-lse01"  # period: FPort 2, 01 and three bytes of seconds
PERIOD = {"command": "period", "parameters": {"period_s": 1200}}
PERIOD_BYTES = "010004b0"


class Told(NamedTuple):
    """A network server that tells what became of downlinks, through ingest."""

    ingest: Ingest
    lns: str

    async def say(self, event: str, at: datetime, dev_eui: str = AIR, **members: Any) -> None:
        body = {"deviceInfo": {"devEui": dev_eui}, "time": at.isoformat(), **members}
        await self._deliver(f"application/1/device/{dev_eui}/event/{event}", body)

    async def say_stack(self, at: datetime, **members: Any) -> None:
        ids = {"device_id": f"eui-{AIR}", "dev_eui": AIR.upper()}
        await self._deliver(
            f"v3/meters@ttn/devices/eui-{AIR}/down/x",
            {"end_device_ids": ids, "received_at": at.isoformat(), **members},
        )

    async def _deliver(self, topic: str, body: dict[str, Any]) -> None:
        await self.ingest.pipeline.deliver("lns", self.lns, topic, msgspec.json.encode(body))


@asynccontextmanager
async def telling(desk: Desk, folder: Path, lns: str = "chirpstack") -> AsyncIterator[Told]:
    async with ingesting(role_dsn(desk.served.dsn, INGEST), folder, clock=desk.served.clock) as ingest:
        yield Told(ingest, lns)


async def give_commands(desk: Desk) -> None:
    """Let the sensor of the classroom be one whose period can be set, and that was heard a moment ago."""
    connection = desk.served.connection
    await sync_models(connection, [Model(LSE01, "Dragino", "LSE01", 1800)])
    await connection.execute("UPDATE devices SET model_id = $1 WHERE dev_eui = $2", LSE01, AIR)


async def asked(desk: Desk, status: int = 201, **body: Any) -> Any:
    return await desk.ask("POST", f"devices/{AIR}/downlinks", status, **body)


async def downlinks(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.ask("GET", f"devices/{AIR}/downlinks"))["items"]
    return found
