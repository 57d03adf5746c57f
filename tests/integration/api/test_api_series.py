"""Series: several at once, cut for a chart, compared with the year before."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_served import Served
from api_world import NOW

from store.maintenance.run import run_once
from store.partitions import ensure_partitions, month_of

DAY = timedelta(days=1)


async def ask(served: Served, path: str, status: int = 200, **parameters: str) -> dict[str, Any]:
    async with served.http.get(path, params={"tenant": "mareuville", **parameters}) as response:
        body = await response.read()
        assert response.status == status, body
        return dict(json.loads(body))


def of_air(served: Served) -> str:
    return f"/api/v1/points/{served.world.air.point_id}/series"


async def write(served: Served, device_id: int, quantity: str, samples: list[tuple[datetime, float]]) -> None:
    await ensure_partitions(served.connection, "measurements", {month_of(at) for at, _ in samples})
    quantity_id = await served.connection.fetchval("SELECT quantity_id FROM quantities WHERE name = $1", quantity)
    await served.connection.copy_records_to_table(
        "measurements",
        columns=["measured_at", "received_at", "value", "device_id", "quantity_id", "channel"],
        records=[(at, at, value, device_id, quantity_id, 0) for at, value in samples],
    )
    hours = {(device_id, at.replace(minute=0, second=0, microsecond=0)) for at, _ in samples}
    await served.connection.copy_records_to_table("changed_hours", columns=["device_id", "hour"], records=list(hours))


async def test_several_points_and_quantities_in_one_answer(served: Served) -> None:
    world = served.world
    said = await ask(
        served,
        "/api/v1/series",
        points=f"{world.air.point_id},{world.water.point_id}",
        quantity="temperature,water_volume",
        every="day",
        **{"from": "2025-11-19", "to": "2025-11-21"},
    )
    found = {(one["point_id"], one["quantity"]): one for one in said["series"]}
    assert len(found) == 4
    alone = await ask(
        served, of_air(served), quantity="temperature", every="day", **{"from": "2025-11-19", "to": "2025-11-21"}
    )
    assert found[world.air.point_id, "temperature"] == alone
    assert [one["samples"] for one in found[world.water.point_id, "temperature"]["items"]] == [0, 0]


async def test_one_foreign_point_refuses_the_answer(served: Served) -> None:
    points = f"{served.world.air.point_id},{served.world.foreign.point_id}"
    await ask(served, "/api/v1/series", 404, points=points, quantity="temperature")


async def test_several_series_are_bounded_together(served_small: Served) -> None:
    points = ",".join(str(sensor.point_id) for sensor in served_small.world[1:5])
    said = await ask(
        served_small, "/api/v1/series", 422, points=points, quantity="temperature,humidity,co2,voltage", every="30m"
    )
    assert said["type"] == "urn:samara:problem:too-many-points"
    assert said["limit"] == 500


@pytest.mark.parametrize("rolled_up", [False, True])
async def test_a_chart_gets_what_was_measured_or_the_finest_cut_that_fits(served_any: Served, rolled_up: bool) -> None:  # noqa: FBT001 - a case
    served = served_any
    if rolled_up:
        await run_once(served.connection, NOW + DAY)
    asked = {"quantity": "temperature", "every": "auto", "from": "2025-11-01", "to": "2025-11-20"}
    whole = await ask(served, of_air(served), max_points="2000", **asked)
    assert (whole["every"], len(whole["items"])) == ("raw", 19 * 48)
    cut = await ask(served, of_air(served), max_points="200", **asked)
    assert cut["every"] == "PT5H"
    assert len(cut["items"]) <= 100
    values = [one["value"] for one in whole["items"]]
    assert min(one["minimum"] for one in cut["items"]) == min(values)
    assert max(one["maximum"] for one in cut["items"]) == max(values)
    assert sum(one["samples"] for one in cut["items"]) == len(values)
    for one in cut["items"]:
        held = [s["value"] for s in whole["items"] if one["start"] <= s["measured_at"] < one["end"]]
        assert (one["minimum"], one["maximum"], one["last"]) == (min(held), max(held), held[-1])
        assert one["mean"] == pytest.approx(sum(held) / len(held))


async def test_raw_series_say_where_nothing_was_measured(served: Served) -> None:
    said = await ask(served, of_air(served), quantity="temperature")
    assert len(said["gaps"]) == 1
    assert said["gaps"][0] == {"start": "2025-11-21T13:00:00Z", "end": "2025-11-21T19:00:00Z"}


async def test_the_year_before_stands_beside_each_interval(served: Served) -> None:
    device_id = served.world.water.device_id
    days = [datetime(2024, 11, 1, 11, tzinfo=UTC) + n * DAY for n in range(30)]
    await served.connection.execute(
        "UPDATE assignments SET during = tstzrange(NULL, upper(during)) WHERE device_id = $1", device_id
    )
    await write(served, device_id, "water_volume", [(at, float(at.day)) for at in days])
    path = f"/api/v1/points/{served.world.water.point_id}/series"
    asked = {"quantity": "water_volume", "every": "day", "from": "2025-11-10", "to": "2025-11-13"}
    same_date = await ask(served, path, compare="year", **asked)
    assert len(same_date["previous"]) == len(same_date["items"]) == 3
    assert [one["start"] for one in same_date["previous"]] == [
        "2024-11-09T23:00:00Z",
        "2024-11-10T23:00:00Z",
        "2024-11-11T23:00:00Z",
    ]
    assert [one["last"] for one in same_date["previous"]] == [10, 11, 12]
    same_weekday = await ask(served, path, compare="year-weekday", **asked)  # Mondays both
    assert [one["last"] for one in same_weekday["previous"]] == [11, 12, 13]
    raw = await ask(served, path, compare="year", quantity="water_volume", **{"from": "2025-11-10", "to": "2025-11-11"})
    assert [one["value"] for one in raw["previous"]] == [10]


async def test_a_leap_day_has_no_counterpart_and_the_month_still_adds_up(served: Served) -> None:
    served.clock.now = datetime(2024, 4, 1, tzinfo=UTC)
    asked = {"quantity": "temperature", "every": "day", "from": "2024-02-01", "to": "2024-03-02", "compare": "year"}
    await served.connection.execute("UPDATE assignments SET during = tstzrange(NULL, NULL)")
    samples = [(datetime(2023, 2, 1, 11, tzinfo=UTC) + n * DAY, 1.0) for n in range(30)]
    await write(served, served.world.air.device_id, "temperature", samples)
    said = await ask(served, of_air(served), **asked)
    counts = [one["samples"] for one in said["previous"]]
    assert len(counts) == 30
    assert counts[28] == 0
    assert sum(counts) == 29
