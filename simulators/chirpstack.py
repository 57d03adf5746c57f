"""Messages as ChirpStack v4 publishes them (JSON marshaler), with its exact presence of fields.

Source: chirpstack/api/proto/integration/integration.proto and gw/gw.proto; presence checked on a real network:
the event's own scalars are emitted even when zero (`"fCnt":0`), those of nested messages are left out when zero
(`rssi`, `snr`, `channel`, `rfChain`); `object` and `rxInfo[].location` are left out when there is none.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from domain.events import Position
from simulators.lorawan.eu868 import CHANNELS_HZ

_GPS_EPOCH: Final = datetime(1980, 1, 6, tzinfo=UTC)
_LEAP_SECONDS: Final = 18  # GPS is ahead of UTC by this since 2017
REGION: Final = "eu868"


class Heard(NamedTuple):
    """What one gateway heard. `context` stands for the gateway's own clock."""

    gateway_id: str
    rssi_dbm: int
    snr_db: float
    position: Position | None = None
    uplink_id: int = 1
    rf_chain: int = 0
    context: bytes = b"\0\0\0\0"


class Item(NamedTuple):
    """A downlink that leaves its device's queue."""

    item_id: str
    f_port: int
    payload: bytes
    confirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A device as its network server declares it. Identifiers are lower-case hexadecimal or UUIDs."""

    dev_eui: str
    name: str
    profile: str
    application: str = "Territoire"
    application_id: str = "5a3a0a2e-0000-4000-8000-000000000001"
    profile_id: str = "5a3a0a2e-0000-4000-8000-000000000002"
    tenant: str = "Simulateur"
    tenant_id: str = "5a3a0a2e-0000-4000-8000-000000000003"

    def topic(self, event: str) -> str:
        """Return where an event of this device is published (`up`, `join`, `status`, …)."""
        return f"application/{self.application_id}/device/{self.dev_eui}/event/{event}"

    def info(self) -> dict[str, Any]:
        """Return `deviceInfo`; its empty `tags` are emitted."""
        return {
            "tenantId": self.tenant_id,
            "tenantName": self.tenant,
            "applicationId": self.application_id,
            "applicationName": self.application,
            "deviceProfileId": self.profile_id,
            "deviceProfileName": self.profile,
            "deviceName": self.name,
            "devEui": self.dev_eui,
            "deviceClassEnabled": "CLASS_A",
            "tags": {},
        }


def rfc3339(at: datetime, digits: int = 3) -> str:
    """Return a time with that many digits of second, its offset spelled `+00:00` as ChirpStack does."""
    whole = at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
    fraction = f"{at.microsecond:06d}000"[:digits]
    return f"{whole}.{fraction}+00:00"


def _dumps(message: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(message)


def without_zeros(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested message without the scalars that Protobuf's JSON leaves out."""
    return {name: value for name, value in nested.items() if value not in (0, "", None, False)}


@lru_cache(maxsize=1024)  # antennas stay where they are
def position_json(position: Position) -> Mapping[str, Any]:
    """Return a `location`."""
    return without_zeros(
        {"latitude": position.latitude_deg, "longitude": position.longitude_deg, "altitude": position.altitude_m or 0}
    )


def _rx_info(heard: Heard, ns_time: str, gps_s: float, channel: int) -> dict[str, Any]:
    scalars = without_zeros(
        {
            "gatewayId": heard.gateway_id,
            "uplinkId": heard.uplink_id,
            "nsTime": ns_time,
            "timeSinceGpsEpoch": f"{gps_s:.3f}s",
            "rssi": heard.rssi_dbm,
            "snr": heard.snr_db,
            "channel": channel,
            "rfChain": heard.rf_chain,
        }
    )
    if heard.position is not None:
        scalars["location"] = position_json(heard.position)
    scalars["context"] = base64.b64encode(heard.context).decode()
    scalars["crcStatus"] = "CRC_OK"
    return scalars


def _tx_info(channel: int, data_rate: int) -> dict[str, Any]:
    lora = {"bandwidth": 125_000, "spreadingFactor": 12 - data_rate, "codeRate": "CR_4_5"}
    return {"frequency": CHANNELS_HZ[channel], "modulation": {"lora": lora}}


def uplink(
    device: Device,
    *,
    at: datetime,
    deduplication_id: str,
    dev_addr: str,
    f_cnt: int,
    f_port: int,
    payload: bytes,
    data_rate: int,
    channel: int,
    heard: Sequence[Heard],
    decoded: Mapping[str, Any] | None = None,
) -> tuple[str, bytes]:
    """Return (topic, message) of an `up` event; `data_rate` is EU868's DR0 to DR5, `channel` 0 to 7."""
    message: dict[str, Any] = {
        "deduplicationId": deduplication_id,
        "time": rfc3339(at),
        "deviceInfo": device.info(),
        "devAddr": dev_addr,
        "adr": True,
        "dr": data_rate,
        "fCnt": f_cnt,
        "fPort": f_port,
        "confirmed": False,
        "data": base64.b64encode(payload).decode(),
    }
    if decoded:
        message["object"] = dict(decoded)
    ns_time, gps_s = rfc3339(at, 9), (at - _GPS_EPOCH).total_seconds() + _LEAP_SECONDS
    message["rxInfo"] = [_rx_info(one, ns_time, gps_s, channel) for one in heard]
    message["txInfo"] = _tx_info(channel, data_rate)
    message["regionConfigId"] = REGION
    return device.topic("up"), _dumps(message)


def join(device: Device, *, at: datetime, deduplication_id: str, dev_addr: str) -> tuple[str, bytes]:
    """Return (topic, message) of a `join` event."""
    return device.topic("join"), _dumps(
        {
            "deduplicationId": deduplication_id,
            "time": rfc3339(at, 9),
            "deviceInfo": device.info(),
            "devAddr": dev_addr,
            "regionConfigId": REGION,
        }
    )


def status(
    device: Device, *, at: datetime, deduplication_id: str, margin_db: int, battery_pct: float
) -> tuple[str, bytes]:
    """Return (topic, message) of a `status` event of a device on battery."""
    return device.topic("status"), _dumps(
        {
            "deduplicationId": deduplication_id,
            "time": rfc3339(at, 9),
            "deviceInfo": device.info(),
            "margin": margin_db,
            "externalPowerSource": False,
            "batteryLevelUnavailable": False,
            "batteryLevel": round(battery_pct, 2),
        }
    )


def txack(device: Device, *, at: datetime, item_id: str, gateway_id: str, f_cnt: int) -> tuple[str, bytes]:
    """Return (topic, message) of a `txack` event: a gateway sent an item of the device's queue."""
    return device.topic("txack"), _dumps(
        {
            "downlinkId": f_cnt,
            "time": rfc3339(at, 9),
            "deviceInfo": device.info(),
            "queueItemId": item_id,
            "fCntDown": f_cnt,
            "gatewayId": gateway_id,
            "txInfo": {"frequency": CHANNELS_HZ[0], "power": 14},
        }
    )


def ack(device: Device, *, at: datetime, item_id: str, f_cnt: int) -> tuple[str, bytes]:
    """Return (topic, message) of an `ack` event: the device has that item of its queue."""
    return device.topic("ack"), _dumps(
        {
            "deduplicationId": str(uuid.uuid5(uuid.NAMESPACE_OID, item_id)),
            "time": rfc3339(at, 9),
            "deviceInfo": device.info(),
            "queueItemId": item_id,
            "acknowledged": True,
            "fCntDown": f_cnt,
        }
    )


def gateway_stats(
    gateway_id: str, *, at: datetime, position: Position, received: Mapping[int, int], emitted: int = 0
) -> tuple[str, bytes]:
    """Return (topic, message) of a gateway's `stats`; `received` counts frames by channel (0 to 7)."""
    total = sum(received.values())
    message: dict[str, Any] = {
        "gatewayId": gateway_id,
        "time": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
        "location": position_json(position),
        "rxPacketsReceived": total,
        "rxPacketsReceivedOk": total,
        "txPacketsReceived": emitted,
        "txPacketsEmitted": emitted,
        "metadata": {"region_config_id": REGION, "region_common_name": "EU868"},
        "rxPacketsPerFrequency": {str(CHANNELS_HZ[channel]): count for channel, count in received.items() if count},
        "txPacketsPerStatus": {"OK": emitted} if emitted else None,
    }
    return f"{REGION}/gateway/{gateway_id}/event/stats", _dumps(without_zeros(message))


def gateway_connection(gateway_id: str, *, online: bool) -> tuple[str, bytes]:
    """Return (topic, message) of a gateway's connection state; OFFLINE is the zero of its enumeration."""
    state = {"gatewayId": gateway_id, "state": "ONLINE" if online else ""}
    return f"{REGION}/gateway/{gateway_id}/state/conn", _dumps(without_zeros(state))
