"""MClimate Open/Close Sensor: door or window, temperature.

Source: docs.mclimate.eu, "Open/Close Sensor LoRaWAN communication protocol", page "Keep-alive". Frame:
`_mclimate.py`.
Byte map:  .. 01 BB TT TT CC CC CC SS
  B  battery      uint8 8 mV from 1.6 V
  T  temperature  bit 11 below zero, bit 10 thermistor broken, bits 9-0 0.1 degC
  C  count        uint24 events
  S  bit 0        1 open
"""

from typing import Final

from decoders.native._mclimate import battery, keep_alive, thermistor
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-open-close",
    vendor="MClimate",
    name="Open/Close Sensor",
    quantities=("open", "opening_count", "temperature", "battery_voltage", "device_fault"),
    period_s=14400,
    hints=("mclimate open close",),
)

_SIZES: Final = {0x01: 8}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    return [
        Reading("open", frame[7] & 1),
        Reading("opening_count", int.from_bytes(frame[4:7])),
        battery(frame, 1),
        *thermistor(frame[2], frame[3]),
    ]
