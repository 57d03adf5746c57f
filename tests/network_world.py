"""A network about the territory of api_world: three antennas, one of them dead; what they heard, rolled up.

`air` is heard by the town hall's and the church's antenna, `water` by the water tower's alone, which fell silent.
"""

import json
from datetime import timedelta

import api_world
import asyncpg
from api_world import NOW

from store.maintenance.run import run_once
from store.partitions import ensure_partitions, month_of

HOUR = timedelta(hours=1)
TOWER, CHURCH, HALL = "00000000000000a1", "00000000000000a2", "00000000000000a3"
DIED = NOW - timedelta(hours=30)


async def build(connection: asyncpg.Connection, world: api_world.World) -> None:
    """Write two days of frames, statuses and complaints; let maintenance look at them."""
    for relation in ("uplinks", "receptions", "network_events"):
        await ensure_partitions(connection, relation, {month_of(NOW)})
    rows = await connection.fetch(
        "INSERT INTO gateways (gateway_eui, name, latitude_deg, longitude_deg, created_at) VALUES"
        " ($1, 'Château d''eau', 49.92, 2.31, $4), ($2, 'Église', 49.89, 2.28, $4), ($3, 'Mairie', 49.9, 2.3, $4)"
        " RETURNING gateway_id",
        TOWER, CHURCH, HALL, NOW - timedelta(days=90),
    )  # fmt: skip
    tower, church, hall = (row["gateway_id"] for row in rows)
    await connection.execute("INSERT INTO sources (name) VALUES ('tests') ON CONFLICT DO NOTHING")
    source = await connection.fetchval("SELECT source_id FROM sources ORDER BY source_id LIMIT 1")
    await _frames(connection, world.air.device_id, {church: -2.0, hall: 6.5}, source, until=48)
    await _frames(connection, world.water.device_id, {tower: -15.0}, source, until=18)
    await connection.execute("DELETE FROM latest_frames WHERE device_id = $1", world.water.device_id)
    await connection.execute("INSERT INTO latest_frames VALUES ($1, 1, $2, $2, '{}', '{}', '{}')",
                             world.water.device_id, DIED)  # fmt: skip
    await _statuses(connection, tower, source, range(30, 48))
    await _statuses(connection, church, source, [*range(10), *range(13, 48)])  # three hours without power
    await _statuses(connection, hall, source, range(48))
    await _told(connection, world.air.device_id, source, "join", {"accepted": True, "dev_addr": "26011bda"})
    said = {"level": "ERROR", "code": "OTAA", "description": "DevNonce has already been used"}
    await _told(connection, world.door.device_id, source, "log", said)
    await connection.execute(
        "INSERT INTO quarantine (digest, first_at, last_at, times, source_id, lns, topic, reason, detail, dev_eui, day,"
        " kind, message, message_bytes) VALUES ('\\x01', $1, $1, 12, $2, 'chirpstack', 't', 'unknown_device', '',"
        " '70b3d500000000ff', $3, 'uplink', '', 0)",
        NOW - HOUR, source, NOW.date(),
    )  # fmt: skip
    await run_once(connection, NOW)
    await connection.execute(
        "UPDATE device_health SET battery_kind = 'level', battery = 12, battery_on = $2, battery_end_on = $3"
        " WHERE device_id = $1",
        world.air.device_id, NOW.date(), (NOW + timedelta(days=20)).date(),
    )  # fmt: skip
    await run_once(connection, NOW)


async def _frames(
    connection: asyncpg.Connection, device_id: int, heard: dict[int, float], source: int, until: int
) -> None:
    """Write a frame an hour of the last two days, the twentieth lost on the way, until so many hours have passed."""
    for number in range(until):
        at = NOW - timedelta(hours=48 - number, minutes=-20)
        if number == until - 3:
            continue
        await connection.execute(
            "INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, f_port, device_id, source_id, confirmed,"
            " adr, dev_addr, outcome, detail, payload, spreading_factor, bandwidth_hz, frequency_hz)"
            " VALUES ($1, $2, $1, $2, 2, $3, $4, false, true, '26011bda', 'decoded', '', '\\x0102030405', $5, 125000,"
            " 868100000)",
            at, number, device_id, source, 12 if len(heard) == 1 else 7,
        )  # fmt: skip
        for gateway_id, snr_db in heard.items():
            await connection.execute(
                "INSERT INTO receptions VALUES ($1, $2, $3, $4, -104, $5, 0)", at, number, device_id, gateway_id, snr_db
            )
        await connection.execute(
            "INSERT INTO changed_hours VALUES ($1, date_trunc('hour', $2::timestamptz, 'UTC'))", device_id, at
        )


async def _statuses(connection: asyncpg.Connection, gateway_id: int, source: int, hours_ago: object) -> None:
    said = json.dumps(
        {"rx_packets": 90, "rx_packets_ok": 70, "tx_packets": 4, "tx_packets_emitted": 4,
         "tx_packets_per_frequency_hz": {"868100000": 4}}
    )  # fmt: skip
    for hours in hours_ago:  # type: ignore[attr-defined]
        await connection.execute(
            "INSERT INTO network_events VALUES ($1, $2, $1, NULL, $3, $4, 'gateway_stats', $5)",
            NOW - timedelta(hours=hours, minutes=2), gateway_id * 100 + hours, gateway_id, source, said,
        )  # fmt: skip


async def _told(connection: asyncpg.Connection, device_id: int, source: int, kind: str, data: object) -> None:
    await connection.execute(
        "INSERT INTO network_events VALUES ($1, $2, $1, $3, NULL, $4, $5, $6)",
        NOW - 2 * HOUR, device_id, device_id, source, kind, json.dumps(data),
    )  # fmt: skip
