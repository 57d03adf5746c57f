"""How long a list of sensors takes on the page `/t/<slug>/import`: sent, looked at, and taken, 1,000 rows at a time.

    python -m tests.benchmarks.bench_import [--rows 10000] [--runs 3] [--profile FILE]

The page, its API and its embedded PostgreSQL are real; the list has seven columns in CSV: 1,000 sites, a sensor and a
point each row. Each run is of a commune of its own. `--profile` keeps a cProfile of this process's part.
"""

import argparse
import asyncio
import cProfile
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
from aiohttp import ClientSession, FormData

sys.path.insert(0, str(Path(__file__).parent.parent))

import api_world  # beside, in tests/

from api.settings import ApiSettings
from deploy.dsns import let_roles_in
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from store.access.roles import ACCOUNTS, API
from store.fleet import TenantDeclaration, declare_tenant
from store.migrate import migrate
from tests.benchmarks.bench_supervision import Meter

HEADINGS: Final = "DevEUI;Nom;Modèle;Lieu;Point;Latitude;Longitude"
SITES: Final = 1000


class Cost(NamedTuple):
    """Seconds to send the file, to look at it, to take its rows; statements of the last; this process's CPU in all."""

    sent: float
    looked: float
    taken: float
    statements: float
    cpu: float


def listed(run: int, rows: int) -> bytes:
    """Return the list of a run."""
    lines = [
        f"{run:08x}{row:08x};Capteur {row};Acme TH;Bâtiment {row % SITES};Mesure {row};"
        f"{49.6 + row % SITES / 2000:.5f}".replace(".", ",")
        + f";{2 + row % SITES / 2000:.5f}".replace(".", ",")
        for row in range(rows)
    ]
    return "\n".join([HEADINGS, *lines]).encode()


async def measure(http: ClientSession, meter: Meter, slug: str, content: bytes) -> tuple[Cost, int]:
    """Send a list, look at it, take all its rows; return what it cost and in how many steps."""
    cpu, begun = time.process_time(), time.perf_counter()
    form = FormData()
    form.add_field("file", content, filename="capteurs.csv", content_type="text/csv")
    async with http.post(f"/t/{slug}/import", data=form, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        address = answer.headers["Location"].partition("?")[0]
    sent = time.perf_counter()
    async with http.get(address) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()
    looked, meter.statements_ms, steps = time.perf_counter(), 0.0, 0
    while True:
        async with http.post(f"{address}/prise", data=b"") as answer:
            page = await answer.text()
            assert answer.status == 200, page
        steps += 1
        if "data-take" not in page:
            break
    taken = time.perf_counter()
    cost = Cost(sent - begun, looked - sent, taken - looked, meter.statements_ms / 1000, time.process_time() - cpu)
    return cost, steps


async def bench(folder: Path, given: argparse.Namespace) -> None:
    """Fill, measure, print."""
    async with EmbeddedPostgres(folder / "pg") as postgres:
        await migrate(postgres.dsn)
        await let_roles_in(postgres.dsn, {role: role_password(postgres.dsn, role) for role in (API, ACCOUNTS)})
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute("INSERT INTO models VALUES ('acme-th', 'Acme', 'TH', 3600)")
        for run in range(1, given.runs + 1):
            await declare_tenant(
                connection, TenantDeclaration(f"c{run}", f"Commune {run}", "commune", insee=f"80{run:03}")
            )
        cookie = await api_world.sign_in(connection, ("technician", None))
        meter = Meter()
        meter.watch()
        async with (
            api_world.serving(postgres.dsn, ApiSettings(), api_world.Clock()) as address,
            ClientSession(address, cookies=cookie, headers={"Origin": address}) as http,
        ):
            for run in range(1, given.runs + 1):
                cost, steps = await measure(http, meter, f"c{run}", listed(run, given.rows))
                told = "   ".join(f"{name} {value:5.2f} s" for name, value in cost._asdict().items())
                sys.stdout.write(f"{given.rows} rows in {steps} steps: {sum(cost[:3]):5.2f} s   {told}\n")
        assert await connection.fetchval("SELECT count(*) FROM assignments") == given.rows * given.runs
        await connection.close()


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", type=Path)
    given = parser.parse_args()
    profile = cProfile.Profile() if given.profile else None
    with tempfile.TemporaryDirectory(prefix="samara-bench-") as folder:
        Path(folder).chmod(0o755)
        if profile:
            profile.enable()
        asyncio.run(bench(Path(folder), given))
        if profile:
            profile.disable()
            profile.dump_stats(given.profile)


if __name__ == "__main__":
    main()
