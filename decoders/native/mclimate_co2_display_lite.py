"""MClimate CO2 Display Lite: CO2, air, light.

Source: docs.mclimate.eu, "CO2 Display Lite device communication protocol", page "Keep-alive". Frame: `_mclimate.py`.
Byte map:  .. 01 TT TT HH BB BB CC PP LL LL
  T  temperature  uint16 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  B  battery      uint16 0.001 V
  C  CO2          its lower 8 bits; the upper 5 are bits 7-3 of P, 1 ppm
  P  bits 2-0     where it gets its power: not kept
  L  light        uint16 1 lx
"""

from typing import Final

from decoders.native._mclimate import humidity, keep_alive, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-co2-display-lite",
    vendor="MClimate",
    name="CO2 Display Lite",
    quantities=("co2", "temperature", "humidity", "illuminance", "battery_voltage"),
    period_s=600,
    hints=("mclimate co2 display lite",),
)

_SIZES: Final = {0x01: 10}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    return [
        Reading("co2", frame[7] >> 3 << 8 | frame[6]),
        temperature(frame, 1),
        humidity(frame, 3),
        Reading("illuminance", int.from_bytes(frame[8:10])),
        Reading("battery_voltage", int.from_bytes(frame[4:6]) / 1000),
    ]
