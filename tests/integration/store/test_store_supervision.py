"""What maintenance keeps for the pages of supervision: equal to what the frames themselves say."""

from datetime import timedelta

import asyncpg
import pytest
from store_world import a_device, mark, utc

from store.assignments import assign
from store.fleet import (
    Model,
    TenantDeclaration,
    declare_device,
    declare_point,
    declare_site,
    declare_tenant,
    sync_models,
)
from store.maintenance.run import run_once
from store.partitions import ensure_partitions

DAY = utc(2025, 6, 14)
NOW = DAY + timedelta(days=1, hours=12)
HOUR = timedelta(hours=1)
AIRTIMES_US = {
    (12, 12): 1_155_072, (12, 23): 1_482_752, (12, 51): 2_465_792,
    (10, 12): 288_768, (10, 23): 370_688, (10, 51): 616_448,
    (7, 12): 41_216, (7, 23): 61_696, (7, 51): 102_656,
    (0, 12): None,
}  # fmt: skip


async def gateways(connection: asyncpg.Connection) -> tuple[int, int]:
    rows = await connection.fetch(
        "INSERT INTO gateways (gateway_eui, name) VALUES ('aa', 'Mairie'), ('bb', 'Eglise') RETURNING gateway_id"
    )
    return rows[0]["gateway_id"], rows[1]["gateway_id"]


async def say(
    connection: asyncpg.Connection, device_id: int, heard: dict[int, float], *, hours: int = 12, every: timedelta = HOUR
) -> None:
    """Let a device send a frame an hour of the day, heard at so many dB of SNR by each gateway; one in four is lost."""
    for relation in ("uplinks", "receptions"):
        await ensure_partitions(connection, relation, [DAY.date()])
    for number in range(hours):
        if number % 4 == 3:
            continue
        at = DAY + number * every
        await connection.execute(
            "INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,"
            " dev_addr, outcome, detail, payload, spreading_factor, bandwidth_hz)"
            " VALUES ($1, $2, $1, $2, $3, 1, false, true, 'a', $4, '', '\\x00112233445566778899', 12, 125000)",
            at, number, device_id, "malformed" if number == 0 else "decoded",
        )  # fmt: skip
        for gateway_id, snr_db in heard.items():
            await connection.execute(
                "INSERT INTO receptions VALUES ($1, $2, $3, $4, -100, $5, 0)", at, number, device_id, gateway_id, snr_db
            )
        await mark(connection, [(device_id, at)])
    last = DAY + (hours - 2) * every
    await connection.execute("INSERT INTO latest_frames VALUES ($1, 0, $2, $2, '{}', '{}', '{}')", device_id, last)


async def in_service(connection: asyncpg.Connection, tenant_id: int, site_id: int, number: int) -> int:
    device_id = await declare_device(connection, tenant_id, f"{number:016x}", model_id="acme-th")
    await assign(connection, device_id, await declare_point(connection, site_id, f"point {number}"), DAY - HOUR)
    return device_id


@pytest.mark.parametrize(
    ("every", "silence"), [(timedelta(milliseconds=40), timedelta()), (timedelta(seconds=6), timedelta(hours=10))]
)
async def test_copies_and_bursts_tell_no_period(
    connection: asyncpg.Connection, every: timedelta, silence: timedelta
) -> None:
    await sync_models(connection, [Model("acme-th", "Acme", "TH", 3600)])
    tenant_id = await declare_tenant(connection, TenantDeclaration(slug="albert", name="Albert", kind="commune"))
    site_id = await declare_site(connection, tenant_id, "École")
    first, _ = await gateways(connection)
    device_id = await in_service(connection, tenant_id, site_id, 1)
    await say(connection, device_id, {first: -5.0}, every=every)
    await connection.execute("UPDATE uplinks SET received_at = received_at + $1 WHERE uplink_key = 10", silence)
    await run_once(connection, NOW)
    assert await connection.fetchval("SELECT period_s FROM frames_daily") is None
    assert await connection.fetchval("SELECT expected FROM fleet_days") == 24  # as its model has it


async def test_how_devices_fare_is_kept(connection: asyncpg.Connection) -> None:
    await sync_models(connection, [Model("acme-th", "Acme", "TH", 3600)])
    tenant_id = await declare_tenant(connection, TenantDeclaration(slug="albert", name="Albert", kind="commune"))
    site_id = await declare_site(connection, tenant_id, "École")
    first, second = await gateways(connection)
    alone = await in_service(connection, tenant_id, site_id, 1)
    both = await in_service(connection, tenant_id, site_id, 2)
    mute = await in_service(connection, tenant_id, site_id, 3)
    await a_device(connection, tenant_id, 4)  # on the shelf
    await say(connection, alone, {first: -5.0})
    await say(connection, both, {first: -18.0, second: -4.0})
    await ensure_partitions(connection, "network_events", [NOW.date()])
    for minutes in (0, 1, 2):
        await connection.execute(
            "INSERT INTO network_events VALUES ($1, $2, $1, NULL, $3, 1, 'gateway_stats', $4)",
            NOW - timedelta(minutes=minutes), minutes, second, '{"rx_packets": 10, "rx_packets_ok": 8}',
        )  # fmt: skip
    await run_once(connection, NOW)

    days = await connection.fetch("SELECT * FROM frames_daily ORDER BY device_id")
    assert [(row["device_id"], row["frames"], row["undecoded"], row["sf12"]) for row in days] == [
        (alone, 9, 1, 9),
        (both, 9, 1, 9),
    ]
    assert days[0]["period_s"] == 3600
    assert days[0]["airtime_us"] == 9 * 1_482_752  # 23 bytes at SF12
    heard = await connection.fetch("SELECT device_id, gateway_id, frames, alone, snr_db FROM heard_daily ORDER BY 1, 2")
    assert [tuple(row) for row in heard] == [
        (alone, first, 9, 9, -5.0),
        (both, first, 9, 0, -18.0),
        (both, second, 9, 0, -4.0),
    ]
    health = await connection.fetch("SELECT * FROM device_health ORDER BY device_id")
    assert [(row["heard"], row["lost"], row["margin_db"], row["only_gateway_id"]) for row in health] == [
        (9, 2, 15.0, first),
        (9, 2, 16.0, None),
    ]
    silent = await connection.fetch("SELECT device_id, cause FROM silent_devices ORDER BY device_id")
    # `first` says nothing, and is all that `alone` has; `both` has `second`, which is there.
    assert [tuple(row) for row in silent] == [(alone, "gateway"), (both, "sensor"), (mute, "never")]
    counts = await connection.fetch("SELECT * FROM fleet_counts ORDER BY model_id")
    assert [(row["model_id"], row["devices"], row["silent"], row["placed"], row["alone"]) for row in counts] == [
        ("", 1, 0, 0, 0),
        ("acme-th", 3, 3, 2, 1),
    ]
    day = await connection.fetchrow("SELECT frames, undecoded, expected FROM fleet_days")
    assert day is not None
    assert tuple(day) == (18, 2, 72)
    assert [tuple(row) for row in await connection.fetch("SELECT gateway_id, devices, alone FROM gateway_tenants")] == [
        (first, 2, 1),
        (second, 1, 0),
    ]
    hours = await connection.fetchrow(
        "SELECT sum(events)::int, sum(received)::int, sum(intact)::int FROM gateway_hours WHERE gateway_id = $1", second
    )
    assert hours is not None
    assert tuple(hours) == (3, 30, 24)
    heard_days = await connection.fetch(
        "SELECT gateway_id, day, spreading_factor, devices, frames, airtime_us, snr_db FROM gateway_days"
    )
    assert {tuple(row) for row in heard_days} == {
        (first, DAY.date(), 12, 2, 18, 18 * 1_482_752, -11.5),
        (second, DAY.date(), 12, 1, 9, 9 * 1_482_752, -4.0),
    }

    await run_once(connection, NOW + timedelta(minutes=1))
    assert await connection.fetchval("SELECT count(*) FROM ingest_rounds") == 2
    await connection.execute(
        "UPDATE latest_frames SET received_at = $2 WHERE device_id = $1", alone, NOW - timedelta(minutes=5)
    )
    await run_once(connection, NOW + timedelta(minutes=2))
    assert await connection.fetchval("SELECT count(*) FROM silent_devices WHERE device_id = $1", alone) == 0
    # Its period was learned as an hour; it was told to speak once a day.
    await connection.execute('UPDATE devices SET parameters = \'{"period_s": "86400"}\' WHERE device_id = $1', both)
    await run_once(connection, NOW + timedelta(minutes=3))
    assert await connection.fetchval("SELECT count(*) FROM silent_devices WHERE device_id = $1", both) == 0


async def test_a_battery_that_falls_is_foretold(connection: asyncpg.Connection) -> None:
    tenant_id = await declare_tenant(connection, TenantDeclaration(slug="albert", name="Albert", kind="commune"))
    site_id = await declare_site(connection, tenant_id, "École")
    await sync_models(connection, [Model("acme-th", "Acme", "TH", 3600)])
    device_id = await in_service(connection, tenant_id, site_id, 1)
    (first, _) = await gateways(connection)
    quantity = await connection.fetchval("SELECT quantity_id FROM quantities WHERE name = 'battery_level'")
    await ensure_partitions(connection, "measurements", {(DAY - timedelta(days=ago)).date() for ago in range(31)})
    for ago in range(31):
        at = DAY + 6 * HOUR - timedelta(days=ago)
        row = (at, 30 + ago, device_id, quantity)
        await connection.execute("INSERT INTO measurements VALUES ($1, $1, $2, $3, $4, 0)", *row)
        await mark(connection, [(device_id, at)])
    await say(connection, device_id, {first: 5.0})
    await run_once(connection, NOW)
    await mark(connection, [(device_id, DAY)])  # rolled up days are there now
    await connection.execute("UPDATE device_health SET battery_on = NULL")
    await run_once(connection, NOW + HOUR)
    row = await connection.fetchrow("SELECT battery_kind, battery, battery_end_on FROM device_health")
    assert row is not None
    assert (row["battery_kind"], row["battery"]) == ("level", 30.0)
    assert row["battery_end_on"] == (DAY + timedelta(days=20)).date()  # 1 % a day, until 10 %


async def test_time_on_air_is_that_of_the_application_note(connection: asyncpg.Connection) -> None:
    for (factor, octets), microseconds in AIRTIMES_US.items():
        found = await connection.fetchval("SELECT airtime_us($1, 125000, $2)", factor, octets)
        assert found == microseconds, (factor, octets)
