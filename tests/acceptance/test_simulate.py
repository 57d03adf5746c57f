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


@pytest.fixture(params=[pytest.param("chirpstack-protobuf by MQTT", marks=pytest.mark.slow), "things-stack by HTTP"])
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


AIR = """
[radio]
name = "two villages"
hours = 1
seed = 3
joins = {joins}
fading = "rayleigh"
[[radio.gateways]]
name = "Clocher"
latitude = 49.93
longitude = 2.28
outages_h = [[0.5, 0.6]]
[[radio.gateways]]
name = "Silo"
latitude = 50.02
longitude = 2.34
[[radio.fleets]]
name = "sondes"
model = "dragino-lse01"
devices = 60
period_s = 600
spread_m = 9000
"""
HEARD = """
[load]
name = "heard"
radio = "air/outcomes"
speed = 0
first_dev_eui = 0x025A130100000000
[load.faults]
duplicate = 0.04
new_id = 0.04
late_reception = 0.04
reorder = 0.04
truncate_payload = 0.05
flip_payload = 0.05
cut_message = 0.04
redeliver = 0.04
clock_drift = 0.1
f_cnt_reset = 0.2
death = 0.6
[[load.faults.outages]]
start_s = 600
end_s = 1200
share = 0.3
[[load.faults.rejoin_storms]]
at_s = 2000
share = 0.5
"""


@pytest.mark.slow
async def test_what_the_air_let_through_is_loaded_with_every_fault_and_judged(
    database: str, nats_broker: EmbeddedBroker, serve: Callable[..., Service], tmp_path: Path
) -> None:
    (tmp_path / "air.toml").write_text(AIR.format(joins="true"))
    assert await simulate(tmp_path, {}, "radio", "air.toml", "--outcomes", "--out", "air") == 0
    air = json.loads((tmp_path / "air" / "report.json").read_text())
    assert air["dialogue"]["joined_by_hour"][0] > 50
    (tmp_path / "heard.toml").write_text(HEARD)
    source = {"name": "load", "host": nats_broker.host, "port": nats_broker.port, "client_id": "heard"}
    service = serve({"DATABASE__DSN": database, "INGEST__MQTT": json.dumps([source])}, "ingest")
    await service.until_logged("broker_connected")
    broker = f"mqtt://{nats_broker.host}:{nats_broker.port}"
    asked = ["run", "heard.toml", "--broker", broker, "--dsn", database, "--out", "out", "--quiet-s", "5"]
    assert await simulate(tmp_path, {}, *asked, "--declare", "--judge") == 0
    verdict = json.loads((tmp_path / "out" / "report.json").read_text())["verdict"]
    assert [verdict[name] for name in BROKEN_BY] == [0] * len(BROKEN_BY)
    assert 100 < verdict["expected"] <= air["dialogue"]["messages_delivered"]
    assert {"death", "outage", "late_reception", "f_cnt_reset"} <= {one["fault"] for one in verdict["causes"]}


@pytest.mark.slow
def test_the_air_is_split_over_processes_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "air.toml").write_text(AIR.format(joins="false"))
    reports = []
    for more in ((), ("--dask", "local")):
        said = command(tmp_path, {}, "simulate", "radio", "air.toml", "--language", "en", *more)
        assert "frames of 60 devices" in said
        reports.append(json.loads((tmp_path / "air-radio" / "report.json").read_text()))
    one, other = ({name: value for name, value in each.items() if name != "seconds"} for each in reports)
    assert one == other


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
