"""Ingest as a process that a test may kill: `python ingest_process.py SETTINGS`, a JSON file.

It writes "ready" once it hears its network server.
"""

import asyncio
import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from ingest.runner import Ingest
from ingest.settings import IngestSettings


async def run(settings: Any) -> None:
    ingest = Ingest(
        IngestSettings.model_validate(settings["ingest"]),
        dsn=settings["dsn"],
        folder=Path(settings["folder"]),
        worker="test",
        metrics_registry=CollectorRegistry(),
        clock=lambda: datetime.now(UTC),
        randomness=random.Random(1),
    )
    async with ingest:
        running = asyncio.create_task(ingest.run())
        while not (ingest.is_ready or running.done()):  # noqa: ASYNC110 - the broker's answer is what is waited for
            await asyncio.sleep(0.005)
        print("ready", flush=True)  # noqa: T201 - whom it is said to reads it
        await running


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))
