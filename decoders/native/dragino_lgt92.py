"""Dragino LGT-92 GPS tracker.

Source: Dragino, LGT-92 LoRa GPS Tracker User Manual, section 2.3.1 "Payload Analyze", for 8 and 12 bytes;
Dragino's decoder for firmware 1.5 and later (dragino.com/downloads, LGT_92/Decoder), for 11 and 18 bytes.
Byte map, big-endian, f_port 2, told apart by their size (8 and 11: the motion sensor is off):
to 1.4, 8 or 12 bytes:     LL LL LL GG GG GG BB BB [RR RR PP PP]
from 1.5, 11 or 18 bytes:  LL LL LL LL GG GG GG GG BB BB FF [RR RR PP PP HH AA AA]
  L  latitude   int24 0.0001 deg, or int32 0.000001 deg
  G  longitude  as latitude
  B  bit 14 alarm button, bits 13-0 battery 0.001 V
  F  bits 7-6 motion mode, bit 5 LED
  R  roll       int16  0.01 deg
  P  pitch      int16  0.01 deg
  H  HDOP       uint8  0.01
  A  altitude   int16  0.01 m
No fix: latitude and longitude are both 0; GPS switched off for a weak battery: both are 0x0FFFFF.
"""

import struct
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="dragino-lgt92",
    vendor="Dragino",
    name="LGT-92",
    quantities=("latitude", "longitude", "altitude", "roll", "pitch", "alarm", "battery_voltage"),
    period_s=300,
    hints=("lgt92", "lgt 92"),
)

# Size of the frame -> bytes of one co-ordinate, its scale, where the motion sensor's bytes begin.
_FORMS: Final = {8: (3, 1e4, 8), 12: (3, 1e4, 8), 11: (4, 1e6, 11), 18: (4, 1e6, 11)}
_ATTITUDE: Final = struct.Struct(">hh")
_NO_FIX: Final = ((0, 0), (0x0FFFFF, 0x0FFFFF))


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    size = len(payload)
    if f_port != 2 or size not in _FORMS:
        raise DecodeError(f"f_port {f_port}, {size} bytes")
    width, scale, rest = _FORMS[size]
    status = int.from_bytes(payload[2 * width : 2 * width + 2])
    readings = [
        Reading("battery_voltage", (status & 0x3FFF) / 1000),
        Reading("alarm", status >> 14 & 1),
    ]
    latitude = int.from_bytes(payload[:width], signed=True)
    longitude = int.from_bytes(payload[width : 2 * width], signed=True)
    fixed = (latitude, longitude) not in _NO_FIX
    if fixed:
        readings += Reading("latitude", latitude / scale), Reading("longitude", longitude / scale)
    if size > rest:
        roll, pitch = _ATTITUDE.unpack_from(payload, rest)
        readings += Reading("roll", roll / 100), Reading("pitch", pitch / 100)
    if size == 18 and fixed:
        readings.append(Reading("altitude", int.from_bytes(payload[16:18], signed=True) / 100))
    return readings
