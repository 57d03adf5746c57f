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

from store.assignments import assign
from store.maintenance.run import run_once
from store.reading.every import Every, edges, parse_every
from store.reading.series import series

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
