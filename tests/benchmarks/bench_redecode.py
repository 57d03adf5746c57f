"""How long a million stored uplinks take to be decoded again.

    python tests/benchmarks/bench_redecode.py [UPLINKS] [--columns]

A database is made in a directory of its own: 2,000 devices of one native model, an uplink every half hour. Three
cases, each with the default settings of a server: what decoding again would change is shown; nothing was decoded
and everything is now (a model declared late); every value changes (a factor mended). SAMARA_PG_BIN takes a
PostgreSQL of one's own. With --columns, on TimescaleDB, uplinks are kept in columns as those of the past are, and the
second case alone is timed.
"""

import asyncio
import os
import random
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from decoders.registry import Registry
from deploy.embedded.postgres import EmbeddedPostgres
from ingest.redecode.run import Asked, Report, apply, show
from ingest.redecode.tally import ADDED, CHANGED, REMOVED
from store.maintenance.run import run_once
from store.migrate import migrate
from store.partitions import ensure_partitions, month_of
from store.pool import connect

MODEL: Final = "elsys-ers"  # five readings a frame
PORT: Final = 5
DEVICES: Final = 2_000
EVERY: Final = timedelta(minutes=30)
START: Final = datetime(2026, 3, 1, tzinfo=UTC)

COLUMNS: Final = (
    "received_at", "uplink_key", "ingested_at", "f_cnt", "device_id", "source_id", "f_port", "confirmed", "adr",
    "dev_addr", "outcome", "detail", "payload",
)  # fmt: skip


def frame(chance: random.Random) -> bytes:
    """Return temperature, humidity, light, motion and battery, as Elsys writes them."""
    temperature, light, battery = chance.randrange(-100, 350), chance.randrange(2_000), chance.randrange(2_900, 3_700)
    return struct.pack(
        ">BhBBBHBBBH", 1, temperature, 2, chance.randrange(101), 4, light, 5, chance.randrange(9), 7, battery
    )


def uplinks(first: int, last: int, each: int) -> Iterator[tuple[object, ...]]:
    """Yield the uplinks of these devices, not decoded yet."""
    chance = random.Random(first)
    for device_id in range(first, last):
        for f_cnt in range(each):
            at = START + f_cnt * EVERY + timedelta(seconds=device_id % 1_800)
            key = chance.getrandbits(63)
            yield (at, key, at, f_cnt, device_id, 1, PORT, False, True, "00000000", "no_decoder", "", frame(chance))


async def fill(dsn: str, each: int) -> None:
    """Declare the devices, and store their uplinks as if their model had not been known."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'bench', 'Bench')")
    await connection.execute("INSERT INTO sources (name) VALUES ('bench')")
    await connection.execute("INSERT INTO models (model_id, vendor, name) VALUES ($1, $1, $1)", MODEL)
    await connection.execute(
        "INSERT INTO devices (dev_eui, tenant_id, model_id) "
        "SELECT lpad(to_hex(n), 16, '0'), 1, $1 FROM generate_series(1, $2) AS n",
        MODEL,
        DEVICES,
    )
    months = {month_of(START + n * EVERY) for n in range(each + 1)}
    await ensure_partitions(connection, "uplinks", months)
    for first in range(1, DEVICES + 1, 100):
        await connection.copy_records_to_table("uplinks", columns=COLUMNS, records=uplinks(first, first + 100, each))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def tell(what: str, report: Report, seconds: float) -> None:
    """Print one case."""
    tally = report.tally
    counts = ", ".join(f"{tally.readings(kind):,} {kind}" for kind in (ADDED, CHANGED, REMOVED))
    rate = tally.uplinks / seconds
    sys.stdout.write(
        f"{what}: {seconds:.1f} s, {rate:,.0f} uplinks/s ({tally.uplinks:,} uplinks; readings: {counts})\n"
    )
    sys.stdout.flush()


async def roll_up(dsn: str) -> None:
    """Time what maintenance then does by the way: the hours and the days."""
    connection = await connect(dsn, application="bench")
    start, marks, more = time.perf_counter(), 0, True
    while more:
        done = await run_once(connection, datetime.now(UTC), portions=20)
        marks, more = marks + done.marks, done.more
    await connection.close()
    sys.stdout.write(f"  hours and days made anew: {time.perf_counter() - start:.1f} s ({marks:,} hours of devices)\n")


async def into_columns(dsn: str) -> None:
    """Compress every uplink."""
    connection = await asyncpg.connect(dsn, command_timeout=600)
    start = time.perf_counter()
    chunks = await connection.fetch("SELECT compress_chunk(one) FROM show_chunks('uplinks') AS one")
    sys.stdout.write(f"  {len(chunks)} chunks into columns: {time.perf_counter() - start:.1f} s\n")
    await connection.close()


async def measure(dsn: str, *, in_columns: bool) -> None:
    """Time the cases."""
    registry = Registry.load()
    asked = Asked(None, MODEL, START, None)
    now = datetime.now(UTC)

    async def timed(what: str, *, reason: str = "") -> None:
        start = time.perf_counter()
        if reason:
            report = await apply(
                dsn, asked, registry=registry, now=now, asked_by="bench", reason=reason, on_progress=lambda _: None
            )
        else:
            report = await show(dsn, asked, registry=registry, now=now, on_progress=lambda _: None)
        tell(what, report, time.perf_counter() - start)

    if in_columns:
        await into_columns(dsn)
        await timed("applied, all is new, in columns", reason="a model declared late")
        return
    await timed("shown, all is new")
    await timed("applied, all is new", reason="a model declared late")
    await roll_up(dsn)
    await timed("shown, nothing changes")
    await timed("applied, nothing changes", reason="again")
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE measurements SET value = value + 1")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    await timed("applied, every value changes", reason="a factor mended")


async def main() -> None:
    """Make the database, measure, and throw it away."""
    numbers = [int(one) for one in sys.argv[1:] if one.isdecimal()]
    each = (numbers[0] if numbers else 1_000_000) // DEVICES
    given = os.environ.get("SAMARA_PG_BIN")
    with tempfile.TemporaryDirectory(prefix="samara-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - a benchmark has nothing else to do meanwhile
        async with EmbeddedPostgres(Path(folder) / "postgres", Path(given) if given else None) as server:
            await migrate(server.dsn)
            await fill(server.dsn, each)
            await measure(server.dsn, in_columns="--columns" in sys.argv)


if __name__ == "__main__":
    asyncio.run(main())
