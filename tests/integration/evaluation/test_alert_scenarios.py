"""What users of other systems complain of: storms, flapping, state lost at a restart, late data, wrong local hours."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from evaluation_world import HOUR, MINUTE, START, World, every

from alerting.evaluation import Evaluator
from alerting.rules import OpeningHours
from alerting.rules._calendar import weekdays
from store.alerting.rules import set_calendar


async def test_a_storm_is_told_once_for_each_and_never_again(world: World) -> None:
    sensors = [await world.sensor(f"Capteur {number}") for number in range(60)]
    for sensor in sensors:
        await world.measure(sensor, "temperature", every(10, 20, 20, 20))
    await world.rule("silent_sensor", {"everything": True}, period_s=600, missed=3, at_least_s=1800)
    await world.work(START + 20 * MINUTE)
    for minutes in range(50, 120, 10):
        await world.work(START + minutes * MINUTE)
    assert Counter(await world.told()) == {"firing": 60}
    for sensor in sensors:
        await world.measure(sensor, "temperature", every(10, 20, start=START + 2 * HOUR))
    await world.work(START + 2 * HOUR)
    assert Counter(await world.told()) == {"firing": 60, "resolved": 60}


async def test_what_comes_and_goes_is_told_as_that(world: World) -> None:
    sensor = await world.sensor("Pompe")
    await world.rule(
        "threshold", {"point_id": sensor.point_id}, quantity="water_pressure", below=2, flap_count=4, calm_s=3600
    )
    for place in range(40):
        at = START + 5 * place * MINUTE
        await world.measure(sensor, "water_pressure", [(at, 1.0 if place % 2 else 3.0)])
        await world.work(at)
    end = START + 5 * 39 * MINUTE
    for place in range(1, 14):
        await world.measure(sensor, "water_pressure", [(end + 5 * place * MINUTE, 3.0)])
        await world.work(end + 5 * place * MINUTE)
    assert await world.told() == ["firing", "resolved"] * 3 + ["flapping", "resolved"]


async def test_a_restart_forgets_nothing(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500, for_s=1800)
    for place, value in enumerate((900, 1600, 1600, 1600, 1600, 900)):
        world.evaluator = Evaluator(world.connection)
        await world.measure(sensor, "co2", every(10, value, start=START + 10 * place * MINUTE))
        await world.work(START + 10 * place * MINUTE)
    assert await world.told() == ["firing", "resolved"]
    assert [at for at, _, phase in await world.transitions() if phase == "firing"] == [40]


async def test_a_week_that_comes_at_once_after_an_outage_tells_only_what_is_so(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.measure(sensor, "co2", every(10, 900))
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500, flap_count=0)
    await world.work(START)
    week = every(30, *([900, 1600] * 167), 1600, start=START + HOUR)
    await world.measure(sensor, "co2", week)
    await world.work(week[-1][0])
    assert await world.told() == ["firing"]
    assert await world.connection.fetchval("SELECT count(*) FROM alerts WHERE NOT told") == 166


async def test_opening_hours_are_local_on_the_days_that_the_clock_changes(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    hours = OpeningHours(weekly=weekdays(("08:30", "16:30"), days=("sun", "mon")))
    await set_calendar(world.connection, world.tenant_id, world.site_id, hours.model_dump_json())
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500, watch="open", hold_s=7200)
    for sunday in (datetime(2026, 10, 25, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC)):
        day = every(30, *[1600.0] * 48, start=sunday)
        await world.measure(sensor, "co2", day)
        await world.work(day[-1][0])
    rows = await world.connection.fetch("SELECT started_at, ended_at FROM alerts ORDER BY started_at")
    assert [(row["started_at"].strftime("%H:%M"), row["ended_at"].strftime("%H:%M")) for row in rows] == [
        ("07:30", "15:30"),  # winter time since 03:00: UTC+1
        ("06:30", "14:30"),  # summer time since 02:00: UTC+2
    ]


async def test_a_site_has_a_zone_of_its_own(world: World) -> None:
    sensor = await world.sensor("Salle 1")
    await world.connection.execute("UPDATE sites SET time_zone = 'Indian/Reunion'")
    hours = OpeningHours(weekly=weekdays(("08:00", "12:00")), region="974")
    await set_calendar(world.connection, world.tenant_id, None, json.dumps(hours.model_dump(mode="json")))
    await world.rule("threshold", {"point_id": sensor.point_id}, quantity="co2", above=1500, watch="open", hold_s=7200)
    monday = datetime(2026, 11, 2, tzinfo=UTC)
    await world.measure(sensor, "co2", every(30, *[1600.0] * 24, start=monday))
    await world.work(monday + timedelta(hours=12))
    row = await world.connection.fetchrow("SELECT started_at, ended_at FROM alerts")
    assert row is not None
    assert (row["started_at"].hour, row["ended_at"].hour) == (4, 8)
