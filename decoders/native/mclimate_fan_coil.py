"""MClimate Fan Coil Thermostat: set point, air, valve.

Source: docs.mclimate.eu, "Fan Coil Thermostat", page "Keep-alive". Frame: `_mclimate.py`.
Byte map:  .. 01 TT TT HH SS SS MM DD AA VV OO
  T  temperature  uint16 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  S  set point    uint16 0.1 degC
  M D A           mode, fan speed shown, fan speed: not kept
  V  valve        1 open
  O  device       1 on
"""

from typing import Final

from decoders.native._mclimate import humidity, keep_alive, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-fan-coil-thermostat",
    vendor="MClimate",
    name="Fan Coil Thermostat",
    quantities=("setpoint_temperature", "temperature", "humidity", "valve_position", "on"),
    period_s=600,
    hints=("mclimate fan coil", "fan coil thermostat"),
)

_SIZES: Final = {0x01: 11}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    return [
        Reading("setpoint_temperature", int.from_bytes(frame[4:6]) / 10),
        temperature(frame, 1),
        humidity(frame, 3),
        Reading("valve_position", 100 * (frame[9] & 1)),
        Reading("on", frame[10] & 1),
    ]
