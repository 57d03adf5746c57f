"""The command `samara`, as a person runs it, on real services."""

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cli_runner import Samara
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deploy.embedded.broker import EmbeddedBroker
from ingest.runner import Ingest
from ingest.settings import HttpSource, IngestSettings
from simulators.demo.scenario import Scenario, history


@pytest.fixture
def samara(tmp_path: Path, database: str) -> Samara:
    return Samara(tmp_path, DATABASE__DSN=database)


@pytest.fixture
def samara_on_nothing(tmp_path: Path, empty_database: str) -> Samara:
    return Samara(tmp_path, DATABASE__DSN=empty_database)


def test_migrate_brings_an_empty_database_up_and_then_has_nothing_to_do(samara_on_nothing: Samara) -> None:
    assert "applied 0001_" in samara_on_nothing("migrate", "--no-timescale").stdout
    assert samara_on_nothing("migrate").stdout == "The schema is current.\n"


def test_tenants_are_added_changed_and_listed(samara: Samara) -> None:
    samara("tenants", "add", "val-de-somme", "Val de Somme", "--kind", "epci")
    samara("tenants", "add", "corbie", "Corbi", "--parent", "val-de-somme", "--insee", "80212")
    samara("tenants", "add", "corbie", "Corbie", "--parent", "val-de-somme", "--insee", "80212")
    listed = samara("tenants", "list").stdout.splitlines()
    assert listed[2].split("\t") == ["corbie", "Corbie", "commune", "val-de-somme", "80212", "", "Europe/Paris"]
    assert len(listed) == 3
    assert "no tenant 'nowhere'" in samara("tenants", "add", "x", "X", "--parent", "nowhere", code=1).stderr
    assert "tenants_insee_check" in samara("tenants", "add", "x", "X", "--insee", "?", code=1).stderr


def test_a_list_of_devices_is_imported_twice_and_changes_nothing(samara: Samara) -> None:
    samara("tenants", "add", "corbie", "Corbie")
    (samara.directory / "list.csv").write_text(
        "DevEUI;Tenant;Name;Model;Site;Point;Latitude;Longitude\n"
        "70-B3-D5-E7-5E-00-00-01;corbie;Sol;Dragino LSE01 (868);Stade;Pelouse;49,9;2,5\n"
        "70b3d5e75e000002;corbie;;unheard of;;;;\n"
        "70b3;corbie;;;;;;\n"
        "70b3d5e75e000003;nowhere;;;;;;\n",
        encoding="utf-8",
    )
    for _ in range(2):
        done = samara("devices", "import", "list.csv", code=1)
        assert done.stdout == "2 devices declared, 2 lines refused\n"
        assert "list.csv:4: DevEUI '70b3' is not 16 hexadecimal digits" in done.stderr
        assert "list.csv:5: 70b3d5e75e000003: no tenant 'nowhere'" in done.stderr
        assert "list.csv:3: 70b3d5e75e000002: no decoder for 'unheard of' yet" in done.stderr
        rows = [line.split("\t")[:4] for line in samara("devices", "list").stdout.splitlines()[1:]]
        assert rows == [
            ["70b3d5e75e000001", "corbie", "Sol", "dragino-lse01"],
            ["70b3d5e75e000002", "corbie", "", ""],
        ]
    assert samara("devices", "list", "--tenant", "corbie").stdout.count("\n") == 3
    assert "no tenant" in samara("devices", "list", "--tenant", "nowhere", code=1).stderr


def test_devices_come_from_standard_input_too(samara: Samara) -> None:
    samara("tenants", "add", "corbie", "Corbie")
    done = samara("devices", "import", "-", "--tenant", "corbie", stdin='{"dev_eui": "70b3d5e75e000001"}\n')
    assert done.stdout == "1 devices declared, 0 lines refused\n"


def test_stats_of_nothing_are_zero(samara: Samara) -> None:
    found = json.loads(samara("stats", "--json").stdout)
    assert found["rows"]["uplinks"] == 0
    assert found["messages"] == {}
    assert "uplinks\t0" in samara("stats").stdout


def test_replay_publishes_plain_and_gzip_and_tells_what_it_skipped(samara: Samara, nats_broker: EmbeddedBroker) -> None:
    line = json.dumps({"topic": "test/cli/replay", "payload": {"n": 1}}) + "\n"
    (samara.directory / "plain.ndjson").write_text(line * 3 + "nonsense\n", encoding="utf-8")
    with gzip.open(samara.directory / "zipped.ndjson.gz", "wt", encoding="utf-8") as file:
        file.write(line * 2)
    url = f"mqtt://{nats_broker.host}:{nats_broker.port}"
    done = samara("replay", "plain.ndjson", "zipped.ndjson.gz", "--broker", url)
    assert done.stdout.startswith("5 messages published, 5 acknowledged")
    assert "plain.ndjson:4: " in done.stderr
    assert "1 lines skipped" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--broker", "http://x"), "a broker URL has the form"),
        (("--speed", "-1"), "--speed -1: a number above 0, or max"),
        (("--speed", "fast"), "--speed fast: a number above 0, or max"),
        ((), "no embedded broker runs here"),
    ],
)
def test_replay_refuses_what_it_cannot_do(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "f").write_text("", encoding="utf-8")
    broker = () if not arguments or "--broker" in arguments else ("--broker", "mqtt://127.0.0.1:9")
    assert said in Samara(tmp_path)("replay", "f", *arguments, *broker, code=2).stderr


def test_decoders_are_listed_shown_and_tried(tmp_path: Path) -> None:
    samara = Samara(tmp_path)
    assert "dragino-lse01\tDragino" in samara("decoders", "list").stdout
    assert "Byte map" in samara("decoders", "show", "dragino-lse01").stdout
    tried = samara("decoders", "try", "dragino-lse01", 2, "0CE2 0000 0760 0596 0010 10").stdout
    assert "soil_temperature\t0\t14.3\tCel\t0 s" in tried
    assert "malformed" in samara("decoders", "try", "dragino-lse01", 2, "00", code=1).stdout
    assert "not hexadecimal" in samara("decoders", "try", "dragino-lse01", "zz", code=2).stderr
    assert "a port up to 255" in samara("decoders", "try", "dragino-lse01", "2", "00", "00", code=2).stderr
    assert "no decoder for" in samara("decoders", "show", "dragino", code=1).stderr


def test_wrong_settings_are_all_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "samara.toml").write_text("[api]\nport = -1\n[log]\nlevel = 'loud'\n", encoding="utf-8")
    for command in ("serve", "demo", "stats", "migrate"):
        done = Samara(tmp_path)(command, code=2)
        assert "api.port: it should" in done.stderr
        assert "log.level: it should" in done.stderr
    assert not (tmp_path / ".samara").exists()


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    done = Samara(tmp_path, DATABASE__DSN="postgresql://nobody@127.0.0.1:9/none")("stats", code=1)
    assert done.stderr.startswith("samara: ")
    assert "samara doctor" in done.stderr


def test_a_database_without_tables_is_one_sentence(samara_on_nothing: Samara) -> None:
    for arguments in (("stats",), ("tenants", "list"), ("quarantine", "list")):
        assert "run `samara migrate`" in samara_on_nothing(*arguments, code=2).stderr


def test_a_database_that_does_not_let_us_in_is_one_sentence(tmp_path: Path, empty_database: str) -> None:
    host = empty_database.rpartition("@")[2]
    for dsn in (f"postgresql://postgres:guess@{host}", empty_database.replace("?", "_none?")):
        for command in ("stats", "migrate"):
            done = Samara(tmp_path, DATABASE__DSN=dsn)(command, code=2)
            assert done.stderr.startswith("samara: database: ")
            assert "guess" not in done.stderr


def test_serve_refuses_a_schema_that_is_not_its_own(samara_on_nothing: Samara) -> None:
    done = samara_on_nothing("serve", "api", code=2)
    assert "the schema is older than this program: run `samara migrate`" in done.stderr


def test_serve_wants_a_network_server_to_ingest_from(samara: Samara) -> None:
    assert "no network server is declared" in samara("serve", code=2).stderr


@pytest.fixture
async def set_aside(database: str, tmp_path: Path) -> int:
    """The number of one uplink in quarantine: its device is not declared."""
    end = datetime(2026, 3, 31, tzinfo=UTC)
    scenario = Scenario(story=end, memory=timedelta(days=1))
    topic, body = next(one for one in history(scenario, end - timedelta(hours=1), end) if "/event/up" in one[0])
    settings = IngestSettings(http=(HttpSource(name="cs", lns="chirpstack", secret=SecretStr("0123456789abcdef")),))
    ingest = Ingest(
        settings,
        dsn=database,
        folder=tmp_path,
        worker="tests",
        metrics_registry=CollectorRegistry(),
        clock=lambda: end,
        randomness=Random(1),
    )
    async with ingest:
        task = asyncio.create_task(ingest.run())
        await ingest.pipeline.deliver("cs", "chirpstack", topic, body)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return 1


def test_the_quarantine_is_listed_shown_and_replayed(samara: Samara, set_aside: int) -> None:
    (row,) = samara("quarantine", "list").stdout.splitlines()[1:]
    number, _, _, times, source, reason, dev_eui, _ = row.split("\t")
    assert (number, times, source, reason) == (str(set_aside), "1", "cs", "unknown_device")
    shown = samara("quarantine", "show", number).stdout
    assert "remedy: The DevEUI is not declared; declare it, then replay." in shown
    assert json.loads(samara("quarantine", "show", number, "--raw").stdout)["deviceInfo"]["devEui"] == dev_eui
    assert samara("quarantine", "replay", "--all", code=1).stdout.startswith("0 stored, 0 stored before, 1 refused")
    samara("tenants", "add", "corbie", "Corbie")
    samara("devices", "import", "-", stdin=json.dumps({"dev_eui": dev_eui, "tenant": "corbie"}))
    assert samara("quarantine", "replay", "--reason", "unknown_device").stdout.startswith("1 stored, ")
    assert samara("quarantine", "list").stdout.count("\n") == 1
    assert samara("quarantine", "list", "--replayed").stdout.count("\n") == 2
    assert json.loads(samara("stats", "--json").stdout)["rows"]["uplinks"] == 1


def test_the_quarantine_refuses_what_it_cannot_do(samara: Samara) -> None:
    assert "nothing in quarantine has the number 7" in samara("quarantine", "show", 7, code=1).stderr
    assert "say which" in samara("quarantine", "replay", code=2).stderr
    assert "--reason bored: one of" in samara("quarantine", "list", "--reason", "bored", code=2).stderr
