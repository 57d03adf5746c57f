"""How fast ingest is, beside its limits in the same run: python tests/benchmarks/bench_ingest.py --quick

It starts its own broker and database; nothing else should run on the machine. What each figure means is in
docs/benchmarks.md. `--only` takes sections by themselves, and `--json` keeps what each found in one file, so that a
machine that is quiet for a few minutes at a time will do.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import bench_load
import bench_machine
import bench_nodered
import bench_offline
import bench_report
import psutil
import structlog
import uvloop
from bench_scenarios import Bench, Figures, kept_up
from bench_servers import Database, offers_timescale, postgres, working_folder

ROOT: Final = Path(__file__).parents[2]
PACES: Final = (1_000, 5_000, 10_000, 20_000)
RISING_STEP: Final = 4_000
RISING: Final = range(16_000, 60_001, RISING_STEP)
DAY: Final = 96 * bench_load.DEVICES
NOT_QUICK: Final = ("day",)


class Size(NamedTuple):
    """How much of each."""

    backlog: int
    naive: int
    copied: int
    live_s: int
    rising_s: int
    sustained_s: int


SUSTAINED_PER_S: Final = 20_000
CODECS_PER_S: Final = 10_000
QUICK: Final = Size(backlog=80_000, naive=2_000, copied=40_000, live_s=15, rising_s=10, sustained_s=20)
FULL: Final = Size(backlog=200_000, naive=5_000, copied=120_000, live_s=20, rising_s=20, sustained_s=300)


class Plan:
    """What to run, and what was found: section -> row -> the figures of each run."""

    def __init__(self, bench: Bench, size: Size, runs: int, rate: int) -> None:
        self.bench = bench
        self.size = size
        self.runs = runs
        self.rate = rate  # to hold for long, unless `rising` found another
        self.results: dict[str, dict[str, list[Figures]]] = {}

    async def measure(self, section: str, row: str, run: Callable[[], Awaitable[Figures]]) -> list[Figures]:
        """Make the runs of one row, and say each."""
        return [await self.measure_once(section, row, run) for _ in range(self.runs)]

    async def measure_once(self, section: str, row: str, run: Callable[[], Awaitable[Figures]]) -> Figures:
        """Make one run of a row."""
        figures = await run()
        self.note(section, row, figures)
        said = "  ".join(f"{name} {value:,.1f}" for name, value in figures.items())
        sys.stderr.write(f"{section}: {row}: {said}\n")
        return figures

    def note(self, section: str, row: str, figures: Figures) -> None:
        """Keep the figures of a run."""
        self.results.setdefault(section, {}).setdefault(row, []).append(figures)


async def limits(plan: Plan, database: Database) -> None:
    """Measure what each part could do by itself."""
    bench, size = plan.bench, plan.size
    await plan.measure(
        "limits", "the generator into the broker, nobody listening", lambda: bench.generator_alone(size.backlog)
    )
    for protocol in ("3.1.1", "5"):
        await plan.measure(
            "limits",
            f"the reader drains, does nothing, MQTT {protocol}",
            lambda p=protocol: bench.reader(size.backlog, p),
        )
    await plan.measure("limits", "the broker passes live to that reader", lambda: bench.passing(size.backlog))
    for connections in (1, 2):
        said = f"{connections} connection{'s' * (connections > 1)}"
        for what in (bench_offline.MEASUREMENTS, bench_offline.WHOLE):
            await plan.measure(
                "limits", f"bare COPY, {what}, {said}", lambda w=what, c=connections: _copied(plan, database, w, c)
            )


async def _copied(plan: Plan, database: Database, what: str, connections: int) -> Figures:
    figures, statements = await bench_offline.copies(database, plan.size.copied, what=what, connections=connections)
    if connections == 1:
        for name, us in statements.items():
            plan.note("statements", name, {"us": us})
    return figures


async def naive(plan: Plan, database: Database) -> None:
    """Measure the naive pipeline, and Node-RED where it is."""
    await plan.measure("naive", "paho, one INSERT an uplink", lambda: plan.bench.naive(database, plan.size.naive))
    if started := bench_nodered.program():
        uplinks = 4 * plan.size.naive
        await plan.measure("naive", "Node-RED, ten at a time", lambda: plan.bench.node_red(database, uplinks, started))


async def drain(plan: Plan, database: Database, label: str = "") -> None:
    """Measure a backlog."""
    for protocol in ("3.1.1", "5"):
        await plan.measure(
            "drain",
            f"{plan.size.backlog:,} uplinks, MQTT {protocol}{label}",
            lambda p=protocol: plan.bench.drain(database, plan.size.backlog, p),
        )


async def live(plan: Plan, database: Database) -> None:
    """Measure fixed paces."""
    for rate in PACES:
        await plan.measure("live", f"{rate:,}/s", lambda r=rate: _live(plan, database, r, plan.size.live_s))


async def rising(plan: Plan, database: Database) -> None:
    """Look for the highest pace that holds a little while."""
    for rate in RISING:
        found = await plan.measure_once(
            "sustained", f"rising, {rate:,}/s", lambda r=rate: _live(plan, database, r, plan.size.rising_s)
        )
        if not found["kept_up"]:
            break
        plan.rate = rate


async def sustained(plan: Plan, database: Database) -> None:
    """Hold a pace for long; where it is not kept up, one that is a little lower."""
    seconds = plan.size.sustained_s
    for rate in (plan.rate, plan.rate - RISING_STEP // 2, plan.rate - RISING_STEP):
        found = await plan.measure_once(
            "sustained", f"{seconds} s, {rate:,}/s", lambda r=rate: _live(plan, database, r, seconds)
        )
        if found["kept_up"]:
            break


async def codecs(plan: Plan, database: Database) -> None:
    """Measure a backlog, and a pace, where a JavaScript codec decodes half of the devices."""
    half = bench_load.dev_euis()[::2]
    uplinks, rate = plan.size.backlog, CODECS_PER_S
    await plan.measure(
        "codecs", f"{uplinks:,} uplinks", lambda: plan.bench.drain(database, uplinks, "5", scripted=half)
    )
    await plan.measure("codecs", f"live, {rate:,}/s", lambda: _live(plan, database, rate, plan.size.live_s, half))


async def _live(plan: Plan, database: Database, rate: int, seconds: int, scripted: Sequence[str] = ()) -> Figures:
    found = await plan.bench.live(database, rate, seconds, scripted)
    return found | {"kept_up": float(kept_up(found))}


async def day(plan: Plan, database: Database) -> None:
    """Measure a whole day's backlog, once."""
    await plan.measure_once("day", f"{DAY:,} uplinks", lambda: plan.bench.drain(database, DAY, "5"))


async def stages(plan: Plan, database: Database) -> None:
    """Measure the steps of the consumer."""
    for name, us in (await bench_offline.stages(database)).items():
        plan.note("stages", name, {"us": us})
    for uplinks in (1, 20, 100):
        await plan.measure("batches", f"{uplinks}", lambda n=uplinks: bench_offline.small_batches(database, n))


async def workers(plan: Plan, database: Database) -> None:
    """Measure how several ingest processes share a backlog."""
    for count in (1, 2, 4):
        await plan.measure(
            "workers", f"{count}", lambda n=count: plan.bench.drain(database, plan.size.backlog, "5", workers=n)
        )


async def timescale(plan: Plan, database: Database) -> None:
    """Measure the main figures again on TimescaleDB."""
    await plan.measure(
        "drain",
        f"{plan.size.backlog:,} uplinks, MQTT 5, TimescaleDB",
        lambda: plan.bench.drain(database, plan.size.backlog, "5"),
    )
    for rate in (10_000, 20_000):
        await plan.measure(
            "live", f"{rate:,}/s, TimescaleDB", lambda r=rate: _live(plan, database, r, plan.size.live_s)
        )


RUN: Final[Mapping[str, Callable[[Plan, Database], Awaitable[None]]]] = {
    "limits": limits,
    "naive": naive,
    "drain": drain,
    "live": live,
    "rising": rising,
    "sustained": sustained,
    "codecs": codecs,
    "day": day,
    "stages": stages,
    "workers": workers,
}
SECTIONS: Final = (*RUN, "timescale")


@asynccontextmanager
async def services(pg_bin: Path | None) -> AsyncIterator[tuple[Bench, Database, Database | None]]:
    """Give a place to run, a plain database, and one with TimescaleDB where that is offered."""
    with working_folder() as folder:
        async with postgres(folder, pg_bin) as server:
            databases = [Database(server, timescale=False)]
            if await offers_timescale(server):
                databases.append(Database(server, timescale=True))
            for database in databases:
                await database.prepare(bench_load.dev_euis(), bench_load.MODEL)
            yield Bench(folder), databases[0], databases[1] if len(databases) > 1 else None


async def measure(options: argparse.Namespace, keep: Callable[[dict[str, Any]], None]) -> None:
    """Run what was asked for; `keep` is given what each section found, as soon as it ends."""
    wanted = options.only or [name for name in SECTIONS if not (options.quick and name in NOT_QUICK)]
    async with services(options.pg_bin) as (bench, database, with_timescale):
        plan = Plan(bench, QUICK if options.quick else FULL, options.runs or (1 if options.quick else 5), options.rate)
        versions = [await one.version() for one in (database, with_timescale) if one is not None]
        for name in wanted:
            machine, began, plan.results = bench_machine.state(), datetime.now(UTC), {}
            if name in RUN:
                await RUN[name](plan, database)
            elif with_timescale is not None:
                await timescale(plan, with_timescale)
            keep({"about": about(began, versions) | machine | {"quick": options.quick}, "runs": plan.results})


def about(began: datetime, servers: list[str]) -> dict[str, Any]:
    """Return what the figures depend on."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "date": f"{began:%Y-%m-%d %H:%M} UTC",
        "seconds": round((datetime.now(UTC) - began).total_seconds()),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": f"{platform.python_version()}, {Path(sys.executable).resolve()}",
        "servers": [*servers, "Mosquitto"],
        "packages": {name: version(name) for name in ("asyncpg", "msgspec", "paho-mqtt", "uvloop")},
    }


def sections(text: str) -> list[str]:
    """Return the names in `live,drain`; raise argparse's error for another."""
    names = text.split(",")
    if unknown := [name for name in names if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return names


def main() -> None:
    """Read the options, measure, and say the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one run of each: under four minutes")
    parser.add_argument("--runs", type=int, help="how many runs of each figure (5, or 1 when quick)")
    parser.add_argument("--only", type=sections, help=f"these sections alone, of {', '.join(SECTIONS)}")
    parser.add_argument(
        "--rate", type=int, default=SUSTAINED_PER_S, help="uplinks/s to sustain when `rising` does not look for it"
    )
    parser.add_argument("--json", type=Path, help="keep what is found in this file, beside what it has")
    parser.add_argument("--add", action="store_true", help="add runs to those in the file, instead of replacing them")
    parser.add_argument("--show", action="store_true", help="measure nothing; say the tables of the file")
    parser.add_argument("--pg-bin", type=Path, help="a directory with `postgres`, instead of the wheel's")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # sessions that come and go are no news
    known: dict[str, Any] = {"about": [], "runs": {}}
    if options.json and options.json.exists():
        known = json.loads(options.json.read_text(encoding="utf-8"))

    def keep(found: dict[str, Any]) -> None:
        nonlocal known
        known = bench_report.merged(known, found, add=options.add)
        if options.json:
            options.json.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")

    if not options.show:
        uvloop.run(measure(options, keep))
    said = "  \n".join(f"{name}: {value}" for name, value in known["about"][-1].items() if name != "measured")
    sys.stdout.write(f"{said}\n\n{bench_report.markdown(known['runs'])}")


if __name__ == "__main__":
    main()
