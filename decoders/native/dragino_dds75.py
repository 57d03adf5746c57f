"""Dragino DDS75-LB and LDDS75 ultrasonic distance sensors.

Source: Dragino, DDS75-LB LoRaWAN Distance Detection Sensor User Manual, section "Uplink Payload" (firmware
v1.x, June 2024); github.com/dragino/dragino-end-node-decoder, folders DDS75-LB and LDDS75
(v1.1.4), July 2026.
Byte map, big-endian:
f_port 2, 8 bytes:  BB BB DD DD II TT TT SS
  B  battery      bits 13-0 of uint16  0.001 V
  D  distance     uint16  1 mm; 0: no echo, or no ultrasonic sensor; 20: nearer than 280 mm, so not measured
  I  interrupt    uint8   1 when the interrupt pin sent this frame
  T  temperature  int16   0.1 degC, of a DS18B20 probe; 0x0CCC (327.6): no probe
  S  sensor flag  uint8   1 when the ultrasonic sensor was found, 0 when not
f_port 5, 7 bytes:  27 VV VV FF SS BB BB
  V  firmware, F frequency band, S sub-band
  B  battery      uint16  0.001 V
The cell is a 3.6 V Li-SOCl2: more than 5 V was not measured, and is left out.
Ports 3 (datalog) and 6 (detection mode), and the several distances of one frame (bit 12 of B), are refused:
the manual gives neither the times of the samples nor all of their fields.
"""

import struct
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = ("distance", "temperature", "battery_voltage", "device_fault")

MODELS: Final = (
    Model("dragino-dds75-lb", "Dragino", "DDS75-LB", _QUANTITIES, 1200, ("dds75 lb", "dds75")),
    Model("dragino-ldds75", "Dragino", "LDDS75", _QUANTITIES, 1200, ("ldds75",)),
)

_MEASURE: Final = struct.Struct(">HHBhB")
_MAX_BATTERY_MV: Final = 5000
_NO_PROBE: Final = 0x0CCC
_NOT_MEASURED_MM: Final = (0, 20)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if f_port == 2 and len(payload) == 8 and not payload[0] & 0x10:
        return _measure(payload)
    if f_port == 5 and len(payload) == 7 and payload[0] == 0x27:
        return _battery(int.from_bytes(payload[5:7]))
    raise DecodeError(f"f_port {f_port}, {len(payload)} bytes")


def _measure(payload: bytes) -> list[Reading]:
    battery_mv, distance_mm, _, temperature, sensor_found = _MEASURE.unpack(payload)
    readings = _battery(battery_mv & 0x3FFF)
    readings.append(Reading("device_fault", int(not sensor_found)))
    if distance_mm not in _NOT_MEASURED_MM:
        readings.append(Reading("distance", distance_mm / 1000))
    if temperature != _NO_PROBE:
        readings.append(Reading("temperature", temperature / 10))
    return readings


def _battery(battery_mv: int) -> list[Reading]:
    return [Reading("battery_voltage", battery_mv / 1000)] if battery_mv <= _MAX_BATTERY_MV else []
