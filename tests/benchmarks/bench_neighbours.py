"""What a message costs an installation whose device it is not (docs/scaling.md, "Several primaries").

    python tests/benchmarks/bench_neighbours.py [--uplinks 40000] [--runs 3]

The same uplinks are given to one writer, in batches of 2,000, once declared here and once a neighbour's. CPU is of this
process, and of PostgreSQL as its own statistics of its processes say (user and system).
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg
import psutil

from decoders.registry import Registry
from deploy.embedded.postgres import EmbeddedPostgres
from ingest import lns
from ingest.codecs import Codecs
from ingest.messages import Message, Origin
from ingest.runner import load_known
from ingest.writer import Writer
from simulators.load.generate import generate
from simulators.load.ledger import dev_eui
from simulators.load.spec import LoadSpec
from store.known import Known
from store.migrate import migrate

BATCH = 2_000
MODEL = "dragino-lse01"
DEVICES = 500


class Cost(NamedTuple):
    """Microseconds an uplink."""

    ingest_us: float
    database_us: float


def messages(uplinks: int, first_dev_eui: int) -> tuple[LoadSpec, list[Message]]:
    """Return uplinks of so many devices, as they come from ChirpStack."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    spec = LoadSpec(
        devices=DEVICES, uplinks_per_device=uplinks // DEVICES, models=(MODEL,), start_at=start, speed=None,
        period_s=60.0, first_dev_eui=first_dev_eui,
    )  # fmt: skip
    origin = Origin("bench", "chirpstack", lambda _tokens: None)
    now = datetime.now(UTC)
    return spec, [Message(origin, 0, one.topic, one.payload, len(one.payload), now) for one in generate(spec)]


async def measure(server: EmbeddedPostgres, uplinks: int, first_dev_eui: int, *, here: bool) -> Cost:
    """Store the uplinks; return what one cost."""
    spec, all_messages = messages(uplinks, first_dev_eui)
    connection = await asyncpg.connect(server.dsn)
    euis = [dev_eui(spec, number) for number in range(DEVICES)]
    if here:
        await connection.execute(
            "INSERT INTO models (model_id, vendor, name) VALUES ($1, $1, $1) ON CONFLICT DO NOTHING", MODEL
        )
        await connection.execute(
            "INSERT INTO devices (dev_eui, tenant_id, model_id) SELECT eui, 1, $2 FROM unnest($1::text[]) AS eui",
            euis,
            MODEL,
        )
    else:
        await connection.execute(
            "INSERT INTO elsewhere (dev_eui, neighbour) SELECT eui, 'b' FROM unnest($1::text[]) AS eui", euis
        )
    known, registry = Known(), Registry.load()
    await load_known(connection, known, registry, ["bench"])
    writer = Writer(
        lambda: asyncpg.connect(server.dsn),
        known=known,
        servers=lns.load(),
        registry=registry,
        codecs=Codecs(),
        clock=lambda: datetime.now(UTC),
        worker="bench",
    )
    await writer.store(all_messages[:1])
    before, database = time.process_time(), database_s(server)
    for at in range(1, len(all_messages), BATCH):
        await writer.store(all_messages[at : at + BATCH])
    ours, theirs = time.process_time() - before, database_s(server) - database
    writer.close()
    await connection.close()
    return Cost(ours / len(all_messages) * 1e6, theirs / len(all_messages) * 1e6)


def database_s(server: EmbeddedPostgres) -> float:
    """Return the CPU seconds of the server's processes that run."""
    process = psutil.Process(server.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(one.user + one.system for one in times)


async def bench(folder: Path, uplinks: int, runs: int) -> dict[bool, list[Cost]]:
    """Measure both ways in turn."""
    costs: dict[bool, list[Cost]] = {True: [], False: []}
    async with EmbeddedPostgres(folder / "pg", settings={"shared_buffers": "256MB"}) as server:
        await migrate(server.dsn, timescale=False)
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'bench', 'Bench')")
        await connection.close()
        for run in range(runs):
            for here in (True, False):
                first = 0x025A_0000_0000_0000 + (2 * run + here) * 0x1_0000
                costs[here].append(await measure(server, uplinks, first, here=here))
    return costs


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uplinks", type=int, default=40_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samara-bench-") as folder:
        Path(folder).chmod(0o755)
        costs = asyncio.run(bench(Path(folder), asked.uplinks, asked.runs))
    for here, name in ((True, "of this installation"), (False, "of a neighbour")):
        ingest_us, database_us = (statistics.median(column) for column in zip(*costs[here], strict=True))
        print(f"{name}: ingest {ingest_us:.1f} us, PostgreSQL {database_us:.1f} us an uplink")  # noqa: T201


if __name__ == "__main__":
    main()
