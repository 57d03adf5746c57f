"""Dragino SW3L water flow sensor.

Source: Dragino, SW3L LoRaWAN Flow Sensor User Manual, section 2.3 "Uplink Payload";
github.com/dragino/dragino-end-node-decoder, folder SW3L, July 2026.
Byte map, big-endian:
f_port 2, 11 bytes:  AA PP PP PP PP MM -- CC CC CC CC
f_port 3, n x 11 bytes, the past:  AA MM -- PP PP PP PP CC CC CC CC
  A  bits 7-2 model of the sensor, bit 1 alarm
  P  pulses    uint32  since the beginning (M 0), or since the last frame (M 1: no index, not kept)
  M  mode
  C  clock     uint32  seconds since 1970
f_port 5, 7 bytes:  11 VV VV FF SS BB BB
  B  battery   uint16  0.001 V; the rest is firmware and band
f_port 4: the configuration, nothing measured
Dragino's documents differ on the pulses of a litre (450, 360 or 390, 60 or 64 by the model): it is set on the
point, not here.
"""

from datetime import UTC, datetime
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="dragino-sw3l",
    vendor="Dragino",
    name="SW3L",
    quantities=("pulse_count", "alarm", "battery_voltage"),
    period_s=1200,
    hints=("sw3l",),
)

_RECORD_SIZE: Final = 11


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    size = len(payload)
    if f_port == 2 and size == _RECORD_SIZE:
        alarm = Reading("alarm", payload[0] >> 1 & 1)
        return [alarm] if payload[5] else [alarm, Reading("pulse_count", int.from_bytes(payload[1:5]))]
    if f_port == 3 and size and size % _RECORD_SIZE == 0:
        return [
            Reading(
                "pulse_count",
                int.from_bytes(payload[at + 3 : at + 7]),
                measured_at=datetime.fromtimestamp(int.from_bytes(payload[at + 7 : at + 11]), UTC),
            )
            for at in range(0, size, _RECORD_SIZE)
            if payload[at + 1] == 0
        ]
    if f_port == 5 and size == 7 and payload[0] == 0x11:
        return [Reading("battery_voltage", int.from_bytes(payload[5:7]) / 1000)]
    if f_port == 4:
        return []
    raise DecodeError(f"f_port {f_port}, {size} bytes")
