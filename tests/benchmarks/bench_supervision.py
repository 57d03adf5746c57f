"""What supervision's pages cost with 100,000 devices and 500 antennas: time of the server, from request to answer.

    python -m tests.benchmarks.bench_supervision [--devices 100000] [--antennas 500] [--requests 40]

Fills a database of its own (embedded PostgreSQL) with generated roll-ups, as maintenance keeps them, has maintenance do
its round once, and asks each page in turn.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
from aiohttp import ClientSession, web

sys.path.insert(0, str(Path(__file__).parent.parent))

import api_world  # beside, in tests/

from api.pages import rendering
from api.settings import ApiSettings
from deploy.dsns import let_roles_in
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from store.access.roles import ACCOUNTS, API
from store.maintenance import fleet, network
from store.migrate import migrate
from store.partitions import ensure_partitions, month_of

NOW: Final = api_world.NOW
TENANTS: Final = 771
WARMED_BY: Final = 4  # requests that are not counted: each connection of the pool prepares each statement once

# The sizes are settings of the session; `now` is api_world.NOW.
FILL: Final = """
INSERT INTO tenants (kind, slug, name, insee)
SELECT 'commune', 'c' || n, 'Commune ' || n, lpad(n::text, 5, '8')
  FROM generate_series(1, current_setting('bench.tenants')::integer) AS n;
INSERT INTO models VALUES ('m1', 'Acme', 'TH', 3600), ('m2', 'Acme', 'Eau', 3600), ('m3', 'Acme', 'Air', 900);
INSERT INTO sites (tenant_id, name, latitude_deg, longitude_deg)
SELECT tenant_id, 'Site ' || n, 49.6 + (tenant_id % 28) * 0.03, 1.5 + (tenant_id / 28) * 0.05
  FROM tenants, generate_series(1, 5) AS n
 ORDER BY tenant_id, n;
INSERT INTO devices (dev_eui, tenant_id, name, model_id)
SELECT lpad(to_hex(n), 16, '0'),
       (SELECT min(tenant_id) FROM tenants) + n % current_setting('bench.tenants')::integer,
       'Capteur ' || n, 'm' || (1 + n % 3)
  FROM generate_series(1, current_setting('bench.devices')::integer) AS n;
INSERT INTO points (site_id, name)
SELECT (SELECT min(site_id) FROM sites WHERE sites.tenant_id = devices.tenant_id) + device_id % 5, 'Point ' || device_id
  FROM devices;
INSERT INTO assignments (device_id, point_id, during)
SELECT substr(name, 7)::integer, point_id, tstzrange('2025-01-01', NULL) FROM points;
INSERT INTO gateways (gateway_eui, name, latitude_deg, longitude_deg)
SELECT 'a' || lpad(to_hex(n), 15, '0'), 'Antenne ' || n, 49.6 + random() * 0.8, 1.5 + random() * 1.4
  FROM generate_series(1, current_setting('bench.antennas')::integer) AS n;
INSERT INTO gateways_heard
SELECT gateway_id, 'w', current_setting('bench.now')::timestamptz
                        - CASE WHEN gateway_id % 25 = 0 THEN interval '3 hours' ELSE interval '1 minute' END
  FROM gateways;
INSERT INTO gateway_hours
SELECT gateway_id, hour, 120, 900, 700, 12, 12, hour + interval '59 minutes'
  FROM gateways, generate_series(current_setting('bench.now')::timestamptz - interval '47 hours',
                                 current_setting('bench.now')::timestamptz, '1 hour') AS hour
 WHERE gateway_id % 25 <> 0 OR hour < current_setting('bench.now')::timestamptz - interval '3 hours';
-- Who hears whom: a tenant's devices are heard by a dozen antennas around it, each device by one to three of those.
CREATE TEMPORARY TABLE hearing AS
SELECT device_id, tenant_id, other,
       1 + ((tenant_id - first_id) * antennas / tenants + (device_id / tenants + other * 5) % 12) % antennas
         AS gateway_id
  FROM devices,
       generate_series(0, 2) AS other,
       (SELECT min(tenant_id) AS first_id, current_setting('bench.antennas')::integer AS antennas,
               current_setting('bench.tenants')::integer AS tenants FROM tenants) AS size
 WHERE other <= device_id % 5;
INSERT INTO heard_daily
SELECT device_id, day::date, gateway_id, 7 + device_id % 6, 24, 4, 1000000, -105, -3, -9
  FROM hearing,
       generate_series(current_setting('bench.now')::date - 6, current_setting('bench.now')::date, '1 day') AS day;
INSERT INTO frames_daily
SELECT device_id, day::date, 24, device_id % 30 / 29, 0, 1000000, 3600
  FROM devices,
       generate_series(current_setting('bench.now')::date - 6, current_setting('bench.now')::date, '1 day') AS day;
INSERT INTO radio_accounts SELECT device_id, day, frames, 1, 0, 0, 0 FROM frames_daily;
INSERT INTO device_health
SELECT device_id, devices.tenant_id, current_setting('bench.now')::date, 168, 7,
       CASE WHEN device_id % 500 = 0 THEN 3 ELSE 0 END, device_id % 30 / 29,
       CASE WHEN device_id % 50 = 0 THEN 168 ELSE 0 END,
       3600, 8 + device_id % 7, heard, CASE WHEN cardinality(heard) = 1 THEN heard[1] END, 'level', 40,
       current_setting('bench.now')::date, current_setting('bench.now')::date + device_id % 2000
  FROM devices
  JOIN (SELECT device_id, array_agg(DISTINCT gateway_id) AS heard FROM hearing GROUP BY device_id) AS one
       USING (device_id);
INSERT INTO latest_frames
SELECT device_id, 1, at, at, '{}', '{}', '{}'
  FROM devices,
       LATERAL (SELECT current_setting('bench.now')::timestamptz
                       - CASE WHEN device_id % 40 = 0 THEN interval '4 days'
                              ELSE interval '10 minutes' END AS at) AS seen;
INSERT INTO fleet_days
SELECT tenant_id, day::date, 3000, 10, 3120
  FROM tenants,
       generate_series(current_setting('bench.now')::date - 30, current_setting('bench.now')::date, '1 day') AS day;
INSERT INTO network_events
SELECT at, gateway_id, at, NULL, gateway_id, 1, 'gateway_stats',
       '{"rx_packets": 30, "rx_packets_ok": 20, "tx_packets": 2, "tx_packets_emitted": 2,
         "tx_packets_per_frequency_hz": {"868100000": 1, "869525000": 1}}'
  FROM gateways,
       generate_series(current_setting('bench.now')::timestamptz - interval '59 minutes',
                       current_setting('bench.now')::timestamptz - interval '1 minute', '30 seconds') AS at
 WHERE gateway_id % 25 <> 0;
INSERT INTO network_events
SELECT current_setting('bench.now')::timestamptz - n * interval '2 minutes', 1000000 + n, now(), 1 + n % 300, NULL, 1,
       'log',
       '{"code": "OTAA", "description": "DevNonce has already been used"}'
  FROM generate_series(1, 5000) AS n;
INSERT INTO quarantine (digest, first_at, last_at, times, source_id, lns, topic, reason, detail, dev_eui, day, kind,
                        message, message_bytes)
SELECT n::text::bytea, current_setting('bench.now')::timestamptz - interval '3 days',
       current_setting('bench.now')::timestamptz - interval '5 minutes', 1, 1, 'chirpstack_v4', 'a', 'unknown_device',
       '', 'b' || lpad(to_hex(n % 400), 15, '0'), current_setting('bench.now')::date, 'uplink', '', 0
  FROM generate_series(1, 20000) AS n;
INSERT INTO ingest_accounts
SELECT current_setting('bench.now')::date - ago, 1, tenant_id, 'uplink', 'stored', 'w', 3000
  FROM tenants, generate_series(0, 7) AS ago;
"""


async def fill(connection: asyncpg.Connection, devices: int, antennas: int) -> None:
    """Write the territory and its roll-ups; let maintenance count."""
    for relation in ("uplinks", "receptions", "network_events"):
        await ensure_partitions(connection, relation, {month_of(NOW), month_of(NOW - timedelta(days=31))})
    sizes = {"devices": str(devices), "antennas": str(antennas), "tenants": str(TENANTS), "now": NOW.isoformat()}
    for name, value in sizes.items():
        await connection.execute("SELECT set_config($1, $2, false)", f"bench.{name}", value)
    await connection.execute(FILL)
    await connection.execute("ANALYZE")
    yesterday = NOW.date() - timedelta(days=1)
    for name, work in (
        ("whom gateways serve, hours, a round of ingest", network.refresh_network(connection, NOW)),
        ("silent devices", fleet.refresh_silent(connection, NOW)),
        ("counts of the fleet", fleet.refresh_fleet(connection, NOW)),
        ("frames of two days", fleet.count_days(connection, {NOW.date(), yesterday})),
    ):
        begun = time.perf_counter()
        await work
        sys.stdout.write(f"maintenance: {name}: {time.perf_counter() - begun:.2f} s\n")
    await connection.execute("ANALYZE")


PAGES: Final = (
    "/reseau", "/reseau?vue=toutes&page=5", "/reseau/antennes/{eui}", "/reseau/capteurs/{dev}", "/reseau/couverture",
    "/reseau/couverture?commune=c5", "/reseau/parc", "/reseau/parc?commune=c5", "/reseau/securite",
)  # fmt: skip


class Meter:
    """Where the time of the server goes: in statements, and in rendering what they found."""

    def __init__(self) -> None:
        self.statements_ms = 0.0
        self.rendering_ms = 0.0

    def watch(self) -> None:
        """Measure all connections and all pages of this process from now on."""
        render = rendering.html
        run = asyncpg.Connection._execute  # what fetch, fetchrow and fetchval have in common

        async def executed(*given: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return await run(*given, **named)
            finally:
                self.statements_ms += (time.perf_counter() - begun) * 1000

        def rendered(*given: Any, **named: Any) -> web.Response:
            begun = time.perf_counter()
            try:
                return render(*given, **named)
            finally:
                self.rendering_ms += (time.perf_counter() - begun) * 1000

        asyncpg.Connection._execute = executed
        rendering.html = rendered


class Cost(NamedTuple):
    """Of one page, ms: all of it, its statements, the rendering of its template."""

    whole: float
    statements: float
    rendering: float


async def measure(address: str, cookie: dict[str, str], path: str, requests: int, meter: Meter) -> list[Cost]:
    """Return what each request of a page cost."""
    costs = []
    async with ClientSession(address, cookies=cookie) as http:
        for number in range(requests + WARMED_BY):
            asked = path.format(eui=f"a{1 + number:015x}", dev=f"{1 + number:016x}")
            meter.statements_ms = meter.rendering_ms = 0.0
            begun = time.perf_counter()
            async with http.get(asked) as answer:
                await answer.read()
                assert answer.status == 200, (asked, answer.status)
            costs.append(Cost((time.perf_counter() - begun) * 1000, meter.statements_ms, meter.rendering_ms))
    return costs[WARMED_BY:]


def told(costs: list[Cost]) -> str:
    """Return median and 95th percentile of the whole, medians of its parts."""
    whole = sorted(one.whole for one in costs)
    p95 = whole[max(0, round(0.95 * len(whole)) - 1)]
    parts = [statistics.median(column) for column in zip(*costs, strict=True)]
    return f"median {parts[0]:5.0f} ms   p95 {p95:5.0f} ms   statements {parts[1]:5.0f}   rendering {parts[2]:5.0f}"


async def bench(folder: Path, given: argparse.Namespace) -> None:
    """Fill, measure, print."""
    async with EmbeddedPostgres(folder / "pg") as postgres:
        await migrate(postgres.dsn)
        await let_roles_in(postgres.dsn, {role: role_password(postgres.dsn, role) for role in (API, ACCOUNTS)})
        connection = await asyncpg.connect(postgres.dsn, server_settings={"timezone": "UTC"})
        begun = time.perf_counter()
        await fill(connection, given.devices, given.antennas)
        sys.stdout.write(f"filled in {time.perf_counter() - begun:.0f} s\n")
        await ask(connection, postgres.dsn, given.requests)
        await connection.close()


async def ask(connection: asyncpg.Connection, dsn: str, requests: int) -> None:
    """Ask each page so often as a supervisor of the whole network; print what it cost."""
    meter = Meter()
    meter.watch()
    cookie = await api_world.sign_in(connection, ("supervisor", None))
    async with api_world.serving(dsn, ApiSettings(), api_world.Clock()) as address:
        for path in PAGES:
            sys.stdout.write(f"{path:32} {told(await measure(address, cookie, path, requests, meter))}\n")


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--antennas", type=int, default=500)
    parser.add_argument("--requests", type=int, default=40)
    with tempfile.TemporaryDirectory(prefix="samara-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(bench(Path(folder), parser.parse_args()))


if __name__ == "__main__":
    main()
