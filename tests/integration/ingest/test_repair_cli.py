"""`samara repair`, as a person runs it."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from repair_event_log import START, a_log, up
from typer.testing import CliRunner, Result

from deploy.cli.application import app
from domain.errors import ConfigurationError

pytestmark = pytest.mark.usefixtures("logs_as_before")

FROM_TO = ("--from", (START - timedelta(days=1)).isoformat(), "--to", "2026-03-02")


@pytest.fixture
def config(tmp_path: Path, database: str, empty_database: str) -> Path:
    (tmp_path / "log.dsn").write_text(empty_database + "\n", encoding="utf-8")
    path = tmp_path / "samara.toml"
    path.write_text(
        f'[log]\nlevel = "warning"\n[database]\ndsn = "{database}"\n[[ingest.mqtt]]\nname = "chirpstack"\n'
        f'[ingest.mqtt.repair]\nkind = "chirpstack-postgresql"\ndsn_file = "{tmp_path}/log.dsn"\n'
        '[[ingest.http]]\nname = "actility"\nlns = "actility"\nsecret = "0123456789abcdef"\n',
        encoding="utf-8",
    )
    return path


def repair(config: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["--config", str(config), "repair", *arguments])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.output
    return result


def devices_gaps(config: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["--config", str(config), "devices", "gaps", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(config: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["--config", str(config), "repair", *arguments])
    assert isinstance(result.exception, ConfigurationError)
    return str(result.exception)


def test_gaps_are_told_then_repaired(config: Path, database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 10 * f_cnt) for f_cnt in range(8)]
    asyncio.run(a_log(database, empty_database, ups, [0, 1, 5, 7]))

    told = repair(config, *FROM_TO).stdout.splitlines()
    assert told[1].split("\t") == [
        f"{1:016x}", "2", "4", "4", "", "2026-03-01T00:10:00+00:00", "2026-03-01T01:10:00+00:00",
    ]  # fmt: skip
    assert told[2:] == [
        "chirpstack: 4 frames lost by 1 devices, 4 in the history",
        "nothing was stored: add --apply",
    ]
    done = repair(config, *FROM_TO, "--apply", "--source", "chirpstack", "--device", f"{1:016X}").stdout.splitlines()
    assert done[2:] == ["chirpstack: 4 frames lost by 1 devices, 4 in the history; 4 stored, 0 still lost"]
    assert repair(config, *FROM_TO).stdout == "chirpstack: 0 frames lost by 0 devices, 0 in the history\n"


def test_gaps_are_listed_whether_or_not_there_is_a_history(config: Path, database: str, empty_database: str) -> None:
    asyncio.run(a_log(database, empty_database, [up(1, f_cnt, 10 * f_cnt) for f_cnt in range(8)], [0, 1, 5, 7]))
    found = [
        [f"{1:016x}", "3", "2026-03-01T00:10:00+00:00", "2026-03-01T00:50:00+00:00"],
        [f"{1:016x}", "1", "2026-03-01T00:50:00+00:00", "2026-03-01T01:10:00+00:00"],
    ]
    told = devices_gaps(config, *FROM_TO).splitlines()
    assert [line.split("\t") for line in told[1:-1]] == found
    assert told[-1] == "4 frames of 1 devices never came"
    rows = json.loads(devices_gaps(config, *FROM_TO, "--device", f"{1:016X}", "--json"))
    assert [[row["dev_eui"], str(row["frames"])] for row in rows] == [row[:2] for row in found]
    assert devices_gaps(config, "--to", "2026-02-01").splitlines()[1:] == ["0 frames of 0 devices never came"]


def test_what_cannot_be_read_is_said_and_fails(config: Path, database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 10 * f_cnt) for f_cnt in range(4)]
    ups[1]["devAddr"] = "zzzzzzzz"
    asyncio.run(a_log(database, empty_database, ups, [0, 3]))
    assert "1 messages of the history not readable" in repair(config, *FROM_TO, code=1).stderr
    done = repair(config, *FROM_TO, "--apply", code=1)
    assert "1 stored, 1 still lost" in done.stdout
    assert "set aside, see `samara quarantine list`" in done.stderr


def test_a_history_that_is_away_is_said_and_fails(config: Path, tmp_path: Path) -> None:
    (tmp_path / "log.dsn").write_text("postgresql://x@127.0.0.1:1/x", encoding="utf-8")
    result = CliRunner().invoke(app, ["--config", str(config), "repair"])
    assert "ChirpStack's database" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "actility"], "no source 'actility' has a `repair` table"),
        (["--from", "yesterday"], "--from yesterday: not a time"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--from is not before --to"),
    ],
)
def test_what_is_wrong_is_said(config: Path, arguments: list[str], said: str) -> None:
    assert said in refused(config, *arguments)


def test_a_source_without_a_history_is_told(tmp_path: Path) -> None:
    path = tmp_path / "samara.toml"
    path.write_text('[[ingest.mqtt]]\nname = "chirpstack"\n', encoding="utf-8")
    assert "no source has a `repair` table" in refused(path)
