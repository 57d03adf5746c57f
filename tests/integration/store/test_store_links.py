"""What a path loss is calibrated on: who hears whom, where both stand."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from store.fleet import DeviceDeclaration, TenantDeclaration, declare_devices, declare_tenant
from store.partitions import ensure_partitions, month_of
from store.reading.links import heard_links

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SCHOOL, TOWER = (49.90, 2.30), (49.95, 2.35)

INSERT_HEARD = """
INSERT INTO receptions (received_at, uplink_key, device_id, gateway_id, rssi_dbm, snr_db)
SELECT $1, $2, device_id, gateway_id, $5, $6 FROM devices, gateways WHERE dev_eui = $3 AND gateway_eui = $4
"""


async def test_links_have_the_signals_own_power_and_both_ends(connection: asyncpg.Connection) -> None:
    tenant = await declare_tenant(connection, TenantDeclaration("somewhere", "Somewhere", "commune"))
    declared = [
        DeviceDeclaration("00000000000000a1", site="school", point="room", latitude_deg=49.9, longitude_deg=2.3),
        DeviceDeclaration("00000000000000a2", site="nowhere", point="room"),
    ]
    await declare_devices(connection, tenant, declared, NOW - timedelta(days=3))
    await connection.execute(
        "INSERT INTO gateways (gateway_eui, latitude_deg, longitude_deg) VALUES ('g1', 49.95, 2.35), ('g2', NULL, NULL)"
    )
    heard = [
        (1, "00000000000000a1", "g1", -100.0, 0.0, 1),  # half noise: 3 dB less
        (2, "00000000000000a1", "g1", -90.0, 40.0, 1),
        (3, "00000000000000a1", "g1", -120.0, -20.0, 1),
        (4, "00000000000000a1", "g1", -60.0, 9.0, 9),  # too long ago
        (5, "00000000000000a1", "g2", -60.0, 9.0, 1),  # a gateway that nobody placed
        (6, "00000000000000a2", "g1", -60.0, 9.0, 1),  # a device that nobody placed
    ]
    await ensure_partitions(connection, "receptions", {month_of(NOW), month_of(NOW - timedelta(days=9))})
    for key, dev_eui, gateway, rssi_dbm, snr_db, hours in heard:
        at = NOW - timedelta(hours=24 * hours)
        await connection.execute(INSERT_HEARD, at, key, dev_eui, gateway, rssi_dbm, snr_db)
    (link,) = await heard_links(connection, NOW - timedelta(days=2), NOW)
    assert (link.dev_eui, link.gateway_eui, link.frames) == ("00000000000000a1", "g1", 3)
    assert (link.latitude_deg, link.longitude_deg) == SCHOOL
    assert (link.gateway_latitude_deg, link.gateway_longitude_deg) == TOWER
    assert link.median_dbm == pytest.approx(-103.01, abs=0.01)
    assert link.weakest_dbm == pytest.approx(-140.04, abs=0.01)
