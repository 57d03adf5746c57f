"""Milesight frames: channels one after another, each with its type, which says how long it is.

Source: Milesight user guides, chapters "Device Payload" / "Sensor Data" and "Basic Information"; the README of
each product in github.com/Milesight-IoT/SensorDecoders (tables of channels and examples).
Byte map, little-endian, port 85 as delivered:  II TT data ..  II TT data ..
  I  channel, T type; the size of the data follows from both, and differs between products
  FF  what the device says of itself when it joins: 01 protocol, 08 and 16 serial number, 09 hardware, 0A
      software, 0B power on, 0F class, FE reset, FF TSL; any other type of FF, and FE, F8, F9: the answer to
      a command, which ends what is read
  20 and 21 CE  a sample of the past: time uint32 in seconds since 1970, then its values
  FFFD, FFFE, FFFF in an unsigned value: out of range, not ready, not read
"""

from datetime import UTC, datetime
from typing import Final

from decoders.native._channels import Channels, Part, value_of
from domain.errors import DecodeError
from domain.readings import Reading

BATTERY: Final[Channels] = {(0x01, 0x75): (Part(1, "battery_level"),)}
TEMPERATURE: Final = Part(2, "temperature", 10, signed=True)
HUMIDITY: Final = Part(1, "humidity", 2)
CO2: Final = Part(2, "co2")
PRESSURE: Final = Part(2, "pressure", 10)
AIR: Final[Channels] = {**BATTERY, (0x03, 0x67): (TEMPERATURE,), (0x04, 0x68): (HUMIDITY,)}
HISTORY: Final = ((0x20, 0xCE), (0x21, 0xCE))

_OF_ITSELF: Final = {0x01: 1, 0x08: 6, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x16: 8, 0xFE: 1, 0xFF: 2}
_ANSWERS: Final = frozenset((0xF8, 0xF9, 0xFE, 0xFF))
_NOT_READ: Final = frozenset((b"\xfd\xff", b"\xfe\xff", b"\xff\xff"))


def decode_channels(payload: bytes, channels: Channels) -> list[Reading]:
    """Return the readings of a frame of a product that has these channels; raise DecodeError."""
    readings: list[Reading] = []
    at, end = 0, len(payload)
    while at < end:
        if end - at < 2:
            raise DecodeError(f"a channel without its type at byte {at}")
        key = payload[at], payload[at + 1]
        at += 2
        if key[0] == 0xFF and key[1] in _OF_ITSELF:
            at += _OF_ITSELF[key[1]]
            continue
        parts = channels.get(key)
        if parts is None:
            if key[0] in _ANSWERS:
                break
            raise DecodeError(f"channel {key[0]:02x} of type {key[1]:02x}")
        moment = None
        if key in HISTORY:
            moment = datetime.fromtimestamp(int.from_bytes(payload[at : at + 4], "little"), UTC)
            at += 4
        for part in parts:
            data = payload[at : at + part.size]
            if part.quantity and (part.signed or data not in _NOT_READ):
                readings.append(Reading(part.quantity, value_of(data, part, "little"), part.channel, 0.0, moment))
            at += part.size
        if at > end:
            raise DecodeError(f"channel {key[0]:02x} of type {key[1]:02x} ends early")
    return readings
