"""The few MQTT 3.1.1 packets that a publisher sends and receives.

Source: OASIS MQTT Version 3.1.1, 29 October 2014: 2.2 (fixed header), 3.1 CONNECT, 3.2 CONNACK,
3.3 PUBLISH, 3.4 PUBACK, 3.12 PINGREQ.
"""

import struct
from collections.abc import Iterator
from typing import Final

CONNACK: Final = 0x20
PUBACK: Final = 0x40
PINGRESP: Final = 0xD0
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
DUP: Final = 0x08
MAX_PACKET_ID: Final = 65535

CONNACK_REASONS: Final = {
    1: "unacceptable protocol version",
    2: "client identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorised",
}

_PUBACK_FORM: Final = struct.Struct(">HH")
_PUBACK_HEADER: Final = 0x4002


def remaining_length(length: int) -> bytes:
    """Return the variable-length encoding of 2.2.3; raise ValueError beyond 268,435,455."""
    if not 0 <= length <= 0x0FFF_FFFF:
        raise ValueError(f"an MQTT packet cannot hold {length} bytes")
    out = bytearray()
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def connect(*, client_id: str, keepalive_s: int, clean_session: bool, username: str, password: str) -> bytes:
    """Return a CONNECT; user and password are left out when empty."""
    flags = 0x02 if clean_session else 0
    body = _text(client_id)
    if username:
        flags |= 0x80
        body += _text(username)
        if password:
            flags |= 0x40
            body += _text(password)
    variable = b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big") + body
    return b"\x10" + remaining_length(len(variable)) + variable


def publish(topic: bytes, payload: bytes, packet_id: int) -> bytes:
    """Return a PUBLISH: QoS 1 with this packet identifier, QoS 0 when it is 0."""
    size = len(topic)
    length = size + 2 + len(payload) + (2 if packet_id else 0)
    # Two bytes of length hold any uplink: this is the hot path, the general encoder is not.
    header = bytes((length & 0x7F | 0x80, length >> 7)) if 0x7F < length < 0x4000 else remaining_length(length)
    if packet_id:
        return b"\x32%b%b%b%b%b" % (header, size.to_bytes(2, "big"), topic, packet_id.to_bytes(2, "big"), payload)
    return b"\x30%b%b%b%b" % (header, size.to_bytes(2, "big"), topic, payload)


def duplicate(packet: bytes) -> bytes:
    """Return the same PUBLISH marked as sent again (3.3.1.1)."""
    return bytes((packet[0] | DUP,)) + packet[1:]


class Received:
    """Splits what a broker sends into packets, however the bytes are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (type, body) of each whole packet; a PUBACK's body is its packet identifier, two bytes."""
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= 2:
            length, used = _read_length(data, at + 1)
            if not used or end - at < 1 + used + length:
                break
            body = at + 1 + used
            yield data[at] & 0xF0, data[body : body + length]
            at = body + length
        self._rest = data[at:]

    def only_pubacks(self, data: bytes) -> list[int] | None:
        """Return the packet identifiers if `data` is whole PUBACKs and nothing else: what it nearly always is."""
        if self._rest or len(data) & 3:
            return None
        pairs = list(_PUBACK_FORM.iter_unpack(data))
        if any(header != _PUBACK_HEADER for header, _ in pairs):
            return None
        return [packet_id for _, packet_id in pairs]


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """Return (length, bytes used); (0, 0) while it is not whole; raise ValueError when it is malformed."""
    length = 0
    for used in range(4):
        if at + used >= len(data):
            return 0, 0
        byte = data[at + used]
        length |= (byte & 0x7F) << (7 * used)
        if byte < 0x80:
            return length, used + 1
    raise ValueError("malformed remaining length")
