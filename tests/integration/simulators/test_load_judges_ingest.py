"""Every fault at once on real processes, ingest killed in the middle: the ledger judges what the database holds."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from sim_mortal import Broker

from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.load import ledger
from simulators.load.judge import StoredUplink, Verdict, judge, told
from simulators.load.run import run
from simulators.load.spec import Faults, Format, LoadSpec, Outage, RejoinStorm
from simulators.mqtt_publisher import Publisher

PROGRAM = Path(__file__).parents[1] / "ingest" / "ingest_process.py"
EVERYTHING = Faults(
    duplicate=0.03,
    redeliver=0.03,
    new_id=0.03,
    late_reception=0.03,
    reorder=0.05,
    truncate_payload=0.02,
    flip_payload=0.02,
    cut_message=0.02,
    clock_drift=0.1,
    f_cnt_reset=0.1,
    roll_over=0.1,
    death=0.05,
    outages=(Outage(start_s=100, end_s=2000, share=0.3),),
    rejoin_storms=(RejoinStorm(at_s=4000, share=0.5),),
)
MODELS = (
    "dragino-lse01", "multitech-rbs301-temp", "multitech-rbs305-ath", "dragino-dds75-lb", "makerfabs-soil-moisture",
)  # fmt: skip
STORED = """
    SELECT dev_eui, dev_addr, f_cnt, received_at, payload, ingested_at,
           (SELECT count(*) FROM measurements AS m WHERE m.device_id = u.device_id AND m.received_at = u.received_at)
               AS readings
      FROM uplinks AS u JOIN devices USING (device_id)
"""


class IngestProcess:
    """Ingest as a process that can be killed."""

    def __init__(self, folder: Path, dsn: str, broker: Broker, form: Format) -> None:
        source = {
            "host": broker.host,
            "port": broker.port,
            "name": "load",
            "lns": "thethingsstack" if form == "things-stack" else "chirpstack",
            "client_id": f"judged-{form}-{broker.port}",
        }
        self._settings = folder / "settings.json"
        self._settings.write_text(json.dumps({"dsn": dsn, "folder": str(folder), "ingest": {"mqtt": [source]}}))
        self._log = folder / "log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, PROGRAM, self._settings, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while b"ready" not in (line := await self._process.stdout.readline()):
                assert line, self._log.read_text()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def declare(connection: asyncpg.Connection, spec: LoadSpec) -> None:
    tenant = await connection.fetchval(
        "INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'judged', 'Judged') RETURNING tenant_id"
    )
    await connection.executemany(
        "INSERT INTO models (model_id, vendor, name) VALUES ($1, $1, $1) ON CONFLICT DO NOTHING",
        [(model,) for model in spec.models],
    )
    await connection.executemany(
        "INSERT INTO devices (dev_eui, tenant_id, model_id) VALUES ($1, $2, $3)",
        [
            (ledger.dev_eui(spec, device), tenant, spec.models[device % len(spec.models)])
            for device in range(spec.devices)
        ],
    )


async def verdict(connection: asyncpg.Connection, path: Path) -> Verdict:
    rows = await connection.fetch(STORED)
    stored = [
        StoredUplink(
            row["dev_eui"],
            row["dev_addr"],
            row["f_cnt"],
            row["received_at"],
            row["payload"],
            row["readings"],
            row["ingested_at"],
        )
        for row in rows
    ]
    quarantined = await connection.fetch("SELECT message FROM quarantine WHERE reason = 'unreadable'")
    return judge(ledger.read(path), stored, quarantined=[row["message"] for row in quarantined])


async def test_nothing_is_lost_doubled_or_altered(broker: Broker, database: str, tmp_path: Path) -> None:
    start_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
    spec = LoadSpec(
        devices=200, uplinks_per_device=15, speed=None, faults=EVERYTHING, models=MODELS, start_at=start_at,
        first_dev_eui=0x025A_1200_0000_0000,
    )  # fmt: skip
    process, connection = IngestProcess(tmp_path, database, broker, spec.format), await asyncpg.connect(database)
    try:
        await declare(connection, spec)
        await process.start()
        async with Publisher(BrokerAddress(port=broker.port), client_id="judge", window=200) as publisher:
            publishing = asyncio.create_task(run(spec, [publisher], tmp_path / "ledger", clock=SystemClock()))
            for _ in range(3):
                wanted = publisher.acknowledged + 700
                while publisher.acknowledged < wanted and not publishing.done():  # noqa: ASYNC110 - a counter
                    await asyncio.sleep(0)
                await process.kill()
                await process.start()
            await publishing
        async with asyncio.timeout(60):
            while (found := await verdict(connection, tmp_path / "ledger")).broken:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(told(await verdict(connection, tmp_path / "ledger"))) from None
    finally:
        await process.kill()
        await connection.close()
    assert found.expected > 2700
    assert found.set_aside > 20
