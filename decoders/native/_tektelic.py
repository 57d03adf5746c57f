"""Tektelic frames: on port 10, values one after another, each behind its channel and its type.

Source: Tektelic, github.com/TektelicCommunications/data-converters (December 2025), converters of each product.
Byte map, big-endian:  CC TT data ..  CC TT data ..
  C  channel, T type; the size of the data follows from both, and differs between products
Other ports hold answers to commands, times, and positions by radio: nothing that is kept.
"""

from typing import Final

from decoders.native._channels import Channels, Part, value_of
from domain.errors import DecodeError
from domain.readings import Reading

AIR: Final[Channels] = {
    (0x03, 0x67): (Part(2, "temperature", 10, signed=True),),
    (0x04, 0x68): (Part(1, "humidity", 2),),
}
BATTERY: Final[Channels] = {
    (0x00, 0xFF): (Part(2, "battery_voltage", 100, signed=True),),
    (0x00, 0xBA): (Part(2, "battery_voltage", 1000),),
    (0x00, 0xD3): (Part(1, "battery_level"),),
    (0x00, 0xBD): (Part(2),),
}
MCU: Final[Channels] = {(0x0B, 0x67): (Part(2, "device_temperature", 10, signed=True),)}
ACCELERATION: Final = tuple(Part(2, f"acceleration_{axis}", 1000, signed=True) for axis in "xyz")

_DATA_PORT: Final = 10


def decode_channels(payload: bytes, f_port: int, channels: Channels) -> list[Reading]:
    """Return the readings of a frame of a product that has these channels; raise DecodeError."""
    if f_port != _DATA_PORT:
        return []
    readings: list[Reading] = []
    at, end = 0, len(payload)
    while at < end:
        key = payload[at], payload[at + 1] if at + 1 < end else -1
        parts = channels.get(key)
        if parts is None:
            raise DecodeError(f"unknown channel at byte {at}")
        at += 2
        for part in parts:
            data = payload[at : at + part.size]
            if len(data) < part.size:
                raise DecodeError(f"a channel is cut at byte {end}")
            at += part.size
            if part.quantity:
                readings.append(Reading(part.quantity, value_of(data, part, "big"), part.channel))
    return readings
