"""`samara simulate run --judge`: the platform's promises as numbers, and as an exit code."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from acceptance_support import SAMARA, Service, command, environment

from deploy.embedded.broker import EmbeddedBroker
from simulators import scenarios
from simulators.load import spec
from simulators.load.judge import BROKEN_BY

SCENARIO = """
[load]
name = "short"
format = "{form}"
devices = 60
uplinks_per_device = 5
speed = 0
first_dev_eui = {first}
models = ["dragino-lse01", "multitech-rbs305-ath"]
[load.faults]
duplicate = 0.1
new_id = 0.1
cut_message = 0.1
flip_payload = 0.1
"""
SECRET = "a secret of the tests"


async def simulate(directory: Path, settings: dict[str, str], *arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        SAMARA, "simulate", *arguments, cwd=directory, env=environment(**settings),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await asyncio.wait_for(process.wait(), 60)


@pytest.fixture(params=["chirpstack-protobuf by MQTT", "things-stack by HTTP"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_load_is_judged_and_the_exit_code_tells(
    way: str, database: str, nats_broker: EmbeddedBroker, serve: Callable[..., Service], tmp_path: Path
) -> None:
    form, _, by = way.partition(" by ")
    settings = {"DATABASE__DSN": database}
    if by == "MQTT":
        source = {"name": "load", "host": nats_broker.host, "port": nats_broker.port, "client_id": "simulated"}
        settings["INGEST__MQTT"] = json.dumps([source])
    else:
        settings["INGEST__HTTP"] = json.dumps([{"name": "load", "lns": "thethingsstack", "secret": SECRET}])
    scenario = tmp_path / "short.toml"
    scenario.write_text(SCENARIO.format(form=form, first=0x025A_1300_0000_0000))
    service = serve(settings, "ingest")
    address = (await service.until_logged("started"))["address"]
    if by == "MQTT":
        await service.until_logged("broker_connected")
        target = ["--broker", f"mqtt://{nats_broker.host}:{nats_broker.port}"]
    else:
        target = ["--http", f"{address}ingest/load", "--secret", SECRET]
    asked = ["run", "short.toml", *target, "--judge", "--quiet-s", "5", "--dsn", database, "--out", "out"]
    assert await simulate(tmp_path, {}, *asked, "--declare") == 0
    verdict = json.loads((tmp_path / "out" / "report.json").read_text())["verdict"]
    assert [verdict[name] for name in BROKEN_BY] == [0] * len(BROKEN_BY)
    assert verdict["expected"] == 300
    assert verdict["set_aside"] > 10
    assert "every obligation was kept" in (tmp_path / "out" / "report.html").read_text()

    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "DELETE FROM uplinks WHERE (device_id, received_at) IN "
            "(SELECT device_id, received_at FROM uplinks ORDER BY 1, 2 LIMIT 1)"
        )
        await connection.execute(
            "DELETE FROM quarantine WHERE quarantine_id IN (SELECT quarantine_id FROM quarantine "
            "WHERE reason = 'unreadable' ORDER BY message_bytes DESC LIMIT 1)"
        )
    finally:
        await connection.close()
    assert await simulate(tmp_path, {}, "judge", "short.toml", "out/ledger", "--dsn", database) == 1
    report = (tmp_path / "out" / "report.md").read_text()
    assert "an obligation is broken" in report
    verdict = json.loads((tmp_path / "out" / "report.json").read_text())["verdict"]
    assert verdict["not_set_aside"] == 1
    assert verdict["lost"] + verdict["merged"] == 1


def test_what_is_shipped_can_be_read_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    listed = command(tmp_path, {}, "simulate", "scenarios")
    assert set(scenarios.shipped()) <= set(listed.split())
    for name in scenarios.shipped():
        assert spec.read(scenarios.find(name)).name == name
        spec.read_publishing(scenarios.find(name))


def test_a_plan_is_asked_for_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "land.csv").write_text(
        "name,latitude,longitude,population,area_km2\nA,49.9,2.3,900,30\nB,50.0,2.4,400,30\nC,50.1,2.2,100,30\n"
    )
    (tmp_path / "q.toml").write_text('[plan]\nname = "q"\nterritory = "land.csv"\ncell_m = 1000\nantennas = 1\n')
    said = command(tmp_path, {}, "simulate", "plan", "q.toml", "--walls-db", "20", "--language", "en")
    assert "1 new antennas" in said
    assert "assumptions" in said
    plan = json.loads((tmp_path / "q-plan" / "plan.json").read_text())
    assert plan["antennas"][0]["name"] == "A"
    assert plan["scenario"]["walls_db"] == 20.0
