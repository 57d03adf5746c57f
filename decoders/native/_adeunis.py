"""Frames common to the Adeunis sensors.

Source: Adeunis user guides, "Frame description" chapters; the vendor's codec and its examples, published by
Adeunis in github.com/TheThingsNetwork/lorawan-devices, vendor/adeunis, and github.com/sln-nc/adeunis-codecs-lib.
Byte map, big-endian, any port:  CC SS ..
  C  frame code: 10-12, 1F, 20, 2F, 33, 36, 37 speak of the configuration, the others of the product
  S  status: bits 7-5 frame counter, 2 the device's clock stands in the last four bytes (older products: hardware
     fault), 1 battery low, 0 configured
  51, 52  digital input 1, 2:  CC SS EE GG GG GG GG ii ii    E bit 0 state; G count uint32; i count since the last
Periodic frames carry several samples, the newest first, but not how far apart they are: that is set by a
register which the frame does not repeat. Only the newest is taken; the others stay in the raw frame.
"""

from typing import Final

from domain.errors import DecodeError
from domain.readings import Reading

_CONFIGURATION: Final = frozenset((0x10, 0x11, 0x12, 0x1F, 0x20, 0x2F, 0x33, 0x36, 0x37))
_DIGITAL_INPUTS: Final = (0x51, 0x52)

NO_TEMPERATURE: Final = -0x8000  # no probe, or a broken one


def battery_low(payload: bytes) -> Reading:
    """Return what the status says of the battery; raise DecodeError when there is no status."""
    if len(payload) < 2:
        raise DecodeError(f"{len(payload)} bytes")
    return Reading("battery_low", payload[1] >> 1 & 1)


def decode_common(payload: bytes) -> list[Reading]:
    """Return the readings of a frame that all products share; raise DecodeError for any other."""
    battery, code = battery_low(payload), payload[0]
    if code in _CONFIGURATION:
        return [battery]
    if code in _DIGITAL_INPUTS:
        require(payload, 9)
        number = code - 0x50
        return [
            battery,
            Reading("digital_input", payload[2] & 1, number),
            Reading("pulse_count", int.from_bytes(payload[3:7]), number),
        ]
    raise DecodeError(f"frame code {code:#04x} of {len(payload)} bytes")


def require(payload: bytes, size: int) -> None:
    """Raise DecodeError when the frame is shorter than its code wants."""
    if len(payload) < size:
        raise DecodeError(f"frame code {payload[0]:#04x} of {len(payload)} bytes, {size} expected")


def temperature(payload: bytes, at: int, channel: int = 0) -> list[Reading]:
    """Return the int16 in 0.1 degC at `at`, nothing when the probe is missing."""
    value = int.from_bytes(payload[at : at + 2], signed=True)
    return [] if value == NO_TEMPERATURE else [Reading("temperature", value / 10, channel)]
