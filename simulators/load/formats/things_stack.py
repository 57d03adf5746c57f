"""The Things Stack v3, MQTT and webhook JSON: every zero, false or empty field is left out, `frequency` is a string.

Source: thethingsindustries.com/docs, "MQTT Server" and "Webhooks", uplink messages; lorawan-stack's
ApplicationUp (proto3 JSON without unpopulated fields).
"""

from binascii import b2a_base64
from typing import Final

from simulators.load.formats import Sent
from simulators.load.formats.air import Seconds, channel_of, gateway_id, grades, hearing
from simulators.load.frames import Kind
from simulators.load.spec import LoadSpec
from simulators.lorawan.airtime import airtime_us
from simulators.lorawan.eu868 import CHANNELS_HZ

APPLICATION: Final = "charge"
TENANT: Final = "samara"
_OVERHEAD_BYTES: Final = 13  # of a PHYPayload: MHDR, FHDR without options, FPort, MIC
_IDS: Final = (
    b'{"end_device_ids":{"device_id":"eui-%016x","application_ids":{"application_id":"charge"},'
    b'"dev_eui":"%016X","join_eui":"0000000000000000","dev_addr":"%08X"},"correlation_ids":["as:up:%04d%06d%016d"],'
    b'"received_at":"%b.%03d417000Z",'
)
_UP: Final = (
    _IDS + b'"uplink_message":{"session_key_id":"AYk=","f_port":%d,%b"frm_payload":"%b","rx_metadata":[%b],'
    b'"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":%d,"coding_rate":"4/5"}},'
    b'"frequency":"%d","timestamp":%d,"time":"%b.%03dZ"},"received_at":"%b.%03d000000Z",'
    b'"consumed_airtime":"%b","network_ids":{"net_id":"000013","tenant_id":"samara","cluster_id":"eu1"}}}'
)
_JOIN: Final = _IDS + b'"join_accept":{"session_key_id":"AYk=","received_at":"%b.%03d000000Z"}}'
_HEARD: Final = (
    b'{"gateway_ids":{"gateway_id":"gw-%b","eui":"%b"},"time":"%b.%03dZ","timestamp":%d,%b'
    b'"uplink_token":"CiEKHwoTZ3c=","received_at":"%b.%03d000000Z"}'
)


class ThingsStack:
    """Encodes a load as The Things Stack would."""

    def __init__(self, spec: LoadSpec) -> None:
        self._spec = spec
        self._seconds = Seconds()
        self._gateways = [(gateway_id(one).encode(), gateway_id(one).upper().encode()) for one in range(spec.gateways)]
        self._topics: dict[int, str] = {}
        self._heard = [[_said(*grade, channel) for channel in range(8)] for grade in grades(spec.seed)]

    def _topic(self, device: int, event: str) -> str:
        return f"v3/{APPLICATION}@{TENANT}/devices/eui-{self._spec.first_dev_eui + device:016x}/{event}"

    def uplink(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Return an `up` message."""
        device, number, variant, dev_addr, f_cnt, received_ms, payload, late, air = sent
        second, ms = divmod(received_ms, 1000)
        text, tick = self._seconds.text(second), received_ms * 1000 & 0xFFFF_FFFF | 1
        if air is None:
            channel, heard = hearing(self._spec, device, number, late=late)
            spreading_factor, frequency_hz, airtime = 7, CHANNELS_HZ[channel], b"0.061696s"
            said = [(gateway, self._heard[grade][channel]) for gateway, grade in heard]
        else:
            spreading_factor, frequency_hz = air.spreading_factor, air.frequency_hz
            airtime = b"%.6fs" % (airtime_us(_OVERHEAD_BYTES + len(payload), spreading_factor) / 1e6)
            channel = channel_of(frequency_hz)
            said = [(gateway, _said(rssi_dbm, snr_db, channel)) for gateway, rssi_dbm, snr_db in air.heard]
        receptions = b",".join(
            [_HEARD % (*self._gateways[gateway], text, ms, tick, scalars, text, ms) for gateway, scalars in said]
        )
        flags = b'"f_cnt":%d,' % f_cnt if f_cnt else b""
        if air is not None and air.confirmed:
            flags += b'"confirmed":true,'
        eui = self._spec.first_dev_eui + device
        message = _UP % (
            eui, eui, dev_addr, variant, device, number, text, ms,
            kind.f_port, flags, b2a_base64(payload, newline=False), receptions,
            spreading_factor, frequency_hz, tick, text, ms, text, ms, airtime,
        )  # fmt: skip
        topic = self._topics.get(device)
        if topic is None:
            topic = self._topics[device] = self._topic(device, "up")
        return topic, message

    def join(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:  # noqa: ARG002 - a join says nothing of the model
        """Return a `join` message."""
        second, ms = divmod(sent.received_ms, 1000)
        text, eui = self._seconds.text(second), self._spec.first_dev_eui + sent.device
        message = _JOIN % (eui, eui, sent.dev_addr, 0xFFF, sent.device, sent.number, text, ms, text, ms)
        return self._topic(sent.device, "join"), message

    def log(self, sent: Sent, kind: Kind) -> tuple[str, bytes] | None:  # noqa: ARG002
        """Return None: a counter that went back is dropped by the network server, or not told."""
        return None

    def connection(self, gateway: int, received_ms: int, *, online: bool) -> tuple[str, bytes] | None:  # noqa: ARG002
        """Return None: an application is not told of gateways."""
        return None

    def stats(self, gateway: int, received_ms: int, frames: int) -> tuple[str, bytes] | None:  # noqa: ARG002
        """Return None: an application is not told of gateways."""
        return None


def _said(rssi_dbm: int, snr_db: float, channel: int) -> bytes:
    fields = (("rssi", rssi_dbm), ("channel_rssi", rssi_dbm), ("snr", snr_db), ("channel_index", channel))
    return "".join(f'"{name}":{value},' for name, value in fields if value).encode()
