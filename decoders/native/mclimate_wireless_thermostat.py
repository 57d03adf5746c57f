"""MClimate Wireless Thermostat: set point, air, light, presence.

Source: docs.mclimate.eu, "Wireless Thermostat device communication protocol", page "Keep-alive". Frame:
`_mclimate.py`.
Byte map:  .. KK TT TT HH BB BB SS [SS] PP LL LL MM
  K  keep-alive   01 up to firmware 1.3, 81 from 1.4
  T  temperature  uint16 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  B  supply       uint16 1 mV: battery, solar panel or USB
  S  set point    01: uint8 1 degC; 81: uint16 0.1 degC
  P  what supplies it
  L  light        uint16 1 lx
  M  presence     1 motion
"""

from typing import Final

from decoders.native._mclimate import humidity, keep_alive, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-wireless-thermostat",
    vendor="MClimate",
    name="Wireless Thermostat",
    quantities=("setpoint_temperature", "temperature", "humidity", "illuminance", "presence", "battery_voltage"),
    period_s=600,
    hints=("mclimate wireless thermostat", "wireless thermostat"),
)

_SIZES: Final = {0x01: 11, 0x81: 12}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    return [
        Reading("setpoint_temperature", frame[6] if frame[0] == 0x01 else int.from_bytes(frame[6:8]) / 10),
        temperature(frame, 1),
        humidity(frame, 3),
        Reading("battery_voltage", int.from_bytes(frame[4:6]) / 1000),
        Reading("illuminance", int.from_bytes(frame[-3:-1])),
        Reading("presence", frame[-1] & 1),
    ]
