"""How long the pages of a tenant of 300 points take: python tests/benchmarks/bench_pages.py DIRECTORY

Ten tenants of 300 points each, thirteen months of the days that maintenance rolls up (1.2 million rows: those of 170
million measurements every ten minutes). Accueil reads these, the newest frames and the alerts, and no measurement one
by one. It is asked by a browser's session, row security and all, one request after the other.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import aiohttp
import asyncpg
import psutil

from api.settings import ApiSettings
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from store.access.roles import ROLES, let_in
from store.migrate import migrate

TESTS: Final = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

import api_world  # noqa: E402 - where tests find it

HOME: Final = "/t/commune-5"
PATHS: Final = (
    HOME,
    *(f"{HOME}/{page}" for page in ("sites", "energie", "eau", "environnement")),
    "/recherche?q=point",
)
SESSIONS: Final = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'samara%'"
SETTINGS: Final = {"shared_buffers": "512MB", "fsync": "off", "synchronous_commit": "off"}

FILL: Final = """
INSERT INTO tenants (kind, slug, name)
SELECT 'commune', 'commune-' || n, 'Commune ' || n FROM generate_series(1, 10) AS n;
INSERT INTO sites (tenant_id, name, kind, latitude_deg, longitude_deg)
SELECT tenant_id, 'Site ' || n, 'school', 49.8 + n * 0.001, 2.3 FROM tenants, generate_series(1, 20) AS n;
INSERT INTO points (site_id, name) SELECT site_id, 'Point ' || n FROM sites, generate_series(1, 15) AS n;
INSERT INTO devices (dev_eui, tenant_id)
SELECT lpad(to_hex(point_id), 16, '0'), tenant_id FROM points JOIN sites USING (site_id);
INSERT INTO assignments (device_id, point_id, during)
SELECT device_id, point_id, tstzrange('2024-01-01', NULL)
  FROM points JOIN devices ON dev_eui = lpad(to_hex(point_id), 16, '0');
INSERT INTO latest_frames (device_id, layout, measured_at, received_at, quantity_ids, channels, readings)
SELECT device_id, 1, '2025-11-22 08:50Z', '2025-11-22 08:50Z', ARRAY[quantity_id], '{0}', '{1}'
  FROM devices JOIN quantities
    ON quantities.name
       = (ARRAY['active_energy_import', 'active_energy_import', 'water_volume', 'co2'])[device_id % 4 + 1];
INSERT INTO measurements_daily
SELECT device_id, quantity_ids[1], 0, day AT TIME ZONE 'Europe/Paris', 144, 144 * value, value, value + 24, value,
       day AT TIME ZONE 'Europe/Paris', value + 24, day AT TIME ZONE 'Europe/Paris' + interval '23 hours'
  FROM latest_frames, generate_series(timestamp '2024-10-15', '2025-11-21', '1 day') AS day,
       LATERAL (SELECT date_part('epoch', day) / 3600 AS value) AS one;
"""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--answers", type=int, default=200)
    asked = parser.parse_args()
    asked.directory.mkdir(parents=True, exist_ok=True)
    asked.directory.chmod(0o755)
    pg_bin = os.environ.get("SAMARA_PG_BIN")
    async with EmbeddedPostgres(asked.directory / "postgres", Path(pg_bin) if pg_bin else None, SETTINGS) as server:
        await migrate(server.dsn, timescale=False)
        connection = await asyncpg.connect(server.dsn)
        for role in ROLES:
            await connection.execute(
                f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
            await let_in(connection, role, role_password(server.dsn, role), os.urandom(16))
        if not await connection.fetchval("SELECT count(*) FROM tenants"):
            await connection.execute(FILL)
            await connection.execute("VACUUM ANALYZE")
        tenant_id = await connection.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'commune-5'")
        cookie = await api_world.sign_in(connection, ("manager", tenant_id), email=f"{time.time()}@example.fr")
        clock = api_world.Clock()
        async with (
            api_world.serving(server.dsn, ApiSettings(), clock) as address,
            aiohttp.ClientSession(address, cookies=cookie) as http,
        ):
            for path in PATHS:
                await _tell(connection, http, path, asked.answers)
        await connection.close()


async def _tell(connection: asyncpg.Connection, http: aiohttp.ClientSession, path: str, answers: int) -> None:
    """Ask for a page again and again; say how long it took, and how much CPU of PostgreSQL and of the API each time."""
    for _ in range(10):
        await _ask_ms(http, path)
    sessions = [psutil.Process(row["pid"]) for row in await connection.fetch(SESSIONS)]
    postgres_s, api_s = sum(map(_cpu_s, sessions)), time.process_time()
    times_ms = sorted([await _ask_ms(http, path) for _ in range(answers)])
    postgres_ms = (sum(map(_cpu_s, sessions)) - postgres_s) * 1000 / answers
    api_ms = (time.process_time() - api_s) * 1000 / answers
    p95 = times_ms[int(len(times_ms) * 0.95)]
    sys.stdout.write(
        f"{path:28} median {statistics.median(times_ms):6.1f} ms, p95 {p95:6.1f} ms;"
        f" CPU: PostgreSQL {postgres_ms:.0f} ms, API and client {api_ms:.0f} ms; load {os.getloadavg()[0]:.0f}\n"
    )
    sys.stdout.flush()


def _cpu_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


async def _ask_ms(http: aiohttp.ClientSession, path: str) -> float:
    begun = time.perf_counter()
    async with http.get(path) as answer:
        body = await answer.text()
        assert answer.status == 200, body[:500]
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    asyncio.run(main())
