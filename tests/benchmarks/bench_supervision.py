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
from typing import Final

import asyncpg
from aiohttp import ClientSession

sys.path.insert(0, str(Path(__file__).parent.parent))

import api_world  # beside, in tests/

from api.settings import ApiSettings
from deploy.dsns import let_roles_in
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from store.access.roles import ACCOUNTS, API
from store.maintenance import fleet
from store.migrate import migrate
from store.partitions import ensure_partitions, month_of

NOW: Final = api_world.NOW
TENANTS: Final = 771

# The sizes are settings of the session; `now` is api_world.NOW.
FILL: Final = """
INSERT INTO tenants (kind, slug, name, insee)
SELECT 'commune', 'c' || n, 'Commune ' || n, lpad(n::text, 5, '8')
  FROM generate_series(1, current_setting('bench.tenants')::integer) AS n;
INSERT INTO models VALUES ('m1', 'Acme', 'TH', 3600), ('m2', 'Acme', 'Eau', 3600), ('m3', 'Acme', 'Air', 900);
INSERT INTO sites (tenant_id, name, latitude_deg, longitude_deg)
SELECT tenant_id, 'Site ' || n, 49.6 + (tenant_id % 28) * 0.03, 1.5 + (tenant_id / 28) * 0.05
  FROM tenants, generate_series(1, 5) AS n;
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
INSERT INTO heard_daily
SELECT device_id, day::date, 1 + (device_id + other * 7) % current_setting('bench.antennas')::integer,
       7 + device_id % 6, 24, 4, 1000000, -105, -3, -9
  FROM devices, generate_series(0, 1) AS other,
       generate_series(current_setting('bench.now')::date - 6, current_setting('bench.now')::date, '1 day') AS day
 WHERE other = 0 OR device_id % 5 > 0;
INSERT INTO frames_daily
SELECT device_id, day::date, 24, device_id % 30 / 29, 0, 1000000, 3600
  FROM devices,
       generate_series(current_setting('bench.now')::date - 6, current_setting('bench.now')::date, '1 day') AS day;
INSERT INTO radio_accounts SELECT device_id, day, frames, 1, 0, 0, 0 FROM frames_daily;
INSERT INTO device_health
SELECT device_id, tenant_id, now()::date, 168, 7, CASE WHEN device_id % 500 = 0 THEN 3 ELSE 0 END,
       device_id % 30 / 29, 0, 3600, 8, ARRAY[one] || CASE WHEN device_id % 5 > 0 THEN ARRAY[two] ELSE '{}' END,
       CASE WHEN device_id % 5 = 0 THEN one END, 'level', 40, current_setting('bench.now')::date,
       current_setting('bench.now')::date + device_id % 2000
  FROM devices,
       LATERAL (SELECT 1 + device_id % current_setting('bench.antennas')::integer AS one,
                       1 + (device_id + 7) % current_setting('bench.antennas')::integer AS two) AS heard;
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
    for name, work in (
        ("whom gateways serve, hours, a round of ingest", fleet.refresh_network(connection, NOW)),
        ("silent devices", fleet.refresh_silent(connection, NOW)),
        ("counts of the fleet and one day", fleet.refresh_fleet(connection, NOW, {NOW.date()})),
    ):
        begun = time.perf_counter()
        await work
        sys.stdout.write(f"maintenance: {name}: {time.perf_counter() - begun:.2f} s\n")
    await connection.execute("ANALYZE")


PAGES: Final = (
    "/reseau", "/reseau?vue=toutes&page=5", "/reseau/antennes/{eui}", "/reseau/capteurs/{dev}", "/reseau/couverture",
    "/reseau/couverture?commune=c5", "/reseau/parc", "/reseau/parc?commune=c5", "/reseau/securite",
)  # fmt: skip


async def measure(address: str, cookie: dict[str, str], path: str, requests: int) -> tuple[float, float]:
    """Return the median and the 95th percentile of a page's time, ms."""
    took = []
    async with ClientSession(address, cookies=cookie) as http:
        for number in range(requests + 3):
            asked = path.format(eui=f"a{1 + number:015x}", dev=f"{1 + number:016x}")
            begun = time.perf_counter()
            async with http.get(asked) as answer:
                await answer.read()
                assert answer.status == 200, (asked, answer.status)
            took.append((time.perf_counter() - begun) * 1000)
    took = sorted(took[3:])
    return statistics.median(took), took[max(0, round(0.95 * len(took)) - 1)]


async def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--antennas", type=int, default=500)
    parser.add_argument("--requests", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samara-bench-") as directory:
        Path(directory).chmod(0o755)  # the database runs as another user
        async with EmbeddedPostgres(Path(directory) / "pg") as postgres:
            await migrate(postgres.dsn)
            await let_roles_in(postgres.dsn, {role: role_password(postgres.dsn, role) for role in (API, ACCOUNTS)})
            connection = await asyncpg.connect(postgres.dsn, server_settings={"timezone": "UTC"})
            begun = time.perf_counter()
            await fill(connection, given.devices, given.antennas)
            sys.stdout.write(f"filled in {time.perf_counter() - begun:.0f} s\n")
            cookie = await api_world.sign_in(connection, ("supervisor", None))
            async with api_world.serving(postgres.dsn, ApiSettings(), api_world.Clock()) as address:
                for path in PAGES:
                    median, p95 = await measure(address, cookie, path, given.requests)
                    sys.stdout.write(f"{path:36} median {median:6.0f} ms   p95 {p95:6.0f} ms\n")
            await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
