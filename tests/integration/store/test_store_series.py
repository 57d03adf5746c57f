"""The same series from both flavours, at any moment of maintenance, as computed the slow and obvious way."""

import math
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from store_world import (
    Place,
    Row,
    Samples,
    Stay,
    a_device,
    a_place,
    at_point,
    counter,
    expected_counter,
    expected_gauge,
    expected_state,
    gauge,
    state,
    times,
    utc,
    write_measurements,
)

from domain.errors import NotFoundError
from store.assignments import assign, move
from store.maintenance.retention import set_retention
from store.maintenance.run import run_once
from store.migrate import has_timescale
from store.reading.every import Every, edges, parse_every
from store.reading.series import Sample, TooManySamplesError, series

PARIS = ZoneInfo("Europe/Paris")
QUANTITIES: dict[str, tuple[Callable[[random.Random, int], list[float]], Callable[..., list[float | None]]]] = {
    "temperature": (gauge, expected_gauge),
    "pulse_count": (counter, expected_counter),
    "open": (state, expected_state),
}
CUTS: list[tuple[str, str]] = [
    ("20m", "Europe/Paris"),
    ("6h", "Europe/Paris"),
    ("hour", "America/Guadeloupe"),
    ("day", "Europe/Paris"),
    ("day", "Pacific/Marquesas"),  # 9 h 30 behind: no hour of the roll-ups is one of its days' first
    ("week", "Europe/Paris"),
    ("month", "Europe/Paris"),
]


async def said(
    connection: asyncpg.Connection,
    place: Place,
    quantity: str,
    every: Every | None,
    span: tuple[datetime, datetime],
    zone: ZoneInfo = PARIS,
) -> list[Any]:
    found = await series(
        connection, place.tenant_id, place.point_id, quantity, 0, start=span[0], end=span[1], every=every, zone=zone
    )
    return list(found.rows)


def alike(said: Sequence[float | None], wanted: Sequence[float | None]) -> bool:
    return all(
        one is other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6))
        for one, other in zip(said, wanted, strict=True)
    )


async def assert_right(
    connection: asyncpg.Connection,
    place: Place,
    stays: Sequence[Stay],
    samples: dict[str, Samples],
    span: tuple[datetime, datetime],
) -> None:
    for quantity, (_, expected) in QUANTITIES.items():
        held = at_point(stays, samples[quantity])
        for every, zone_name in CUTS:
            zone = ZoneInfo(zone_name)
            bounds = edges(*span, parse_every(every), zone)
            rows = await said(connection, place, quantity, parse_every(every), span, zone)
            assert [row[:2] for row in rows] == list(pairwise(bounds))
            for row in rows:
                wanted = expected(stays, held, row.start, row.end)
                assert alike(row[2:], wanted), (quantity, every, zone_name, row, wanted)


@pytest.mark.parametrize(
    ("seed", "span"),
    [
        (1, (utc(2025, 3, 24, 23), utc(2025, 4, 7, 22))),  # whole days of Paris, one of 23 hours
        (2, (utc(2025, 10, 20, 9, 17), utc(2025, 11, 3, 5, 40))),  # cut anywhere, one day of 25 hours
        (3, (utc(2024, 12, 20, 23), utc(2025, 1, 20, 23))),
    ],
)
async def test_series_are_right_before_during_and_after_roll_up(
    connection: asyncpg.Connection, seed: int, span: tuple[datetime, datetime]
) -> None:
    chance = random.Random(seed)
    place = await a_place(connection, "somme")
    first, second = [await a_device(connection, place.tenant_id, number) for number in (1, 2)]
    replaced_at = span[0] + (span[1] - span[0]) * 0.6 + timedelta(minutes=7)
    await assign(connection, first, place.point_id, span[0])
    await assign(connection, second, place.point_id, replaced_at)
    stays = [Stay(first, None, replaced_at), Stay(second, replaced_at, None)]

    begun, period = span[0] - timedelta(days=2), timedelta(minutes=chance.choice([10, 17, 61]))
    samples: dict[str, Samples] = {}
    for quantity, (values, _) in QUANTITIES.items():
        samples[quantity] = {}
        for device_id in (first, second):
            sent = times(chance, begun, span[1] + timedelta(hours=5), period)
            samples[quantity][device_id] = list(zip(sent, values(chance, len(sent)), strict=True))
    rows = [
        Row(device_id, quantity, 0, *sample)
        for quantity, by_device in samples.items()
        for device_id, found in by_device.items()
        for sample in found
    ]
    chance.shuffle(rows)
    late = len(rows) * 4 // 5

    def known(count: int) -> dict[str, Samples]:
        have = set(rows[:count])
        return {
            quantity: {
                device_id: [one for one in found if Row(device_id, quantity, 0, *one) in have]
                for device_id, found in by_device.items()
            }
            for quantity, by_device in samples.items()
        }

    await write_measurements(connection, rows[:late])
    await assert_right(connection, place, stays, known(late), span)
    await run_once(connection, span[0] + (span[1] - span[0]) / 2)  # the second half is not over yet
    await assert_right(connection, place, stays, known(late), span)
    await write_measurements(connection, rows[late:])
    await assert_right(connection, place, stays, samples, span)
    report = await run_once(connection, span[1] + timedelta(days=3), portion=100, portions=2)
    assert report.more
    await assert_right(connection, place, stays, samples, span)
    await run_once(connection, span[1] + timedelta(days=3))
    assert await connection.fetchval("SELECT count(*) FROM changed_hours") == 0
    assert await connection.fetchval("SELECT count(*) FROM changed_days") == 0
    await assert_right(connection, place, stays, samples, span)


SPAN = (utc(2025, 6, 1, 22), utc(2025, 6, 11, 22))


async def hourly(connection: asyncpg.Connection, device_id: int, quantity: str = "temperature") -> list[Row]:
    """Write one value an hour over SPAN: 0, 1, 2, …"""
    hours = int((SPAN[1] - SPAN[0]) / timedelta(hours=1))
    rows = [
        Row(device_id, quantity, 0, SPAN[0] + timedelta(hours=number, minutes=30), float(number))
        for number in range(hours)
    ]
    await write_measurements(connection, rows)
    return rows


async def test_whole_days_are_read_from_the_roll_ups_and_outlive_the_measurements(
    connection: asyncpg.Connection,
) -> None:
    place = await a_place(connection, "somme")
    device_id = await a_device(connection, place.tenant_id, 1)
    await assign(connection, device_id, place.point_id, SPAN[0])
    await hourly(connection, device_id)
    await run_once(connection, SPAN[1] + timedelta(days=2))
    before = await said(connection, place, "temperature", "day", SPAN)
    if await has_timescale(connection):
        await connection.execute("SELECT drop_chunks('measurements', TIMESTAMPTZ '2026-01-01')")
    else:
        await set_retention(connection, "measurements", 1)
        report = await run_once(connection, utc(2025, 9, 1))
        assert report.dropped == ["measurements_2025_06", "measurements_2025_07"]
    assert await connection.fetchval("SELECT count(*) FROM measurements") == 0
    assert await said(connection, place, "temperature", "day", SPAN) == before
    assert [row.samples for row in before] == [24] * 10
    assert [row.last for row in before] == [23.0 + 24 * day for day in range(10)]


async def test_samples_are_told_one_by_one_and_end_is_excluded(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "somme")
    device_id = await a_device(connection, place.tenant_id, 1)
    await assign(connection, device_id, place.point_id, SPAN[0])
    rows = await hourly(connection, device_id)
    found = await said(connection, place, "temperature", None, (rows[3].measured_at, rows[5].measured_at))
    assert found == [Sample(rows[3].measured_at, 3.0), Sample(rows[4].measured_at, 4.0)]


async def test_too_many_samples_are_refused(connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await a_place(connection, "somme")
    device_id = await a_device(connection, place.tenant_id, 1)
    await assign(connection, device_id, place.point_id, SPAN[0])
    rows = await hourly(connection, device_id)
    monkeypatch.setattr("store.reading.series.MAX_SAMPLES", len(rows))
    assert len(await said(connection, place, "temperature", None, SPAN)) == len(rows)
    monkeypatch.setattr("store.reading.series.MAX_SAMPLES", len(rows) - 1)
    with pytest.raises(TooManySamplesError):
        await said(connection, place, "temperature", None, SPAN)


async def test_a_moved_sensor_shows_each_tenant_its_own_time(connection: asyncpg.Connection) -> None:
    one, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    device_id = await a_device(connection, one.tenant_id, 1)
    await assign(connection, device_id, one.point_id, SPAN[0])
    await hourly(connection, device_id)
    moved_at = SPAN[0] + timedelta(days=4, hours=7, minutes=45)
    await move(connection, device_id, other.tenant_id, moved_at)
    await assign(connection, device_id, other.point_id, moved_at)
    for _ in range(2):
        for every in ("day", None):
            mine = await said(connection, one, "temperature", every, SPAN)
            theirs = await said(connection, other, "temperature", every, SPAN)
            counts = [sum(getattr(row, "samples", 1) for row in rows) for rows in (mine, theirs)]
            assert counts == [4 * 24 + 8, 240 - 4 * 24 - 8]
        await run_once(connection, SPAN[1] + timedelta(days=2))


async def test_a_gap_is_told_as_empty_buckets(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "somme")
    device_id = await a_device(connection, place.tenant_id, 1)
    await assign(connection, device_id, place.point_id, SPAN[0])
    for quantity in QUANTITIES:
        at = [SPAN[0] + timedelta(hours=1), SPAN[0] + timedelta(days=6, hours=1)]
        await write_measurements(connection, [Row(device_id, quantity, 0, when, 1.0) for when in at])
    for _ in range(2):
        for quantity in QUANTITIES:
            rows = await said(connection, place, quantity, "day", SPAN)
            assert [row.samples for row in rows] == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0]
            assert all(set(row[3:]) == {None} for row in rows if row.samples == 0)
        await run_once(connection, SPAN[1] + timedelta(days=2))


async def test_a_point_that_is_not_there_and_one_of_another_tenant_are_told_alike(
    connection: asyncpg.Connection,
) -> None:
    one, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    said_of = []
    for place, quantity in [
        (Place(one.tenant_id, other.point_id), "temperature"),
        (Place(one.tenant_id, 999_999), "temperature"),
        (Place(999_999, one.point_id), "temperature"),
        (one, "no such quantity"),
    ]:
        with pytest.raises(NotFoundError) as error:
            await said(connection, place, quantity, "day", SPAN)
        said_of.append(str(error.value).replace(str(place.point_id), "N"))
    assert said_of[0] == said_of[1] == said_of[2]


async def test_times_that_cannot_be_are_refused(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "somme")
    for every in ("day", None):
        with pytest.raises(ValueError, match="after"):
            await said(connection, place, "temperature", every, (SPAN[1], SPAN[0]))
        with pytest.raises(ValueError, match="after"):
            await said(connection, place, "temperature", every, (SPAN[0], SPAN[0]))
        with pytest.raises(ValueError, match="zone"):
            await said(connection, place, "temperature", every, (SPAN[0].replace(tzinfo=None), SPAN[1]))


async def test_days_are_right_when_maintenance_died_between_hours_and_days(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await a_place(connection, "somme")
    device_id = await a_device(connection, place.tenant_id, 1)
    await assign(connection, device_id, place.point_id, SPAN[0])
    await hourly(connection, device_id)
    after = SPAN[1] + timedelta(days=2)
    await run_once(connection, after)
    late = Row(device_id, "temperature", 0, SPAN[0] + timedelta(days=4, hours=3), 1000.0)
    await write_measurements(connection, [late])

    async def die(*_: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError

    if await has_timescale(connection):  # plain PostgreSQL makes both in one transaction
        with monkeypatch.context() as broken:
            broken.setattr("store.maintenance.run.refresh_days", die)
            with pytest.raises(asyncpg.ConnectionDoesNotExistError):
                await run_once(connection, after)
    for _ in range(2):
        rows = await said(connection, place, "temperature", "day", SPAN)
        assert [row.samples for row in rows] == [24] * 4 + [25] + [24] * 5
        assert rows[4].maximum == 1000.0
        await run_once(connection, after)
    assert await connection.fetchval("SELECT max(high) FROM measurements_daily") == 1000.0
