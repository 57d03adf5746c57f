"""What pages read of many points at once is what the series of each say, added up."""

import math
from datetime import timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_world import HOUR, Row, a_device, a_place, utc, write_measurements

from store.assignments import assign
from store.maintenance.run import run_once
from store.reading.consumption import days
from store.reading.hourly import hours_of_site
from store.reading.pieces import increase
from store.reading.searching import fold, search
from store.reading.seen import seen
from store.reading.series import intervals
from store.reading.territory import tenant_by_id

PARIS = ZoneInfo("Europe/Paris")
START = utc(2025, 5, 9, 22)  # midnight in Paris
NOW = START + timedelta(days=12)


async def a_month(connection: asyncpg.Connection) -> tuple[int, int]:
    """A meter that restarts on the third day and is replaced on the sixth, and the temperature beside it."""
    place = await a_place(connection, "mareuville")
    old, new = await a_device(connection, place.tenant_id, 1), await a_device(connection, place.tenant_id, 2)
    await assign(connection, old, place.point_id, START - 30 * HOUR)
    await assign(connection, new, place.point_id, START + timedelta(days=5, hours=7))
    rows = []
    for hour in range(-24, 11 * 24):
        at = START + hour * HOUR
        first = at < START + timedelta(days=5, hours=7)
        index = 65_000 + 5.0 * hour if hour < 60 else 5.0 * hour
        rows.append(Row(old if first else new, "water_volume", 0, at + HOUR / 2, index if first else 10 + 3.0 * hour))
        rows.append(Row(old if first else new, "temperature", 0, at + HOUR / 2, 15 + 5 * math.sin(hour)))
    await write_measurements(connection, rows)
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    for device_id in (old, new):
        await connection.execute(
            "INSERT INTO latest_frames VALUES ($1, 1, $2, $2, $3, '{0,0}', '{0,0}')",
            device_id,
            START,
            [ids["water_volume"], ids["temperature"]],
        )
    await run_once(connection, NOW + timedelta(days=1))
    return place.tenant_id, place.point_id


async def test_days_of_many_points_are_those_of_their_series(connection: asyncpg.Connection) -> None:
    tenant_id, point_id = await a_month(connection)
    bounds = [START + timedelta(days=n) for n in range(11)]
    tenant = await tenant_by_id(connection, tenant_id)
    told = await days(connection, tenant, ["water_volume", "temperature"], [(bounds[0], bounds[-1])])
    water = await intervals(connection, tenant_id, point_id, "water_volume", 0, bounds=bounds)
    by_day = {one.day: one.increase for one in told if one.quantity == "water_volume" and one.day is not None}
    assert by_day == {row.start: pytest.approx(row.increase) for row in water.rows}
    (whole,) = [one for one in told if one.quantity == "water_volume" and one.point_id is not None]
    assert (whole.point_id, whole.days) == (point_id, 11)  # the day of the replacement is of both devices
    assert whole.increase == pytest.approx(sum(row.increase for row in water.rows))
    air = await intervals(connection, tenant_id, point_id, "temperature", 0, bounds=bounds)
    found = {one.day: (one.mean, one.peak) for one in told if one.quantity == "temperature" and one.day is not None}
    assert found == {row.start: (pytest.approx(row.mean), pytest.approx(row.maximum, rel=0.01)) for row in air.rows}


async def test_hours_of_a_site_are_those_of_its_points(connection: asyncpg.Connection) -> None:
    tenant_id, point_id = await a_month(connection)
    site_id = await connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", point_id)
    bounds = [START + timedelta(days=2) + n * HOUR for n in range(49)]
    names = ["water_volume", "temperature"]
    tenant = await tenant_by_id(connection, tenant_id)
    told = await hours_of_site(connection, tenant, site_id, names, start=bounds[0], end=bounds[-1])
    water = await intervals(connection, tenant_id, point_id, "water_volume", 0, bounds=bounds)
    assert [one.increase for one in told if one.quantity == "water_volume"] == [
        pytest.approx(row.increase) for row in water.rows
    ]
    assert [one.point_id for one in told if one.quantity == "temperature"] == [point_id] * 48


async def test_a_step_is_the_same_in_sql(connection: asyncpg.Connection) -> None:
    pairs = [
        (before, after)
        for before in (0.0, 1.0, 99.5, 65_000.0, 65_535.0, 65_536.0, 16_777_000.0, 4_294_967_290.0, 1e11)
        for after in (0.0, 0.5, 1.0, before * 0.9, before * 0.95, before * 0.5, before + 3, 12.0)
    ]
    rows = await connection.fetch(
        "SELECT counter_step(before, after) FROM unnest($1::float8[], $2::float8[]) AS one (before, after)",
        [before for before, _ in pairs],
        [after for _, after in pairs],
    )
    assert [row[0] for row in rows] == [pytest.approx(increase(*pair)) for pair in pairs]


async def test_names_fold_as_questions_do(connection: asyncpg.Connection) -> None:
    names = ["École Jules-Verne", "Mairie d'Œuilly", "Ñandú & ÇA VA ?", "Eau n° 12 (été)", "façade à côté", ""]
    assert [await connection.fetchval("SELECT fold($1)", name) for name in names] == [fold(name) for name in names]


@given(st.text(max_size=20))
def test_a_folded_question_is_letters_and_digits(text: str) -> None:
    assert all(letter.isascii() and letter.isalnum() for letter in fold(text))


async def test_search_takes_part_of_a_name_or_the_end_of_a_deveui(connection: asyncpg.Connection) -> None:
    tenant_id, point_id = await a_month(connection)
    del tenant_id
    assert [(hit.kind, hit.name) for hit in await search(connection, "ÉCO")] == [("site", "École")]
    assert [(hit.kind, hit.point_id) for hit in await search(connection, "chauf")] == [("point", point_id)]
    assert [(hit.kind, hit.point_id) for hit in await search(connection, "0002")] == [("device", point_id)]
    assert [hit.kind for hit in await search(connection, "mareuville")] == ["tenant"]
    assert await search(connection, "%") == []


async def test_every_point_is_seen_with_what_it_measures(connection: asyncpg.Connection) -> None:
    tenant_id, point_id = await a_month(connection)
    (one,) = await seen(connection, tenant_id)
    assert (one.point_id, one.name, one.heard_at) == (
        point_id,
        "Chaufferie",
        None,
    )  # the new meter spoke before it came
