"""Live evaluation against a real database: states, transitions, alerts and outbox rows."""

from datetime import timedelta

import pytest
from evaluation_world import HOUR, MINUTE, START, World, every

from store.alerting.rules import (
    NewRule,
    NotBacktestedError,
    add_rule,
    change_rule,
    disable_rule,
    enable_rule,
    label_rule,
    set_backtest,
)
from store.alerting.tags import set_tag
from store.assignments import assign, release
from store.fleet import declare_device
from store.maintenance.arrivals import forget_arrivals
from store.pool import database_now


async def test_a_rule_that_was_not_backtested_cannot_be_enabled(world: World) -> None:
    new = NewRule(world.tenant_id, "CO2", "threshold", "{}", '{"everything": true}', "warning")
    rule_id = await add_rule(world.connection, new)
    with pytest.raises(NotBacktestedError):
        await enable_rule(world.connection, rule_id)


async def test_an_alert_from_its_first_sample_to_its_end(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.measure(sensor, "co2", every(10, 900))
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500, clear=1200, for_s=1200)
    await world.work(START)
    assert await world.phases() == ["inactive"]
    await world.measure(sensor, "co2", every(10, 1600, 1700, start=START + 10 * MINUTE))
    await world.work(START + 21 * MINUTE)
    assert await world.phases() == ["pending"]
    await world.work(START + 30 * MINUTE)  # nothing came: time alone
    assert await world.phases() == ["firing"]
    await world.measure(sensor, "co2", every(10, 1000, start=START + 40 * MINUTE))
    await world.work(START + 40 * MINUTE)
    assert await world.transitions() == [
        (0, "never-seen", "inactive"),
        (10, "inactive", "pending"),
        (30, "pending", "firing"),
        (40, "firing", "resolved"),
    ]
    assert await world.told() == ["firing", "resolved"]
    alert = await world.connection.fetchrow("SELECT * FROM alerts")
    assert alert is not None
    assert (alert["started_at"], alert["ended_at"]) == (START + 30 * MINUTE, START + 40 * MINUTE)
    assert (alert["phase"], alert["told"], alert["value"]) == ("resolved", True, 1700)
    assert alert["point_id"] == sensor.point_id


async def test_what_comes_late_corrects_the_record_and_tells_nothing(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.measure(sensor, "co2", every(10, 900, 900, 900, 900))
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500)
    await world.work(START + 31 * MINUTE)
    await world.measure(sensor, "co2", [(START + 15 * MINUTE, 1900.0)])
    await world.work(START + 32 * MINUTE)
    assert await world.told() == []
    assert await world.transitions() == [
        (0, "never-seen", "inactive"),
        (15, "inactive", "firing"),
        (20, "firing", "resolved"),
    ]
    alerts = await world.connection.fetch("SELECT phase, told FROM alerts")
    assert [tuple(row) for row in alerts] == [("resolved", False)]


async def test_a_late_sample_that_disproves_an_alert_withdraws_it(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500, for_s=1200)
    await world.work(START - MINUTE)
    assert await world.phases() == ["never-seen"]
    await world.measure(sensor, "co2", [(START, 1600.0), (START + 25 * MINUTE, 1600.0)])
    await world.work(START + 26 * MINUTE)
    assert await world.told() == ["firing"]
    await world.measure(sensor, "co2", [(START + 10 * MINUTE, 1000.0)])
    await world.work(START + 27 * MINUTE)
    assert await world.told() == ["firing", "withdrawn"]
    assert await world.phases() == ["pending"]
    superseded = await world.connection.fetch("SELECT to_phase FROM transitions WHERE superseded_at IS NOT NULL")
    assert [row["to_phase"] for row in superseded] == ["firing"]


async def test_a_correction_of_the_past_withdraws_what_was_told_and_tells_nothing_of_the_past(world: World) -> None:
    """As `samara redecode` writes it: measurements replaced, far back and just now."""
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500)
    await world.measure(sensor, "co2", every(10, 900, 900, 900, 9000))
    await world.work(START + 31 * MINUTE)
    assert await world.told() == ["firing"]

    await world.correct(sensor, "co2", {START + 10 * MINUTE: 9000.0, START + 30 * MINUTE: 900.0})
    await world.work(START + 32 * MINUTE)

    assert await world.told() == ["firing", "withdrawn"]
    assert await world.phases() == ["resolved"]
    alerts = await world.connection.fetch("SELECT started_at, told FROM alerts WHERE phase = 'resolved'")
    assert [tuple(row) for row in alerts] == [(START + 10 * MINUTE, False)]


async def test_a_sample_that_is_days_late_begins_again_from_the_checkpoint_before_it(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500, hold_s=7200)
    for day in range(12):
        await world.measure(sensor, "co2", every(60, *[900.0] * 24, start=START + timedelta(days=day)))
        await world.work(START + timedelta(days=day + 1))
    kept = await world.connection.fetch("SELECT folded_to FROM rule_checkpoints ORDER BY folded_to")
    assert 8 <= len(kept) <= 10
    late = START + timedelta(days=6, minutes=30)
    await world.measure(sensor, "co2", [(late, 1900.0)])
    await world.work(START + timedelta(days=12))
    found = await world.transitions()
    assert (((late - START) / MINUTE), "inactive", "firing") in found
    assert await world.told() == []
    after = await world.connection.fetchval("SELECT max(folded_to) FROM rule_checkpoints")
    assert after < late


async def test_a_silent_sensor_is_looked_at_when_it_is_due_and_not_at_each_uplink(world: World) -> None:
    sensor = await world.sensor("Cave")
    rule_id = await world.rule("silent_sensor", {"everything": True}, period_s=600, missed=3, at_least_s=1800)
    await world.measure(sensor, "temperature", every(10, 1, 1, 1))
    await world.work(START + 20 * MINUTE)
    row = await world.connection.fetchrow("SELECT on_arrival, due_at FROM rule_states")
    assert row is not None
    assert tuple(row) == (False, START + 50 * MINUTE)
    await world.measure(sensor, "temperature", every(10, 1, start=START + 30 * MINUTE))
    await world.work(START + 31 * MINUTE)
    assert await world.connection.fetchval("SELECT folded_to FROM rule_states") == START + 20 * MINUTE
    await world.work(START + 50 * MINUTE)
    assert await world.phases() == ["inactive"]
    await world.work(START + 61 * MINUTE)
    assert await world.phases() == ["firing"]
    await world.measure(sensor, "temperature", every(10, 1, start=START + 70 * MINUTE))
    await world.work(START + 70 * MINUTE)
    assert await world.told() == ["firing", "resolved"]
    await disable_rule(world.connection, rule_id)
    await world.work(START + 71 * MINUTE)
    assert await world.phases() == []


async def test_a_silent_gateway_is_found_without_any_arrival(world: World) -> None:
    gateway = await world.connection.fetchval("INSERT INTO gateways (gateway_eui) VALUES ('a1') RETURNING gateway_id")
    await world.connection.execute("INSERT INTO gateways_heard VALUES ($1, 'w', $2)", gateway, START)
    await world.rule("silent_gateway", {"gateway_id": gateway}, limit_s=900, severity="critical")
    await world.work(START + 10 * MINUTE)
    assert await world.phases() == ["inactive"]
    await world.work(START + 15 * MINUTE)
    assert await world.phases() == ["firing"]
    await world.connection.execute("UPDATE gateways_heard SET heard_at = $1", START + 20 * MINUTE)
    await world.work(START + 21 * MINUTE)  # nothing arrives for a gateway: it is looked at each minute
    assert await world.told() == ["firing", "resolved"]
    await world.work(START + 40 * MINUTE)
    assert await world.told() == ["firing", "resolved", "firing"]


async def test_a_group_is_one_subject_and_grows_with_its_site(world: World) -> None:
    sensors = [await world.sensor(f"Salle {number}") for number in range(3)]
    for sensor in sensors:
        await world.measure(sensor, "co2", every(10, 900))
    await world.rule("group", {"site_id": world.site_id}, quantity="co2", above=1500, mode="count", count=2)
    await world.work(START)
    for sensor in sensors[:2]:
        await world.measure(sensor, "co2", every(10, 1600, start=START + 10 * MINUTE))
    await world.work(START + 10 * MINUTE)
    assert await world.phases() == ["firing"]
    await world.measure(await world.sensor("Salle 4"), "co2", every(10, 900, start=START + 10 * MINUTE))
    await world.work(START + 21 * MINUTE)
    assert await world.connection.fetchval("SELECT count(*) FROM rule_inputs") == 4
    assert await world.phases() == ["firing"]
    assert await world.told() == ["firing"]  # the same alert, with one member more
    await world.measure(sensors[0], "co2", every(10, 900, start=START + 20 * MINUTE))
    await world.work(START + 22 * MINUTE)
    assert await world.told() == ["firing", "resolved"]


async def test_disabling_a_rule_withdraws_its_alerts_and_says_so(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    rule_id = await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500)
    await world.measure(sensor, "co2", every(10, 1600))
    await world.work(START)
    await disable_rule(world.connection, rule_id)
    await world.work(START + HOUR)
    assert await world.told() == ["firing", "withdrawn"]
    assert await world.connection.fetchval("SELECT phase FROM alerts") == "withdrawn"
    await enable_rule(world.connection, rule_id)
    for minutes in range(61, 65):  # it is so still: told again, once
        await world.measure(sensor, "co2", every(10, 1600, start=START + minutes * MINUTE))
        await world.work(START + minutes * MINUTE)
    assert await world.told() == ["firing", "withdrawn", "firing"]


async def test_a_rule_that_was_changed_watches_by_its_new_version_alone(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    rule_id = await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500)
    await world.measure(sensor, "co2", every(10, 1600))
    await world.work(START)
    await change_rule(
        world.connection, rule_id, definition='{"quantity": "co2", "above": 2000}', target='{"everything": true}'
    )
    await set_backtest(world.connection, rule_id, 2, "{}")
    await enable_rule(world.connection, rule_id)  # before evaluation knew that it was disabled
    world.evaluator.forget()  # as the notification has it
    await world.work(START + MINUTE)
    assert await world.phases() == ["inactive"]
    assert await world.told() == ["firing", "withdrawn"]
    assert await world.connection.fetchval("SELECT rule_version FROM rule_states") == 2
    await label_rule(world.connection, rule_id, name="CO2", severity="critical")
    assert await world.connection.fetchval("SELECT enabled FROM rules")


async def test_a_point_that_leaves_is_watched_no_longer(world: World) -> None:
    sensors = [await world.sensor(f"Salle {number}") for number in range(2)]
    for sensor in sensors:
        await world.measure(sensor, "co2", every(10, 1600))
    await set_tag(world.connection, world.tenant_id, "salles", [sensor.point_id for sensor in sensors])
    await world.rule("threshold", {"tag": "salles"}, quantity="co2", above=1500)
    await world.rule("silent_sensor", {"everything": True}, period_s=600)
    await world.work(START)
    assert await world.phases() == ["firing", "firing", "inactive", "inactive"]
    await set_tag(world.connection, world.tenant_id, "salles", [sensors[1].point_id])
    await release(world.connection, sensors[1].device_id, START + MINUTE)
    await world.work(START + 11 * MINUTE)
    assert await world.phases() == ["inactive"]
    assert await world.told() == ["firing", "firing", "withdrawn", "withdrawn"]


async def test_gateways_are_watched_by_whoever_runs_the_network(world: World) -> None:
    await world.connection.execute("INSERT INTO gateways (gateway_eui) VALUES ('a1')")
    await world.rule("silent_gateway", {"everything": True}, limit_s=900)
    await world.connection.execute(
        "WITH above AS (INSERT INTO tenants (slug, name, kind) VALUES ('syndicat', 'Syndicat', 'syndicat')"
        " RETURNING tenant_id) UPDATE tenants SET parent_id = (SELECT tenant_id FROM above) WHERE slug = 'mareuville'"
    )
    await world.work(START)
    assert await world.phases() == []
    syndicat = await world.connection.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'syndicat'")
    await world.connection.execute("UPDATE rules SET tenant_id = $1", syndicat)
    await world.work(START + 11 * MINUTE)
    assert await world.phases() == ["never-seen"]


async def test_a_replaced_sensor_goes_on_with_the_same_state(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500)
    await world.measure(sensor, "co2", every(10, 1600))
    await world.work(START)
    other = await declare_device(world.connection, world.tenant_id, "00000000deadbeef")
    await assign(world.connection, other, sensor.point_id, START + 5 * MINUTE)
    await world.measure(sensor._replace(device_id=other), "co2", every(10, 900, start=START + 10 * MINUTE))
    await world.work(START + 10 * MINUTE)
    assert await world.told() == ["firing", "resolved"]


async def test_the_role_of_the_service_may_do_all_of_it(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500)
    await world.rule("silent_sensor", {"everything": True}, period_s=600)
    for day in range(3):
        await world.measure(sensor, "co2", every(10, 1600, 900, start=START + timedelta(days=day)))
        await world.connection.execute("SET ROLE samara_alerting")
        await world.work(START + timedelta(days=day, minutes=10))
        await world.connection.execute("RESET ROLE")
    await world.measure(sensor, "co2", every(10, 1600, start=START + timedelta(days=1, minutes=5)))
    await world.connection.execute("SET ROLE samara_alerting")
    await world.work(START + timedelta(days=2, minutes=20))
    assert await world.phases() == ["resolved", "resolved"]


async def test_arrivals_that_nobody_came_for_are_forgotten_and_evaluated_all_the_same(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500, hold_s=30 * 86400)
    await world.work(START)
    await world.measure(sensor, "co2", every(10, 1600, start=START + MINUTE))
    later = await database_now(world.connection) + timedelta(days=4)
    assert await forget_arrivals(world.connection, later)
    assert await world.connection.fetchval("SELECT count(*) FROM arrivals") == 0
    assert not await forget_arrivals(world.connection, later)
    await world.work(max(later, START + HOUR))
    assert await world.told() == ["firing"]
