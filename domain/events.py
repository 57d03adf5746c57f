"""What a network server tells: an uplink, or something else that happened to a device or a gateway.

Named tuples for the speed of the ingest path (docs/decisions/0002-records.md). Built by keyword only.
All times are timezone-aware UTC; identifiers are lower-case hexadecimal.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple


class Position(NamedTuple):
    """WGS 84, degrees and metres above the sea."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float | None = None


class Reception(NamedTuple):
    """One gateway's hearing of an uplink."""

    gateway_eui: str  # as the network server names it: 16 hexadecimal digits, or its own short name
    rssi_dbm: float | None = None
    snr_db: float | None = None
    channel: int | None = None
    position: Position | None = None


class Uplink(NamedTuple):
    """One frame of a device as its network server published it.

    `received_at` is the network server's, and the same at every redelivery. `f_cnt` has 32 bits when the
    network server gives them. `deduplication_id` is the network server's own, or what stands for it.
    `f_port` and `payload` are None and empty for a frame of MAC commands alone. `decoded` is what the
    network server's own codec computed, as published.
    """

    dev_eui: str
    received_at: datetime
    deduplication_id: str
    dev_addr: str = ""
    f_cnt: int = 0
    f_port: int | None = None
    payload: bytes = b""
    confirmed: bool = False
    adr: bool = False
    data_rate: int | None = None
    spreading_factor: int | None = None
    bandwidth_hz: int | None = None
    frequency_hz: int | None = None
    receptions: tuple[Reception, ...] = ()
    decoded: Mapping[str, Any] | None = None
    device_name: str = ""
    model_hint: str = ""  # the device profile's name, where the network server has one


JOIN: Final = "join"
STATUS: Final = "status"
ACK: Final = "ack"
TXACK: Final = "txack"
LOG: Final = "log"
LOCATION: Final = "location"
GATEWAY_STATS: Final = "gateway_stats"
GATEWAY_CONNECTION: Final = "gateway_connection"
DOWNLINK: Final = "downlink"  # queued, sent, failed: what The Things Stack tells of one

EVENT_KINDS: Final = (
    JOIN,
    STATUS,
    ACK,
    TXACK,
    LOG,
    LOCATION,
    GATEWAY_STATS,
    GATEWAY_CONNECTION,
    DOWNLINK,
)


class NetworkEvent(NamedTuple):
    """Anything else a network server tells. `data` holds its fields, plain JSON values in Samara's names.

    One of `dev_eui` and `gateway_eui` is set. `event_id` tells two events of one instant apart and is the
    same at every redelivery (the network server's deduplication id, or a digest of the message).
    """

    kind: str
    received_at: datetime
    event_id: str
    dev_eui: str = ""
    gateway_eui: str = ""
    data: Mapping[str, Any] = {}
    position: Position | None = None


Event = Uplink | NetworkEvent
