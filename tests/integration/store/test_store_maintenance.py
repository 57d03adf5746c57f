"""Partitions, roll-ups, radio accounts and retention, whoever runs them and however often."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from store_world import Frame, Row, a_device, a_place, utc, write_measurements, write_uplinks

from store.maintenance.retention import delete_expired, retention, set_retention
from store.maintenance.rollups import rebuild
from store.maintenance.run import NOTHING, roll_up_once, run_once
from store.migrate import has_timescale
from store.partitions import PARTITIONED, ensure_partitions, partitions

NOW = utc(2025, 6, 15, 12)


async def test_partitions_are_made_ahead_once(connection: asyncpg.Connection) -> None:
    report = await run_once(connection, NOW)
    months = [] if await has_timescale(connection) else ["2025_06", "2025_07", "2025_08"]
    assert report.partitions == [f"{relation}_{month}" for relation in PARTITIONED for month in months]
    assert (await run_once(connection, NOW)).partitions == []
    assert [one.name for one in await partitions(connection, "uplinks")] == [f"uplinks_{month}" for month in months]


async def test_who_makes_partitions_at_once_makes_them_once(
    connection: asyncpg.Connection, other_connection: asyncpg.Connection
) -> None:
    months = [utc(2024, month, 5).date() for month in range(1, 13)]
    made = await asyncio.gather(
        *(ensure_partitions(one, "measurements", months) for one in (connection, other_connection))
    )
    assert len(made[0]) + len(made[1]) == (0 if await has_timescale(connection) else 12)
    with pytest.raises(ValueError, match="partitioned"):
        await ensure_partitions(connection, "tenants", months)


async def test_partitions_are_made_while_others_write(database: str) -> None:
    connection, writer = await asyncpg.connect(database), await asyncpg.connect(database)
    await connection.execute("SET lock_timeout = '1s'")
    device_id = await a_device(connection, (await a_place(connection, "albert")).tenant_id, 1)
    await ensure_partitions(connection, "measurements", [NOW.date()])
    async with writer.transaction():  # holds its locks on the relation until it ends
        await write_measurements(writer, [Row(device_id, "temperature", 0, NOW, 20.0)])
        assert await ensure_partitions(connection, "measurements", [utc(2024, 1, 1).date()]) != []
    await connection.close()
    await writer.close()


async def test_one_round_at_a_time(connection: asyncpg.Connection, other_connection: asyncpg.Connection) -> None:
    await other_connection.execute("SELECT pg_advisory_lock($1::bigint)", 0x53414D4D4149)
    assert await run_once(connection, NOW) == await roll_up_once(connection, NOW) == NOTHING
    await other_connection.execute("SELECT pg_advisory_unlock_all()")
    assert not (await run_once(connection, NOW)).busy
    assert not (await run_once(other_connection, NOW)).busy


async def test_an_hour_is_rolled_up_when_it_is_over(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    await write_measurements(connection, [Row(device_id, "temperature", 0, NOW + timedelta(minutes=59), 20.0)])
    assert (await run_once(connection, NOW + timedelta(minutes=69))).marks == 0
    assert (await run_once(connection, NOW + timedelta(minutes=70))).marks == 1
    assert (await run_once(connection, NOW + timedelta(minutes=71))).marks == 0


async def test_first_and_last_are_so_whichever_way_the_planner_takes(database: str) -> None:
    connection = await asyncpg.connect(database)
    device_id = await a_device(connection, (await a_place(connection, "albert")).tenant_id, 1)
    await ensure_partitions(connection, "measurements", [NOW.date()])
    rows = [Row(device_id, "temperature", 0, NOW + timedelta(seconds=number), number) for number in range(3 * 3600)]
    await write_measurements(connection, rows)
    async with connection.transaction():
        await connection.execute("SET LOCAL enable_hashagg = off")
        await connection.execute("SET LOCAL work_mem = '64kB'")  # a sort of many runs
        await rebuild(connection, {(device_id, NOW + timedelta(hours=hour)) for hour in range(3)})
    hours = await connection.fetch("SELECT first, last FROM measurements_hourly ORDER BY hour")
    assert [tuple(one) for one in hours] == [(0, 3599), (3600, 7199), (7200, 10799)]
    assert tuple(await connection.fetchrow("SELECT first, last FROM measurements_daily")) == (0, 10799)
    await connection.close()


async def test_what_fails_is_done_again(connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    await write_measurements(connection, [Row(device_id, "temperature", 0, NOW, 20.0)])
    await write_uplinks(connection, [Frame(device_id, NOW, "00000001", 1)])

    async def fail(*_: object) -> int:
        raise asyncpg.ConnectionDoesNotExistError

    with monkeypatch.context() as broken:
        broken.setattr("store.maintenance.marks.rebuild_accounts", fail)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await run_once(connection, NOW + timedelta(days=2))
    report = await run_once(connection, NOW + timedelta(days=2))
    assert (report.marks, report.accounts) == (2, 1)
    assert await connection.fetchval("SELECT samples FROM measurements_daily") == 1


ROLLED_UP = """
SELECT device_id, quantity_id, channel, {unit}, samples, round(total::numeric, 6),
       low, high, first, first_at, last, last_at
  FROM measurements_{name} ORDER BY 1, 2, 3, 4
"""


async def derived(connection: asyncpg.Connection) -> list[list[tuple[Any, ...]]]:
    queries = [
        ROLLED_UP.format(unit="hour", name="hourly"),
        ROLLED_UP.format(unit="day", name="daily"),
        "SELECT device_id, day, heard, lost, late, repeated, resets FROM radio_accounts ORDER BY 1, 2",
    ]
    return [[tuple(row) for row in await connection.fetch(query)] for query in queries]


def week(chance: random.Random, devices: Sequence[int]) -> tuple[list[Row], list[Frame]]:
    """Return a week of a few devices: lost frames, a rejoin, a 16-bit turn, a restart."""
    rows, frames = [], []
    for device_id in devices:
        dev_addr, f_cnt = f"{device_id:08x}", chance.choice([0, 65_400, 70_000])
        for number in range(7 * 48):
            at = NOW + timedelta(minutes=30 * number, seconds=chance.randrange(600))
            f_cnt += 1
            if f_cnt == 65_536:
                f_cnt = 0
            if chance.random() < 0.01:
                dev_addr, f_cnt = f"{chance.getrandbits(32):08x}", 0
            if chance.random() < 0.1:
                continue
            frames.append(Frame(device_id, at, dev_addr, f_cnt))
            rows += [Row(device_id, "temperature", channel, at, chance.gauss(20, 3)) for channel in (0, 1)]
    return rows, frames


async def test_a_week_shuffled_gives_the_same_as_sorted(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    in_order, shuffled = [
        [await a_device(connection, place.tenant_id, number) for number in numbers]
        for numbers in (range(1, 5), range(5, 9))
    ]
    for batch in batches(*week(random.Random(7), in_order)):
        await write(connection, *batch)
    await run_once(connection, NOW + timedelta(days=9))

    disordered = batches(*week(random.Random(7), shuffled))
    random.Random(8).shuffle(disordered)
    for number, batch in enumerate(disordered):
        await write(connection, *batch)
        if number % 9 == 0:
            await run_once(connection, NOW + timedelta(days=number % 7), portion=40, portions=3)
        if number % 9 == 4:
            await roll_up_once(connection, NOW + timedelta(days=number % 7))
    while (await run_once(connection, NOW + timedelta(days=9), portion=500)).more:
        pass
    for rows in await derived(connection):
        half = len(rows) // 2
        assert half > 20
        assert [(row[0] + 4, *row[1:]) for row in rows[:half]] == rows[half:]


def batches(rows: list[Row], frames: list[Frame]) -> list[tuple[list[Row], list[Frame]]]:
    return [(rows[at : at + 50], frames[at // 2 : at // 2 + 25]) for at in range(0, len(rows), 50)]


async def write(connection: asyncpg.Connection, rows: list[Row], frames: list[Frame]) -> None:
    await write_measurements(connection, rows)
    await write_uplinks(connection, frames)


async def test_both_flavours_derive_the_same(database: str, timescale_database: str) -> None:
    found = []
    for dsn in (database, timescale_database):
        connection = await asyncpg.connect(dsn)
        place = await a_place(connection, "albert")
        devices = [await a_device(connection, place.tenant_id, number) for number in range(1, 4)]
        rows, frames = week(random.Random(3), devices)
        await write_measurements(connection, rows)
        await write_uplinks(connection, frames)
        await run_once(connection, NOW + timedelta(days=9))
        found.append(await derived(connection))
        await connection.close()
    assert found[0] == found[1]
    assert sum(row[3] for row in found[0][2]) > 20  # frames lost


async def test_the_last_frame_of_a_day_opens_the_next(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    days = [Frame(device_id, NOW + timedelta(days=day), "00000001", f_cnt) for day, f_cnt in [(0, 1), (2, 9)]]
    await write_uplinks(connection, days)
    await run_once(connection, NOW + timedelta(days=4))
    lost = "SELECT lost FROM radio_accounts ORDER BY day"
    assert [row["lost"] for row in await connection.fetch(lost)] == [0, 7]
    late = Frame(device_id, NOW + timedelta(days=1), "00000001", 5)
    await write_uplinks(connection, [late])  # marks its own day alone
    await run_once(connection, NOW + timedelta(days=4))
    assert [row["lost"] for row in await connection.fetch(lost)] == [0, 3, 3]


async def test_retention_is_off_until_set_and_drops_whole_months(connection: asyncpg.Connection) -> None:
    assert await retention(connection) == {}
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    frames = [Frame(device_id, utc(2024, month, 15), "00000001", month) for month in range(1, 13)]
    await write_uplinks(connection, frames)
    await run_once(connection, NOW)
    assert await connection.fetchval("SELECT count(*) FROM uplinks") == 12
    await set_retention(connection, "uplinks", 24)
    await set_retention(connection, "uplinks", 8)
    await set_retention(connection, "receptions", 8)
    await set_retention(connection, "receptions", None)
    assert await retention(connection) == {"uplinks": 8}
    report = await run_once(connection, NOW)
    if await has_timescale(connection):
        jobs = "SELECT hypertable_name, config->>'drop_after' FROM timescaledb_information.jobs WHERE proc_name = $1"
        assert [tuple(row) for row in await connection.fetch(jobs, "policy_retention")] == [("uplinks", "9 mons")]
    else:
        assert report.dropped == [f"uplinks_2024_{month:02}" for month in range(1, 10)]
        assert await connection.fetchval("SELECT count(*) FROM uplinks") == 3
    for relation, months in [("tenants", 3), ("uplinks", 0)]:
        with pytest.raises(ValueError, match="retention"):
            await set_retention(connection, relation, months)


async def test_a_partition_in_use_waits_its_turn(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.partitions.LOCK_TIMEOUT_MS", 1)
    connection, reader = await asyncpg.connect(database), await asyncpg.connect(database)
    await ensure_partitions(connection, "uplinks", [utc(2024, 1, 1).date()])
    await set_retention(connection, "uplinks", 1)
    transaction = reader.transaction()
    await transaction.start()
    await reader.fetch("SELECT * FROM uplinks")
    assert (await run_once(connection, NOW)).dropped == []
    await transaction.rollback()
    assert (await run_once(connection, NOW)).dropped == ["uplinks_2024_01"]
    await connection.close()
    await reader.close()


async def test_what_is_no_longer_kept_keeps_its_roll_ups(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    old = utc(2024, 1, 15, 6)
    await write_measurements(connection, [Row(device_id, "temperature", 0, old, 20.0)])
    await run_once(connection, NOW)
    await set_retention(connection, "measurements", 6)
    await run_once(connection, NOW)
    late = [Row(device_id, "temperature", 0, old + timedelta(minutes=1), 30.0)]
    await write_measurements(connection, late)
    assert (await run_once(connection, NOW)).marks == 1
    assert await connection.fetchval("SELECT last FROM measurements_hourly") == 20.0


async def test_old_chunks_are_kept_in_columns_and_still_take_late_rows_once(timescale_database: str) -> None:
    connection = await asyncpg.connect(timescale_database)
    place = await a_place(connection, "albert")
    devices = [await a_device(connection, place.tenant_id, number) for number in (1, 2)]
    rows, frames = week(random.Random(5), devices)
    await write_measurements(connection, rows[::2])
    await write_uplinks(connection, frames)
    for relation in ("measurements", "uplinks"):
        await connection.execute("SELECT compress_chunk(chunk) FROM show_chunks($1::text::regclass) AS chunk", relation)
    await write_measurements(connection, rows[1::2])
    with pytest.raises(asyncpg.UniqueViolationError):
        await write_measurements(connection, rows[:1])
    with pytest.raises(asyncpg.UniqueViolationError):
        await write_uplinks(connection, frames[:1])
    assert await connection.fetchval("SELECT count(*) FROM measurements") == len(rows)
    policies = "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"
    assert await connection.fetchval(policies) == 5
    await connection.close()


async def test_roll_ups_radio_accounts_and_classes_have_their_own_time(connection: asyncpg.Connection) -> None:
    """Battery voltages go after six months, temperatures stay; hours and accounts go after a year, days stay."""
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    for at in (utc(2023, 1, 15, 6), utc(2024, 9, 15, 6), NOW - timedelta(days=2)):
        rows = [Row(device_id, quantity, 0, at, 3.0) for quantity in ("temperature", "battery_voltage")]
        await write_measurements(connection, rows)
        await connection.execute("INSERT INTO radio_accounts VALUES ($1, $2, 1, 0, 0, 0, 0)", device_id, at.date())
    await run_once(connection, NOW)
    timescale = await has_timescale(connection)
    await set_retention(connection, "measurements/device", 6)
    await set_retention(connection, "measurements_hourly", 12)
    await set_retention(connection, "radio_accounts", 12)
    kept = await retention(connection)
    deleted = await delete_expired(connection, kept, NOW, slices=1)
    of_quantity = """
    SELECT count(*) FROM measurements JOIN quantities USING (quantity_id) WHERE name = $1
    """
    assert await connection.fetchval(of_quantity, "temperature") == 3
    assert await connection.fetchval(of_quantity, "battery_voltage") == 1
    assert await connection.fetchval("SELECT count(*) FROM radio_accounts") == 2
    hours = await connection.fetchval("SELECT count(*) FROM measurements_hourly")
    assert (deleted, hours) == ((3, 6) if timescale else (5, 4))
    assert await connection.fetchval("SELECT count(*) FROM measurements_daily") == 6
    if timescale:
        jobs = "SELECT config->>'drop_after' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
        assert [one["?column?"] for one in await connection.fetch(jobs)] == ["1 year 1 mon"]
    await run_once(connection, NOW)
    assert await connection.fetchval("SELECT count(*) FROM measurements_hourly") == hours
