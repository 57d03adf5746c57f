"""`samara capacity` and `samara retention`, on both stores; the reckoning by itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy.cli.application import app
from deploy.forecast import DAYS_OF_MONTH, HOT_DAYS, PLAIN_BYTES, forecast, rows_per_day
from store.partitions import ensure_partitions
from store.sizes import KEPT, Fleet, fleet, sizes

FLEET = Fleet(
    devices=40_000, uplinks_per_day=3_840_000.0, measurements_per_uplink=5.0, receptions_per_uplink=2.0, series=200_000
)


def test_the_reckoning() -> None:
    rows = rows_per_day(FLEET)
    assert (rows["measurements"], rows["receptions"]) == (19_200_000, 7_680_000)
    assert (rows["measurements_hourly"], rows["measurements_daily"]) == (4_800_000, 200_000)
    lines = {one.relation: one for one in forecast(FLEET, {"measurements": 100.0}, {"uplinks": 12}, timescale=False)}
    assert lines["measurements"].bytes_per_day == 1.92e9
    assert lines["measurements"].bytes_after[0] == pytest.approx(1.92e9 * 365.25)
    kept_days = 13 * DAYS_OF_MONTH
    assert lines["uplinks"].bytes_after[2] == pytest.approx(3_840_000 * PLAIN_BYTES["uplinks"] * kept_days)
    columns = {one.relation: one for one in forecast(FLEET, {"measurements": 100.0}, {}, timescale=True)}
    hot = 1.92e9 * HOT_DAYS
    assert hot < columns["measurements"].bytes_after[0] < 0.25 * lines["measurements"].bytes_after[0]


def test_a_fleet_sends_no_more_hours_than_readings() -> None:
    daily = FLEET._replace(uplinks_per_day=40_000.0)
    assert rows_per_day(daily)["measurements_hourly"] == 200_000


async def test_what_is_stored_and_what_is_sent(any_database: str) -> None:
    connection = await asyncpg.connect(any_database)
    now = datetime.now(UTC)
    await ensure_partitions(connection, "uplinks", [now.date(), (now - timedelta(days=1)).date()])
    await connection.execute("INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'a', 'A')")
    await connection.execute("INSERT INTO models VALUES ('quarterly', 'x', 'x', 900)")
    await connection.execute(
        "INSERT INTO devices (dev_eui, tenant_id, model_id)"
        " SELECT lpad(to_hex(n), 16, '0'), tenant_id, 'quarterly' FROM tenants, generate_series(1, 10) AS n"
    )
    found = await fleet(connection, now, measurements_per_uplink=5.0, receptions_per_uplink=2.0)
    assert found == Fleet(10, 960.0, 5.0, 2.0, 0)
    await connection.execute(
        "INSERT INTO uplinks SELECT $1::timestamptz - n * interval '1 second', n, now(), n, 0, 1, NULL, 0, 1, 1, 7, 5,"
        " false, true, '', 'decoded', '', 'x', NULL FROM generate_series(1, 2000) AS n",
        now,
    )
    await connection.execute("ANALYZE uplinks")
    assert (
        await fleet(connection, now, measurements_per_uplink=5.0, receptions_per_uplink=2.0)
    ).uplinks_per_day == 2000
    stored = {one.relation: one for one in await sizes(connection)}
    assert stored.keys() == set(KEPT)
    assert stored["uplinks"].rows == pytest.approx(2000, rel=0.1)
    assert 80 < (stored["uplinks"].row_bytes or 0) < 800
    await connection.close()


def test_the_commands(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMARA_DATABASE__DSN", database)

    def said(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.exception
        return result.stdout

    assert "40000 sensors, 3840000 uplinks a day" in said("capacity", "--sensors", "40000")
    told: Any = json.loads(said("capacity", "--sensors", "1000", "--json"))
    assert {one["relation"] for one in told["forecast"]} == set(KEPT)
    assert "kept 24 months" in said("retention", "set", "measurements_hourly", "24")
    said("retention", "set", "measurements/device", "12")
    listed = dict(line.split("\t") for line in said("retention", "list").splitlines()[1:])
    assert (listed["measurements_hourly"], listed["measurements/device"], listed["uplinks"]) == ("24", "12", "ever")
    assert "not one of" in str(CliRunner().invoke(app, ["retention", "set", "tenants", "3"]).exception)
    assert "nor `ever`" in str(CliRunner().invoke(app, ["retention", "set", "uplinks", "soon"]).exception)
