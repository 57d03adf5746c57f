"""A small territory written row by row, and what its series must say, computed the slow and obvious way."""

import random
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from store.fleet import TenantDeclaration, declare_device, declare_point, declare_site, declare_tenant
from store.partitions import ensure_partitions, month_of

HOUR = timedelta(hours=1)


class Row(NamedTuple):
    """One measurement to write."""

    device_id: int
    quantity: str
    channel: int
    measured_at: datetime
    value: float


class Place(NamedTuple):
    tenant_id: int
    point_id: int


async def a_place(connection: asyncpg.Connection, slug: str) -> Place:
    tenant_id = await declare_tenant(connection, TenantDeclaration(slug=slug, name=slug.title(), kind="commune"))
    site_id = await declare_site(connection, tenant_id, "École")
    return Place(tenant_id, await declare_point(connection, site_id, "Chaufferie"))


async def a_device(connection: asyncpg.Connection, tenant_id: int, number: int) -> int:
    return await declare_device(connection, tenant_id, f"{number:016x}")


async def write_measurements(connection: asyncpg.Connection, rows: Sequence[Row]) -> None:
    """Write as ingest does: the rows, and a mark for each hour of a device that they touch, in one transaction."""
    await ensure_partitions(connection, "measurements", {month_of(row.measured_at) for row in rows})
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    async with connection.transaction():
        await connection.copy_records_to_table(
            "measurements",
            columns=["measured_at", "received_at", "value", "device_id", "quantity_id", "channel"],
            records=[
                (row.measured_at, row.measured_at, row.value, row.device_id, ids[row.quantity], row.channel)
                for row in rows
            ],
        )
        await mark(connection, ((row.device_id, row.measured_at) for row in rows))


async def mark(connection: asyncpg.Connection, changes: Iterable[tuple[int, datetime]]) -> None:
    hours = {(device_id, at.replace(minute=0, second=0, microsecond=0)) for device_id, at in changes}
    await connection.copy_records_to_table("changed_hours", columns=["device_id", "hour"], records=list(hours))


class Frame(NamedTuple):
    """One uplink to write."""

    device_id: int
    received_at: datetime
    dev_addr: str
    f_cnt: int


async def write_uplinks(connection: asyncpg.Connection, frames: Sequence[Frame]) -> None:
    await ensure_partitions(connection, "uplinks", {month_of(frame.received_at) for frame in frames})
    async with connection.transaction():
        await connection.executemany(
            """
            INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,
                                 dev_addr, outcome, detail, payload)
            VALUES ($1, $2, $1, $3, $4, 1, false, true, $5, 'decoded', '', '')
            """,
            [(frame.received_at, frame.f_cnt, frame.f_cnt, frame.device_id, frame.dev_addr) for frame in frames],
        )
        await mark(connection, ((frame.device_id, frame.received_at) for frame in frames))


# --- What sensors do -------------------------------------------------------------------------------------------


def times(chance: random.Random, start: datetime, end: datetime, period: timedelta) -> list[datetime]:
    """Return sending times with jitter, lost frames and a few long silences."""
    found, at = [], start
    while at < end:
        if chance.random() < 0.9:
            found.append(at.replace(microsecond=0))
        at += period * chance.uniform(0.9, 1.1)
        if chance.random() < 0.003:
            at += timedelta(hours=chance.uniform(5, 40))
    return found


def gauge(chance: random.Random, count: int) -> list[float]:
    return [round(20 + chance.gauss(0, 5), 2) for _ in range(count)]


def counter(chance: random.Random, count: int, first: float = 0.0) -> list[float]:
    """Return an index that grows, restarts, falls back a little, and passes the end of 16 bits."""
    found, index = [], first
    for _ in range(count):
        index += chance.choice([0, 0, 1, 3, 40])
        drawn = chance.random()
        if drawn < 0.004:
            index = chance.choice([0, 2])
        elif drawn < 0.008:
            index = max(0, index - 1)
        elif drawn < 0.012:
            index = 65_530
        if index >= 65_536:
            index -= 65_536
        found.append(float(index))
    return found


def state(chance: random.Random, count: int) -> list[float]:
    """Return a state that holds for long, and sometimes does not."""
    found, now = [], 0.0
    for _ in range(count):
        if chance.random() < 0.05:
            now = 1.0 - now
        found.append(now)
    return found


# --- What a series must say ------------------------------------------------------------------------------------


class Stay(NamedTuple):
    """A device at the point, from `start` (None: always) until `end`."""

    device_id: int
    start: datetime | None
    end: datetime | None


Held = list[tuple[datetime, float]]
Samples = dict[int, Held]  # by device, in order


def at_point(stays: Sequence[Stay], samples: Samples) -> list[Held]:
    """Return what was measured during each stay."""
    return [
        [
            (at, value)
            for at, value in samples[stay.device_id]
            if (stay.start is None or at >= stay.start) and (stay.end is None or at < stay.end)
        ]
        for stay in stays
    ]


def _within(held: Held, start: datetime, end: datetime) -> range:
    return range(bisect_left(held, (start,)), bisect_left(held, (end,)))


def expected_gauge(_: Sequence[Stay], held: Sequence[Held], start: datetime, end: datetime) -> list[float | None]:
    values = [one[number][1] for one in held for number in _within(one, start, end)]
    if not values:
        return [0, None, None, None, None]
    return [len(values), min(values), sum(values) / len(values), max(values), values[-1]]


def _step(before: float, after: float) -> float:
    if after >= 0.9 * before:
        return after - before
    for bits in (16, 24, 32):
        if before < 2**bits and 2**bits - before + after <= 2**bits / 64:
            return 2**bits - before + after
    return after


def expected_counter(_: Sequence[Stay], held: Sequence[Held], start: datetime, end: datetime) -> list[float | None]:
    count, total, last = 0, 0.0, None
    for one in held:
        for number in _within(one, start, end):
            count, last = count + 1, one[number][1]
            total += _step(one[number - 1][1], last) if number else 0.0
    return [count, total if count else None, last]


def expected_state(stays: Sequence[Stay], held: Sequence[Held], start: datetime, end: datetime) -> list[float | None]:
    count, last, on_s, known_s = 0, None, 0.0, 0.0
    for stay, one in zip(stays, held, strict=True):
        inside = _within(one, start, end)
        count += len(inside)
        last = one[inside[-1]][1] if inside else last
        until = end if stay.end is None else min(end, stay.end)
        for number in range(max(0, inside.start - 1), inside.stop):
            lasts_until = min(until, one[number + 1][0]) if number + 1 < len(one) else until
            lasting_s = max(0.0, (lasts_until - max(one[number][0], start)).total_seconds())
            known_s += lasting_s
            on_s += lasting_s if one[number][1] == 1 else 0.0
    return [count, last, on_s / known_s if count and known_s else None]


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
