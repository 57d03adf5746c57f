"""Backtests, templates and the commands for rules, against a real database."""

import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from evaluation_world import HOUR, MINUTE, START, World, every
from typer.testing import CliRunner

from alerting.backtest import as_json, backtest, summary
from alerting.managing import disable, enable, take_template, try_rule
from alerting.rules import RuleError, parse
from alerting.rules._base import NEVER
from alerting.targets import TargetModel
from deploy.cli.application import app
from store.alerting.history import histories
from store.alerting.rules import rules
from store.assignments import assign
from store.partitions import ensure_partitions, month_of

NOW = START + timedelta(days=60)


async def test_a_backtest_says_how_often_when_and_why(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    for day in (1, 10, 40):
        start = START + timedelta(days=day)
        await world.measure(sensor, "co2", every(10, 900, 1600, 1700, 1800, 900, start=start))
    definition = parse("threshold", {"quantity": "co2", "above": 1500, "for_s": 1200})
    found = await backtest(
        world.connection, world.tenant_id, definition, TargetModel(everything=True), now=NOW, days=55
    )
    assert (found.subjects, found.samples, len(found.firings)) == (1, 10, 2)
    assert [one.started_s for one in found.firings] == [
        (START + timedelta(days=day) + 30 * MINUTE).timestamp() for day in (10, 40)
    ]
    said = summary(found, definition, sensor_zone(), "fr").replace("\u00a0", " ").replace("\u202f", " ")
    assert said.startswith("Sur les 55 derniers jours, cette règle se serait déclenchée 2 fois :\n- jeudi 12 novembre")
    assert "(10 minutes), Salle 1, École. CO2 : 1 800 ppm" in said
    told = as_json(found)
    assert told["count"] == 2
    assert told["per_day"] == {"2026-11-12": 1, "2026-12-12": 1}
    assert told["curve"]["high"] == [900, 1600, 1700, 1800, 900] * 2


def sensor_zone() -> ZoneInfo:
    return ZoneInfo("Europe/Paris")


async def test_a_backtest_fires_as_live_evaluation_does(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    values = [900 + 900 * ((place * 7919) % 13) / 12 for place in range(300)]
    samples = every(10, *values)
    rule_id = await world.rule("threshold", {"everything": True}, quantity="co2", above=1500, for_s=600, flap_count=0)
    for place in range(0, 300, 7):
        await world.measure(sensor, "co2", samples[place : place + 7])
        await world.work(samples[min(place + 7, 300) - 1][0])
    live = await world.connection.fetch("SELECT started_at, ended_at FROM alerts ORDER BY started_at")
    tried = await try_rule(world.connection, rule_id, samples[-1][0] + timedelta(microseconds=1))
    assert len(live) > 10
    assert [one.started_s for one in tried.found.firings] == [row["started_at"].timestamp() for row in live]


async def test_a_backtest_reads_each_sensor_of_a_point_in_its_own_time(world: World) -> None:
    first, second, other = [await world.sensor(name) for name in ("Salle 1", "Réserve", "Salle 2")]
    moved = START + 5 * HOUR
    await world.measure(first, "co2", every(60, *[1600] * 10))
    await world.measure(second, "co2", [*every(60, *[900] * 7), *every(60, 1700, 1700, start=START + 7 * HOUR)][::-1])
    for minute in (20, 0, 10):  # not in the order in which they are stored
        await world.measure(other, "co2", [(START + minute * MINUTE, 1600.0)])
    await assign(world.connection, second.device_id, first.point_id, moved)
    about = {"since": START - HOUR, "until": START + 9 * HOUR}
    ids = [first.point_id, second.point_id, other.point_id]
    read = await histories(world.connection, ids, "co2", 0, **about)
    hours = [(at_s - START.timestamp()) / 3600 for at_s in read[first.point_id].at_s]
    assert list(zip(hours, read[first.point_id].readings, strict=True)) == [
        *((hour, 1600.0) for hour in range(5)),
        *((hour, 900.0) for hour in (5, 6)),
        *((hour, 1700.0) for hour in (7, 8)),
    ]
    assert len(read[second.point_id].at_s) == 5
    assert [at_s - START.timestamp() for at_s in read[other.point_id].at_s] == [0, 600, 1200]
    heard = await histories(world.connection, ids, "", 0, **about)
    assert {point_id: one.at_s for point_id, one in heard.items()} == {
        point_id: one.at_s for point_id, one in read.items()
    }


async def test_a_long_history_is_backtested_quickly(database: str) -> None:
    connection = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    world = await World.make(connection)
    sensor = await world.sensor("Salle 1")
    await world.measure(sensor, "co2", every(10, 900))
    since = NOW - timedelta(days=80)
    await ensure_partitions(
        connection, "measurements", {month_of(since + timedelta(days=day)) for day in range(0, 81, 5)}
    )
    await connection.execute(
        """
        INSERT INTO measurements
        SELECT at, at, 900 + 700 * abs(sin(extract(epoch FROM at) / 9000)), $1, $2, 0
          FROM generate_series($3::timestamptz, $3::timestamptz + interval '100000 minutes', interval '1 minute') AS at
        ON CONFLICT DO NOTHING
        """,
        sensor.device_id,
        world.quantities["co2"],
        since,
    )
    definition = parse("threshold", {"quantity": "co2", "above": 1500, "clear": 1200, "for_s": 1200})
    began = time.process_time()
    found = await backtest(connection, world.tenant_id, definition, TargetModel(everything=True), now=NOW)
    took_s = time.process_time() - began
    await connection.close()
    assert found.samples > 100_000
    assert found.firings
    assert took_s < 2  # of our own time, for a tenth of a million, anywhere; docs/benchmarks.md has the million


async def test_a_template_keeps_rules_for_what_is_measured_and_hours(world: World) -> None:
    for name, quantity in (("Salle 1", "co2"), ("Compteur", "water_volume")):
        await world.measure(await world.sensor(name), quantity, every(60, 900, 901))
    made = await take_template(world.connection, world.tenant_id, world.site_id, "school")
    kept = await rules(world.connection, world.tenant_id)
    assert [one.kind for one in kept] == ["co2_occupied", "night_flow", "continuous_flow", "silent_sensor"]
    assert made.hours_set
    for rule_id in made.rule_ids:
        await try_rule(world.connection, rule_id, NOW)
        await enable(world.connection, rule_id)
    await world.work(START + HOUR)
    assert len(await world.phases()) == 5
    await disable(world.connection, made.rule_ids[0])
    await world.work(START + HOUR)
    assert len(await world.phases()) == 4
    assert not (await take_template(world.connection, world.tenant_id, world.site_id, "town_hall")).hours_set
    again = await take_template(world.connection, world.tenant_id, world.site_id, "school")
    assert again.rule_ids == []  # it has them all


async def test_a_gateway_is_tried_on_what_it_said_and_on_what_it_relayed(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    gateways = await world.connection.fetch(
        "INSERT INTO gateways (gateway_eui, name) VALUES ('a1', 'Clocher'), ('a2', 'Silo') RETURNING gateway_id"
    )
    says, relays = (row["gateway_id"] for row in gateways)
    begin = NOW - timedelta(days=10)
    for relation in ("network_events", "receptions"):
        await ensure_partitions(world.connection, relation, {month_of(begin), month_of(NOW)})
    times = [begin + minute * MINUTE for minute in range(0, 600, 5) if not 200 < minute < 260]
    await world.connection.executemany(
        "INSERT INTO network_events VALUES ($1, $2, $1, NULL, $3, 1, 'gateway_stats', '{}')",
        [(at, number, says) for number, at in enumerate(times)],
    )
    await world.connection.executemany(
        "INSERT INTO receptions VALUES ($1, $2, $3, $4)",
        [(at, number, sensor.device_id, relays) for number, at in enumerate(times)],
    )
    definition = parse("silent_gateway", {"limit_s": 1800})
    found = await backtest(world.connection, world.tenant_id, definition, TargetModel(everything=True), now=NOW)
    silent_since = begin + 200 * MINUTE + timedelta(seconds=1800)
    over = times[-1] + timedelta(seconds=1800)
    assert found.subjects == 2
    assert [(one.place, one.started_s, one.ended_s) for one in found.firings] == [
        ("Clocher", silent_since.timestamp(), (begin + 260 * MINUTE).timestamp()),
        ("Silo", silent_since.timestamp(), (begin + 260 * MINUTE).timestamp()),
        ("Clocher", over.timestamp(), NEVER),
        ("Silo", over.timestamp(), NEVER),
    ]


async def test_a_template_needs_something_measured(world: World) -> None:
    with pytest.raises(RuleError, match="nothing is measured"):
        await take_template(world.connection, world.tenant_id, world.site_id, "school")
    with pytest.raises(RuleError, match="no template"):
        await take_template(world.connection, world.tenant_id, world.site_id, "castle")


def test_rules_are_tested_without_a_database(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(
        "tests: [{name: one, rule: {kind: threshold, quantity: co2, above: 1}, series: 0 2,"
        " expect: [{at: 1m, phase: firing}]}]",
        "utf-8",
    )
    bad.write_text(good.read_text("utf-8").replace("firing", "inactive"), "utf-8")
    assert CliRunner().invoke(app, ["rules", "test", str(good)]).exit_code == 0
    failed = CliRunner().invoke(app, ["rules", "test", str(good), str(bad)])
    assert failed.exit_code == 1
    assert "after 60 s: firing, not inactive" in failed.output
