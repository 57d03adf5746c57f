"""ChirpStack's own event log: its table, and its rows as ChirpStack inserts them."""

import json
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from ingest_support import declare
from repair_world import store_all

# chirpstack/src/integration/postgresql/migrations/00000000000000_initial of ChirpStack 4.
EVENT_UP = """
CREATE TABLE event_up (
  deduplication_id    uuid PRIMARY KEY,
  time                timestamptz NOT NULL,
  tenant_id           uuid NOT NULL,
  tenant_name         text NOT NULL,
  application_id      uuid NOT NULL,
  application_name    text NOT NULL,
  device_profile_id   uuid NOT NULL,
  device_profile_name text NOT NULL,
  device_name         text NOT NULL,
  dev_eui             char(16) NOT NULL,
  tags                jsonb NOT NULL,
  dev_addr            char(8) NOT NULL,
  adr                 boolean NOT NULL,
  dr                  smallint NOT NULL,
  f_cnt               bigint NOT NULL,
  f_port              smallint NOT NULL,
  confirmed           boolean NOT NULL,
  data                bytea NOT NULL,
  object              jsonb NOT NULL,
  rx_info             jsonb NOT NULL,
  tx_info             jsonb NOT NULL
)
"""
START = datetime(2026, 3, 1, tzinfo=UTC)
APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"


async def log_events(dsn: str, ups: Sequence[dict[str, Any]]) -> None:
    """Insert as ChirpStack does."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(EVENT_UP.replace("TABLE", "TABLE IF NOT EXISTS"))
        await connection.copy_records_to_table("event_up", records=[_columns(up) for up in ups])
    finally:
        await connection.close()


def _columns(up: dict[str, Any]) -> tuple[Any, ...]:
    info = up["deviceInfo"]
    ids = ("tenantId", "tenantName", "applicationId", "applicationName", "deviceProfileId", "deviceProfileName")
    return (
        up["deduplicationId"],
        datetime.fromisoformat(up["time"]),
        *(info[name] for name in ids),
        info["deviceName"],
        info["devEui"],
        json.dumps(info["tags"]),
        up["devAddr"],
        up["adr"],
        up["dr"],
        up["fCnt"],
        up["fPort"],
        up["confirmed"],
        b64decode(up["data"]),
        json.dumps(up.get("object")),
        json.dumps(up["rxInfo"]),
        json.dumps(up["txInfo"]),
    )


def up(number: int, f_cnt: int, minute: float, **changes: Any) -> dict[str, Any]:
    at = START + timedelta(minutes=minute)
    return {
        "deduplicationId": f"00000000-0000-0000-{number:04x}-{f_cnt:012x}",
        "time": at.isoformat(),
        "deviceInfo": {
            "tenantId": APPLICATION,
            "tenantName": "Somme",
            "applicationId": APPLICATION,
            "applicationName": "École",
            "deviceProfileId": APPLICATION,
            "deviceProfileName": "Sonde",
            "deviceName": f"Salle {number}",
            "devEui": f"{number:016x}",
            "tags": {},
        },
        "devAddr": f"{number:08x}",
        "adr": True,
        "dr": 5,
        "fCnt": f_cnt,
        "fPort": 2,
        "confirmed": False,
        "data": "AQI=",
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "nsTime": at.isoformat(), "rssi": -36, "snr": 10.5}],
        "txInfo": {"frequency": 868100000, "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7}}},
    } | changes


def said(ups: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"application/{APPLICATION}/device/{one['deviceInfo']['devEui']}/event/up", one) for one in ups]


async def a_log(database: str, log: str, ups: Sequence[dict[str, Any]], heard: Sequence[int]) -> None:
    await declare(database, {f"{number:016x}": None for number in (1, 2, 3)})
    await store_all(database, "chirpstack", "chirpstack", said([ups[at] for at in heard]))
    await log_events(log, ups)
