"""ChirpStack v4, Protobuf marshaler, encoded by hand so that only what changes is made for each message.

Source: chirpstack/api/proto/integration/integration.proto, gw/gw.proto, common/common.proto (v4); the wire format
of protobuf.dev/programming-guides/encoding. Field numbers stand beside each field below.
"""

import struct

from domain.events import Position
from simulators.load.formats import Sent
from simulators.load.formats.air import (
    GPS_OFFSET_S,
    SECONDS_KEPT,
    channel_of,
    gateway_id,
    gateway_position,
    grades,
    hearing,
)
from simulators.load.formats.chirpstack_json import APPLICATION_ID
from simulators.load.frames import Kind
from simulators.load.ledger import deduplication_text
from simulators.load.spec import LoadSpec
from simulators.lorawan.eu868 import CHANNELS_HZ


def varint(value: int) -> bytes:
    """Return a base 128 varint; a negative number takes ten bytes, as an int32 does."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """Return a varint field; nothing for zero, as proto3 has it."""
    return varint(field << 3) + varint(value) if value else b""


def chunk(field: int, value: bytes) -> bytes:
    """Return a length-delimited field: text, bytes or a message."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """Return a text field; nothing for an empty one."""
    return chunk(field, value.encode()) if value else b""


def _double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value) if value else b""


def _float(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value) if value else b""


def moment(seconds: int, ms: int) -> bytes:
    """Return the body of a google.protobuf.Timestamp or Duration."""
    return number(1, seconds) + number(2, ms * 1_000_000)


class ChirpStackProtobuf:
    """Encodes a load as ChirpStack would."""

    def __init__(self, spec: LoadSpec) -> None:
        self._spec = spec
        self._info = (
            text(1, "5a3a0a2e-0000-4000-8000-000000000003")  # tenant_id
            + text(2, "Simulateur")  # tenant_name
            + text(3, APPLICATION_ID)
            + text(4, "Charge")  # application_name
            + text(5, "5a3a0a2e-0000-4000-8000-000000000011")  # device_profile_id
        )
        self._gateways = [text(1, gateway_id(one)) for one in range(spec.gateways)]
        self._ends = [_end(gateway_position(spec, one)) for one in range(spec.gateways)]
        self._heard = [[_said(*grade, channel) for channel in range(8)] for grade in grades(spec.seed)]
        self._transmitted = [chunk(13, _tx_info(one, 7)) + text(16, "eu868") for one in CHANNELS_HZ]
        self._rates = [number(6, data_rate) for data_rate in range(6)]
        self._milliseconds = [number(2, ms * 1_000_000) for ms in range(1000)]
        self._seconds: dict[int, tuple[bytes, bytes]] = {}
        self._devices: dict[int, tuple[str, bytes]] = {}

    def _topic(self, device: int, event: str) -> str:
        return f"application/{APPLICATION_ID}/device/{self._spec.first_dev_eui + device:016x}/event/{event}"

    def _device_info(self, device: int, kind: Kind) -> bytes:
        return chunk(
            3,
            self._info
            + text(6, kind.profile)
            + text(7, f"load {device:07d}")
            + text(8, f"{self._spec.first_dev_eui + device:016x}"),
        )

    def _device(self, device: int, kind: Kind) -> tuple[str, bytes]:
        """Return (topic, device_info, field 3), made once a device."""
        made = self._devices[device] = self._topic(device, "up"), self._device_info(device, kind)
        return made

    def _second(self, second: int) -> tuple[bytes, bytes]:
        """Return the seconds of a Unix time and of its GPS time, made once for all the messages of a second."""
        if len(self._seconds) > SECONDS_KEPT:
            self._seconds.clear()
        made = self._seconds[second] = number(1, second), number(1, second - GPS_OFFSET_S)
        return made

    def uplink(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Return an `up` event. Lengths below 128 take one byte, which the format strings rely on."""
        device, uplink, variant, dev_addr, f_cnt, received_ms, payload, late, air = sent
        second, ms = divmod(received_ms, 1000)
        topic, info = self._devices.get(device) or self._device(device, kind)
        unix, gps = self._seconds.get(second) or self._second(second)
        unix, gps = unix + self._milliseconds[ms], gps + self._milliseconds[ms]
        if air is None:
            channel, heard = hearing(self._spec, device, uplink, late=late)
            data_rate, transmitted = 5, self._transmitted[channel]
            said = [(gateway, self._heard[grade][channel]) for gateway, grade in heard]
        else:
            channel, data_rate = channel_of(air.frequency_hz), 12 - air.spreading_factor
            transmitted = chunk(13, _tx_info(air.frequency_hz, air.spreading_factor)) + text(16, "eu868")
            said = [(gateway, _said(rssi_dbm, snr_db, channel)) for gateway, rssi_dbm, snr_db in air.heard]
        # uplink_id 2, ns_time 17, time_since_gps_epoch 4
        varying = b"\x10%c\x8a\x01%c%b\x22%c%b" % (uplink & 0x7F | 1, len(unix), unix, len(gps), gps)
        receptions = []
        for gateway, scalars in said:
            body = self._gateways[gateway] + varying + scalars + self._ends[gateway]
            receptions.append(b"\x62%c%b" % (len(body), body))  # 12
        # deduplication_id 1, time 2, device_info 3, dev_addr 4, adr 5, dr 6, f_cnt 7, f_port 8, confirmed 9, data 10
        said_data = b"\x52%c%b" % (len(payload), payload) if payload else b""
        if air is not None and air.confirmed:
            said_data = b"\x48\x01" + said_data
        message = b"\x0a\x24%b\x12%c%b%b\x22\x08%08x\x28\x01%b%b\x40%c%b%b%b" % (
            deduplication_text(self._spec.seed, device, uplink, variant), len(unix), unix, info, dev_addr,
            self._rates[data_rate], number(7, f_cnt), kind.f_port, said_data,
            b"".join(receptions), transmitted,
        )  # fmt: skip
        return topic, message

    def join(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Return a `join` event."""
        message = (
            chunk(1, deduplication_text(self._spec.seed, sent.device, sent.number, 0xFFF))
            + chunk(2, moment(*divmod(sent.received_ms, 1000)))
            + self._device_info(sent.device, kind)
            + text(4, f"{sent.dev_addr:08x}")
            + text(7, "eu868")
        )
        return self._topic(sent.device, "join"), message

    def log(self, sent: Sent, kind: Kind) -> tuple[str, bytes] | None:
        """Return a `log` event: time 1, device_info 2, level 3 (ERROR), code 4 (UPLINK_F_CNT_RESET), context 6."""
        context = chunk(1, b"deduplication_id")
        context += chunk(2, deduplication_text(self._spec.seed, sent.device, sent.number, 0xFFE))
        _, info = self._devices.get(sent.device) or self._device(sent.device, kind)
        message = (
            chunk(1, moment(*divmod(sent.received_ms, 1000)))
            + b"\x12" + info[1:]  # as field 2 here, as field 3 in an uplink
            + number(3, 2)
            + number(4, 5)
            + text(5, "Frame-counter reset or rollover detected")
            + chunk(6, context)
        )  # fmt: skip
        return self._topic(sent.device, "log"), message

    def connection(self, gateway: int, received_ms: int, *, online: bool) -> tuple[str, bytes] | None:  # noqa: ARG002
        """Return a gateway's `state/conn`: state 2, gateway_id 3."""
        message = number(2, int(online)) + text(3, gateway_id(gateway))
        return f"eu868/gateway/{gateway_id(gateway)}/state/conn", message

    def stats(self, gateway: int, received_ms: int, frames: int) -> tuple[str, bytes] | None:
        """Return a gateway's `stats`: id 17, time 2, location 3, received 5, received with a valid CRC 6."""
        message = (
            chunk(2, moment(*divmod(received_ms, 1000)))
            + chunk(3, _location(gateway_position(self._spec, gateway)))
            + number(5, frames)
            + number(6, frames)
            + text(17, gateway_id(gateway))
        )
        return f"eu868/gateway/{gateway_id(gateway)}/event/stats", message


def _location(position: Position) -> bytes:
    latitude, longitude, altitude = position
    return _double(1, latitude) + _double(2, longitude) + _double(3, altitude or 0.0)


def _end(position: Position) -> bytes:
    """Return what is always the same of a gateway's hearing: location 12, context 13, CRC_OK 16."""
    return chunk(12, _location(position)) + chunk(13, b"\0\1\2\3") + number(16, 2)


def _said(rssi_dbm: int, snr_db: float, channel: int) -> bytes:
    return number(6, rssi_dbm) + _float(7, snr_db) + number(8, channel)


def _tx_info(frequency_hz: int, spreading_factor: int) -> bytes:
    """Return frequency 1, modulation 2 (lora 3: bandwidth 1, spreading factor 2, code rate 5, CR_4_5)."""
    lora = number(1, 125_000) + number(2, spreading_factor) + number(5, 1)
    return number(1, frequency_hz) + chunk(2, chunk(3, lora))
