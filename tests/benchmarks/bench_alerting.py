"""What alerting costs: a backtest of a million measurements, and live evaluation beside a stream of uplinks.

    python tests/benchmarks/bench_alerting.py [--devices 100000] [--rules 20000] [--rate 2000] [--seconds 60]

The worker is a process of its own, held to one core. Every device has one measured point. The rules: 14,000 thresholds
and 5,000 of n-of-m, each on one point, and 1,000 about silence, each on a site of 100 points: 119,000 states. Each
uplink brings one measurement; the latency is from the commit of a sample beyond its level until its alert can be read.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import psutil
from prometheus_client import CollectorRegistry

from alerting.backtest import backtest
from alerting.rules import parse
from alerting.state_json import dump_machine
from alerting.states import Machine
from alerting.targets import TargetModel
from alerting.worker import AlertingWorker
from deploy.embedded.postgres import EmbeddedPostgres
from store.fleet import TenantDeclaration, declare_tenant
from store.migrate import migrate
from store.partitions import ensure_partitions, month_of

SITE = 100  # points


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def territory(connection: asyncpg.Connection, devices: int) -> int:
    tenant_id = await declare_tenant(connection, TenantDeclaration("bench", "Bench", "commune"))
    statements = (
        "INSERT INTO sites (tenant_id, name) SELECT {tenant}, 'S' || n FROM generate_series(1, {sites}) AS n",
        "INSERT INTO points (site_id, name) SELECT site_id, 'P' || n FROM sites, generate_series(1, {site}) AS n",
        """
        INSERT INTO devices (dev_eui, tenant_id)
        SELECT lpad(to_hex(n), 16, '0'), {tenant} FROM generate_series(1, {devices}) AS n
        """,
        """
        INSERT INTO assignments (device_id, point_id, during)
        SELECT device_id, point_id, '(,)'
          FROM (SELECT device_id, row_number() OVER (ORDER BY device_id) AS n FROM devices) AS d
          JOIN (SELECT point_id, row_number() OVER (ORDER BY site_id, point_id) AS n FROM points) AS p USING (n)
        """,
    )
    # What an assignment changes for a person's meter is asked at each: minutes, and nothing of what is measured here.
    await connection.execute("ALTER TABLE assignments DISABLE TRIGGER assignments_noted")
    for statement in statements:
        await connection.execute(statement.format(tenant=tenant_id, sites=devices // SITE, site=SITE, devices=devices))
        await connection.execute("ANALYZE")
    await connection.execute("ALTER TABLE assignments ENABLE TRIGGER assignments_noted")
    return tenant_id


RULES = """
INSERT INTO rules (tenant_id, name, kind, definition, target, severity, enabled, backtest, backtest_version,
                   expanded_at)
SELECT $1, 'r', $2, $3, jsonb_build_object($4::text, id), 'warning', true, '{}', 1, now() + interval '1 day'
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM unnest($5::integer[]) AS id) AS numbered
 WHERE n % $6 = $7
 LIMIT $8
"""

STATES = """
INSERT INTO rule_states (rule_id, rule_version, tenant_id, site_id, point_id, phase, phase_since, machine, folded_to,
                         evaluated_at, due_at)
SELECT rule_id, 1, $1, site_id, point_id, 'never-seen', $2, $3::text::json, $2, $2, $2
  FROM rules
  JOIN points ON {column} = (target->>'{column}')::integer
"""

INPUTS = """
INSERT INTO rule_inputs (state_id, position, point_id, quantity_id, channel)
SELECT state_id, 0, point_id, CASE WHEN rules.kind <> 'silent_sensor' THEN quantity_id END, 0
  FROM rule_states
  JOIN rules USING (rule_id), quantities
 WHERE quantities.name = 'co2'
"""


async def watch(connection: asyncpg.Connection, tenant_id: int, rules: int, now: datetime) -> None:
    """Make rules and their states at once: expansion one by one is not what is measured."""
    thresholds, several, silences = rules * 14 // 20, rules * 5 // 20, rules // 20
    points = [row["point_id"] for row in await connection.fetch("SELECT point_id FROM points ORDER BY point_id")]
    sites = [row["site_id"] for row in await connection.fetch("SELECT site_id FROM sites ORDER BY site_id")]
    threshold = json.dumps({"quantity": "co2", "above": 1500, "clear": 1200, "hold_s": 86400})
    n_of_m = json.dumps({"quantity": "co2", "above": 1500, "n": 3, "m": 5, "hold_s": 86400})
    every = max(len(points) // (thresholds + several), 1)
    silent = json.dumps({"period_s": 3600})
    await connection.execute(RULES, tenant_id, "threshold", threshold, "point_id", points, every, 0, thresholds)
    await connection.execute(RULES, tenant_id, "n_of_m", n_of_m, "point_id", points[::-1], every, 0, several)
    await connection.execute(RULES, tenant_id, "silent_sensor", silent, "site_id", sites, 1, 0, silences)
    since = now - timedelta(seconds=60)
    machine = dump_machine(Machine(since_s=since.timestamp()))
    for column in ("point_id", "site_id"):
        await connection.execute(STATES.format(column=column), tenant_id, since, machine)
    await connection.execute(INPUTS)
    await connection.execute("INSERT INTO rule_checkpoints SELECT state_id, folded_to, machine FROM rule_states")
    await connection.execute("INSERT INTO watched_tenants VALUES ($1)", tenant_id)


async def send(connection: asyncpg.Connection, samples: Sequence[tuple[int, float]], quantity_id: int) -> None:
    """Store one measurement and one uplink of each, as ingest does: COPY, an arrival and the hint, one transaction."""
    at = datetime.now(UTC)
    async with connection.transaction():
        await connection.copy_records_to_table(
            "measurements", records=[(at, at, value, device, quantity_id, 0) for device, value in samples]
        )
        await connection.copy_records_to_table(
            "uplinks",
            columns=["received_at", "uplink_key", "ingested_at", "f_cnt", "device_id", "source_id", "confirmed", "adr",
                     "dev_addr", "outcome", "detail", "payload"],
            records=[(at, 1, at, 1, device, 1, False, True, "", "decoded", "", b"") for device, _ in samples],
        )  # fmt: skip
        devices = [device for device, _ in samples]
        await connection.execute(
            "INSERT INTO arrivals (device_ids, measured_since) VALUES ($1, $2)", devices, [at] * len(devices)
        )
        await connection.execute("SELECT pg_notify('samara_committed', '*')")


def serve(dsn: str, core: int) -> None:
    os.sched_setaffinity(0, {core})
    worker = AlertingWorker(dsn, CollectorRegistry(), now_s=time.monotonic)
    asyncio.run(worker.run())


async def prepare(dsn: str, devices: int, rules: int) -> None:
    """Make a territory with its rules, states and partitions, as they stand before anything came."""
    today = datetime.now(UTC)
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    for relation in ("measurements", "uplinks"):
        await ensure_partitions(connection, relation, {month_of(today), month_of(today + timedelta(days=31))})
    began = time.perf_counter()
    tenant_id = await territory(connection, devices)
    await watch(connection, tenant_id, rules, today)
    await connection.execute("ANALYZE")
    states = await connection.fetchval("SELECT count(*) FROM rule_states")
    say(f"{devices} devices, {rules} rules, {states} states made in {time.perf_counter() - began:.0f} s")
    await connection.close()


class Probes:
    """Devices whose sample beyond the level makes an alert, and how long after its commit that can be read."""

    def __init__(self, devices: list[int]) -> None:
        self._left = iter(devices)
        self.waiting: dict[int, float] = {}
        self.latencies: list[float] = []

    def next(self) -> int:
        """Return a device that was no probe yet."""
        return next(self._left)

    async def look(self, connection: asyncpg.Connection) -> None:
        """Look for the alerts of those that wait, for ever."""
        while True:
            rows = await connection.fetch(
                "SELECT device_id FROM alerts JOIN assignments USING (point_id) WHERE device_id = ANY($1)",
                list(self.waiting),
            )
            now = time.perf_counter()
            self.latencies.extend(now - self.waiting.pop(row["device_id"]) for row in rows)
            await asyncio.sleep(0.01)


async def until(connection: asyncpg.Connection, statement: str) -> None:
    while not await connection.fetchval(statement):  # noqa: ASYNC110 - what is waited for is in the database
        await asyncio.sleep(0.2)


async def live(dsn: str, devices: int, rate: int, seconds: float) -> None:
    """Send uplinks at a rate while a worker evaluates; say what it took."""
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    began = time.perf_counter()
    quantity_id = await connection.fetchval("SELECT quantity_id FROM quantities WHERE name = 'co2'")
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(dsn, 0), daemon=True)
    process.start()
    await until(connection, "SELECT NOT EXISTS (SELECT FROM rule_states WHERE due_at <= now())")
    for first in range(1, devices + 1, 1000):  # each is heard once: what has never been seen is not what goes on daily
        await send(
            connection, [(device, 700.0) for device in range(first, min(first + 1000, devices + 1))], quantity_id
        )
        await until(connection, "SELECT count(*) < 10 FROM arrivals")
    await until(connection, "SELECT count(*) = 0 FROM arrivals")
    say(f"first evaluation of all done after {time.perf_counter() - began:.0f} s")
    backend = await connection.fetchval("SELECT pid FROM pg_stat_activity WHERE application_name = 'samara-alerting'")
    used = [psutil.Process(process.pid), psutil.Process(backend)]
    before = [sum(one.cpu_times()[:2]) for one in used]
    watched = [row["device_id"] for row in await connection.fetch(
        "SELECT device_id FROM rules JOIN rule_states USING (rule_id) JOIN assignments USING (point_id)"
        " WHERE kind = 'threshold'"
    )]  # fmt: skip
    random.Random(2).shuffle(watched)
    probes, looking = Probes(watched), await asyncpg.connect(dsn)
    task = asyncio.create_task(probes.look(looking))
    sent, elapsed, backlog = await send_for(connection, probes, devices, rate, seconds, quantity_id)
    after = [sum(one.cpu_times()[:2]) for one in used]
    deadline = time.perf_counter() + 20
    while probes.waiting and time.perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    task.cancel()
    latencies = sorted(probes.latencies)
    say(f"{sent} uplinks in {elapsed:.1f} s: {sent / elapsed:.0f}/s; arrivals waiting: {statistics.median(backlog):.0f}"
        f" (median), {max(backlog)} (most)")  # fmt: skip
    say(f"commit to firing, {len(latencies)} probes: median {statistics.median(latencies) * 1000:.0f} ms,"
        f" p99 {latencies[int(len(latencies) * 0.99)] * 1000:.0f} ms, most {latencies[-1] * 1000:.0f} ms;"
        f" {len(probes.waiting)} not seen")  # fmt: skip
    for name, one, other in zip(("worker", "its PostgreSQL backend"), before, after, strict=True):
        say(f"CPU of the {name}: {(other - one) / elapsed:.2f} of a core")
    process.kill()
    await looking.close()
    await connection.close()


async def send_for(
    connection: asyncpg.Connection, probes: Probes, devices: int, rate: int, seconds: float, quantity_id: int
) -> tuple[int, float, list[int]]:
    """Send at a rate, a probe in each batch; return how many, the seconds, and how many arrivals waited."""
    chance, batch = random.Random(1), max(rate // 20, 1)
    start, sent, backlog = time.perf_counter(), 0, []
    while (elapsed := time.perf_counter() - start) < seconds:
        if sent >= rate * elapsed:
            await asyncio.sleep(0.005)
            continue
        probe = probes.next()
        samples = [
            (device, 600.0 + chance.random() * 300)
            for device in chance.sample(range(1, devices + 1), batch)
            if device != probe and device not in probes.waiting
        ]
        await send(connection, [*samples, (probe, 1900.0)], quantity_id)
        probes.waiting[probe] = time.perf_counter()
        sent += len(samples) + 1
        if len(backlog) < elapsed:
            backlog.append(await connection.fetchval("SELECT count(*) FROM arrivals"))
    return sent, elapsed, backlog


async def history(dsn: str, kind_asked: str | None) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    tenant_id = await territory(connection, SITE)
    quantity_id = await connection.fetchval("SELECT quantity_id FROM quantities WHERE name = 'co2'")
    now = datetime(2026, 11, 1, tzinfo=UTC)
    since = now - timedelta(days=91)
    await ensure_partitions(
        connection, "measurements", {month_of(since + timedelta(days=day)) for day in range(0, 92, 10)}
    )
    await connection.execute(
        """
        INSERT INTO measurements
        SELECT at, at, 900 + 700 * abs(sin(extract(epoch FROM at) / 9000 + device_id)), device_id, $1, 0
          FROM generate_series($2::timestamptz, $3::timestamptz, interval '13 minutes') AS at, devices
        """,
        quantity_id, since, now - timedelta(minutes=1),
    )  # fmt: skip
    await connection.execute(
        """
        INSERT INTO latest_frames
        SELECT device_id, 1, $2, $2, ARRAY[$1::integer]::smallint[], '{0}', '{900}' FROM devices
        """,
        quantity_id, now,
    )  # fmt: skip
    await connection.execute("ANALYZE")
    kinds = {
        "threshold": {"quantity": "co2", "above": 1500, "clear": 1200, "for_s": 1200},
        "n_of_m": {"quantity": "co2", "above": 1500, "n": 3, "m": 5},
        "rate_of_change": {"quantity": "co2", "rise": 600, "within_s": 3600},
        "aggregate": {"quantity": "co2", "function": "mean", "over_s": 86400, "above": 1400},
        "co2_occupied": {},
        "frozen_value": {"quantity": "co2"},
        "group": {"quantity": "co2", "above": 1500, "mode": "count", "count": 60},
    }
    for kind, values in kinds.items():
        if kind_asked not in {None, kind}:
            continue
        definition, took, cpu = parse(kind, values), [], []
        for _ in range(3):
            began, used = time.perf_counter(), time.process_time()
            found = await backtest(connection, tenant_id, definition, TargetModel(everything=True), now=now)
            took.append(time.perf_counter() - began)
            cpu.append(time.process_time() - used)
        say(f"backtest of {kind}: {found.samples} measurements, {len(found.firings)} firings,"
            f" {statistics.median(took):.2f} s ({statistics.median(cpu):.2f} of them ours)")  # fmt: skip
    await connection.close()


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--rules", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kind", help="Of the backtests, this one alone.")
    parser.add_argument("--only", choices=["backtest", "live"])
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="samara-bench-"))
    directory.chmod(0o755)  # noqa: ASYNC240
    async with EmbeddedPostgres(
        directory / "pg", None, {"synchronous_commit": "off", "shared_buffers": "256MB"}
    ) as server:
        for name in ("backtest", "live"):
            if arguments.only not in {None, name}:
                continue
            connection = await asyncpg.connect(server.dsn)
            await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()
            dsn = server.dsn.replace("/postgres?", f"/{name}?")
            await migrate(dsn, timescale=False)
            if name == "live":
                await prepare(dsn, arguments.devices, arguments.rules)
                await live(dsn, arguments.devices, arguments.rate, arguments.seconds)
            else:
                await history(dsn, arguments.kind)


if __name__ == "__main__":
    asyncio.run(main())
