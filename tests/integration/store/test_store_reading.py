"""The territory, its devices and gateways, latest values and counts, as both flavours tell them."""

from datetime import datetime, timedelta

import asyncpg
import pytest
from store_world import Frame, a_device, a_place, utc, write_uplinks

from domain.errors import NotFoundError
from store.assignments import assign, move
from store.fleet import (
    DeviceDeclaration,
    Model,
    TenantDeclaration,
    declare_devices,
    declare_site,
    declare_tenant,
    sync_models,
)
from store.partitions import ensure_partitions
from store.reading.latest import changes_since, latest_values
from store.reading.network import devices, gateways
from store.reading.pages import MAX_LIMIT
from store.reading.stats import MessageCount, stats
from store.reading.territory import points, sites, tenant_by_slug, tenants

NOW = utc(2025, 6, 15, 12)


async def write_frame(
    connection: asyncpg.Connection, device_id: int, at: datetime, layout: int, *readings: tuple[str, int, float]
) -> None:
    """Write a newest frame: (quantity, channel, value)."""
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    await connection.execute(
        """
        INSERT INTO latest_frames (device_id, layout, measured_at, received_at, quantity_ids, channels, readings)
        VALUES ($1, $2, $3, $3, $4, $5, $6)
        ON CONFLICT (device_id, layout) DO UPDATE
           SET measured_at = excluded.measured_at, received_at = excluded.received_at, readings = excluded.readings
        """,
        device_id,
        layout,
        at,
        [ids[quantity] for quantity, _, _ in readings],
        [channel for _, channel, _ in readings],
        [value for _, _, value in readings],
    )


async def write_receptions(
    connection: asyncpg.Connection,
    device_id: int,
    at: datetime,
    uplink_key: int,
    heard: dict[int, tuple[float | None, float | None]],
) -> None:
    await ensure_partitions(connection, "receptions", {at.date()})
    await connection.executemany(
        """
        INSERT INTO receptions (received_at, uplink_key, device_id, gateway_id, rssi_dbm, snr_db)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [(at, uplink_key, device_id, gateway_id, *figures) for gateway_id, figures in heard.items()],
    )


async def test_tenants_are_told_in_pages(connection: asyncpg.Connection) -> None:
    ids = [
        await declare_tenant(connection, TenantDeclaration(slug=f"t{number}", name=f"T {number}", kind="commune"))
        for number in range(5)
    ]
    first = await tenants(connection, limit=2)
    second = await tenants(connection, after=first.after, limit=2)
    third = await tenants(connection, after=second.after, limit=2)
    assert [tenant.tenant_id for page in (first, second, third) for tenant in page.items] == ids
    assert third.after is None
    assert (await tenants(connection, limit=5)).after is None
    for limit in (0, MAX_LIMIT + 1):
        with pytest.raises(ValueError, match="limit"):
            await tenants(connection, limit=limit)


async def test_a_tenant_is_found_by_its_slug(connection: asyncpg.Connection) -> None:
    above = await declare_tenant(
        connection, TenantDeclaration(slug="cc-test", name="CC", kind="epci", siren="248000000")
    )
    await declare_tenant(connection, TenantDeclaration("albert", "Albert", "commune", parent="cc-test", insee="80016"))
    found = await tenant_by_slug(connection, "albert")
    assert found[1:] == (above, "commune", "albert", "Albert", "80016", None, "Europe/Paris", None)
    with pytest.raises(NotFoundError):
        await tenant_by_slug(connection, "nowhere")


async def test_a_tenant_sees_its_own_sites_and_points(connection: asyncpg.Connection) -> None:
    one, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    device_id = await a_device(connection, one.tenant_id, 1)
    await assign(connection, device_id, one.point_id, NOW)
    await declare_site(connection, one.tenant_id, "Mairie", latitude_deg=50.0, longitude_deg=2.65)
    found = (await sites(connection, one.tenant_id)).items
    assert [(site.name, site.latitude_deg, site.longitude_deg) for site in found] == [
        ("École", None, None),
        ("Mairie", 50.0, 2.65),
    ]
    assert [point[0:1] + point[2:] for point in (await points(connection, one.tenant_id)).items] == [
        (one.point_id, "Chaufferie", device_id, f"{1:016x}", None, None, None)
    ]
    theirs = (await points(connection, other.tenant_id)).items
    assert [(point.point_id, point.device_id) for point in theirs] == [(other.point_id, None)]
    assert (await points(connection, one.tenant_id, theirs[0].site_id)).items == []
    assert (await points(connection, one.tenant_id, 999_999)).items == []
    assert len((await points(connection, one.tenant_id, found[0].site_id)).items) == 1


async def test_latest_values_are_the_newest_of_each_quantity_and_channel(connection: asyncpg.Connection) -> None:
    place, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    device_id = await a_device(connection, place.tenant_id, 1)
    await assign(connection, device_id, place.point_id, NOW)
    later = NOW + timedelta(minutes=5)
    await write_frame(connection, device_id, NOW, 1, ("temperature", 0, 20.0), ("temperature", 1, 5.0))
    await write_frame(connection, device_id, later, 2, ("temperature", 0, 21.0), ("battery_voltage", 0, 3.6))
    assert await latest_values(connection, place.tenant_id) == [
        (place.point_id, "battery_voltage", 0, 3.6, later, later),
        (place.point_id, "temperature", 0, 21.0, later, later),
        (place.point_id, "temperature", 1, 5.0, NOW, NOW),
    ]
    assert [one.value for one in await latest_values(connection, place.tenant_id, since=NOW)] == [3.6, 21.0]
    assert await latest_values(connection, place.tenant_id, since=later) == []
    assert await latest_values(connection, other.tenant_id) == []


async def test_a_moved_or_replaced_sensor_leaves_its_values_behind(connection: asyncpg.Connection) -> None:
    one, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    device_id = await a_device(connection, one.tenant_id, 1)
    await assign(connection, device_id, one.point_id, NOW)
    await write_frame(connection, device_id, NOW, 1, ("temperature", 0, 20.0))
    moved_at = NOW + timedelta(hours=1)
    await move(connection, device_id, other.tenant_id, moved_at)
    await assign(connection, device_id, other.point_id, moved_at)
    assert await latest_values(connection, one.tenant_id) == []
    assert await latest_values(connection, other.tenant_id) == []
    await write_frame(connection, device_id, moved_at, 1, ("temperature", 0, 22.0))
    assert [found.value for found in await latest_values(connection, other.tenant_id)] == [22.0]


async def test_changes_follow_commits(connection: asyncpg.Connection, other_connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    slow, quick = [await a_device(connection, place.tenant_id, number) for number in (1, 2)]
    await assign(connection, slow, place.point_id, NOW)
    site_id = await declare_site(connection, place.tenant_id, "Mairie")
    point_id = await connection.fetchval(
        "INSERT INTO points (site_id, name) VALUES ($1, 'Hall') RETURNING point_id", site_id
    )
    await assign(connection, quick, point_id, NOW)

    everything = await changes_since(connection, place.tenant_id, 0)
    assert everything.values == []
    transaction = other_connection.transaction()
    await transaction.start()
    await write_frame(other_connection, slow, NOW - timedelta(days=1), 1, ("temperature", 0, 1.0))
    await write_frame(connection, quick, NOW, 1, ("temperature", 0, 2.0))
    first = await changes_since(connection, place.tenant_id, everything.cursor)
    assert [one.value for one in first.values] == [2.0]
    await transaction.commit()  # measured and begun before what was already told
    second = await changes_since(connection, place.tenant_id, first.cursor)
    assert 1.0 in [one.value for one in second.values]
    third = await changes_since(connection, place.tenant_id, second.cursor)
    assert third.values == []
    async with connection.transaction(), connection.transaction():  # a savepoint has a number of its own
        await write_frame(connection, quick, NOW, 1, ("temperature", 0, 3.0))
    fourth = await changes_since(connection, place.tenant_id, third.cursor)
    assert [one.value for one in fourth.values] == [3.0]
    assert len((await changes_since(connection, place.tenant_id, 1 << 60)).values) == 2


async def test_devices_are_told_with_how_they_were_last_heard(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    await sync_models(connection, [Model("acme-sm1", "Acme", "SM1", 900)])
    declared = DeviceDeclaration(f"{1:016x}", "sonde", "acme-sm1", "École", "Cour")
    await declare_devices(connection, place.tenant_id, [declared, DeviceDeclaration(f"{2:016x}")], NOW)
    heard, silent = (await devices(connection, place.tenant_id)).items
    assert (heard.vendor, heard.model, heard.period_s, heard.last_seen_at) == ("Acme", "SM1", 900, None)
    await write_frame(connection, heard.device_id, NOW, 0)
    await write_uplinks(connection, [Frame(heard.device_id, NOW, "00000001", 7)])
    await connection.execute("UPDATE uplinks SET spreading_factor = 9")
    await write_receptions(connection, heard.device_id, NOW, 7, {1: (-110.0, -3.0), 2: (-95.0, 7.5), 3: (None, None)})
    heard, silent = (await devices(connection, place.tenant_id)).items
    assert heard[-4:] == (NOW, 9, -95.0, 7.5)
    assert heard.point_id is not None
    assert silent[-5:] == (None, None, None, None, None)
    assert (await devices(connection, place.tenant_id, limit=1)).after == heard.device_id


async def test_gateways_are_told_with_when_they_were_last_heard(connection: asyncpg.Connection) -> None:
    await connection.execute("INSERT INTO gateways (gateway_eui) VALUES ('aa'), ('bb'), ('cc')")
    await ensure_partitions(connection, "network_events", {NOW.date()})
    await connection.executemany(
        """
        INSERT INTO network_events (received_at, event_key, ingested_at, gateway_id, source_id, kind, data)
        VALUES ($1, $2, $1, $3, 1, 'gateway_stats', '{}')
        """,
        [(NOW, 1, 1), (NOW - timedelta(hours=1), 2, 1), (NOW - timedelta(hours=1), 3, 2)],
    )
    await connection.executemany(
        """
        INSERT INTO network_events (received_at, event_key, ingested_at, gateway_id, source_id, kind, data)
        VALUES ($1, $2, $1, $3, 1, 'gateway_connection', '{"online": false}')
        """,
        [(NOW + timedelta(minutes=5), 4, 1), (NOW, 5, 3)],  # the network server's word that it is gone
    )
    await connection.executemany(
        "INSERT INTO gateways_heard (gateway_id, worker, heard_at) VALUES ($1, $2, $3)",
        [(1, "a", NOW - timedelta(minutes=3)), (2, "a", NOW - timedelta(minutes=2)), (2, "b", NOW)],
    )
    page = await gateways(connection, limit=2)
    assert [(gateway.gateway_eui, gateway.last_heard_at) for gateway in page.items] == [("aa", NOW), ("bb", NOW)]
    last = await gateways(connection, after=page.after, limit=2)
    assert [(gateway.gateway_eui, gateway.last_heard_at) for gateway in last.items] == [("cc", None)]


async def test_counts_add_up(connection: asyncpg.Connection) -> None:
    empty = await stats(connection)
    assert (empty.messages, empty.events, empty.uplinks, empty.quarantine) == ([], {}, {}, {})
    assert set(empty.rows.values()) == {0}
    await connection.executemany(
        """
        INSERT INTO ingest_accounts (day, source_id, tenant_id, kind, outcome, worker, messages)
        VALUES ('2025-06-15', 1, $1, $2, $3, $4, $5)
        """,
        [
            (1, "uplink", "stored", "a", 5),
            (1, "uplink", "stored", "b", 7),
            (None, "uplink", "quarantined", "a", 2),
            (1, "uplink", "duplicate", "a", 3),
            (1, "join", "stored", "a", 1),
        ],
    )
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    await write_uplinks(connection, [Frame(device_id, NOW, "00000001", number) for number in range(3)])
    found = await stats(connection)
    assert found.messages == [MessageCount("join", 1, 1, 0, 0, 0), MessageCount("uplink", 17, 12, 3, 2, 0)]
    assert found.uplinks == {"decoded": 3}
    assert found.rows["uplinks"] == 3
    assert found.rows["devices"] == 1
