"""MClimate Vicki: radiator thermostat.

Source: docs.mclimate.eu, "Vicki LoRaWAN device communication protocol", pages "Keep-alive", "Control target
temperature" (code 52) and "Appendix (examples)". Frame: `_mclimate.py`.
Byte map:  .. [52 UU UU] KK SS TT HH PP RR QQ BB FF
  K   keep-alive    01 up to firmware 3.4, 81 from 3.5
  S   set point     uint8 1 degC; when it is not a whole number, the answer 52 goes before: U uint16 0.1 degC
  T   temperature   01: T * 165 / 256 - 40 degC; 81: (T - 28.33333) / 5.66666 degC
  H   humidity      uint8 100/256 %
  P R Q  motor      position and range in steps, bits 7-0; Q: their bits 11-8. 0 is an open valve, the range a
         closed one
  B   bits 7-4 battery 0.1 V from 2 V; 3 a window is open; 2 and 1 motor current too high, too low; 0 sensor broken
  F   bit 6 calibration failed; the others are modes
"""

from typing import Final

from decoders.native._mclimate import humidity, keep_alive
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-vicki",
    vendor="MClimate",
    name="Vicki",
    quantities=(
        "setpoint_temperature",
        "temperature",
        "humidity",
        "valve_position",
        "open",
        "device_fault",
        "battery_voltage",
    ),
    period_s=600,
    hints=("vicki",),
)

_SIZES: Final = {0x01: 9, 0x81: 9}
_FAULTS_B, _FAULTS_F, _SENSOR_BROKEN = 0x07, 0x40, 0x01


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    _, _, temperature, _, low_position, low_range, high, state, flags = frame
    position, steps = low_position | (high & 0xF0) << 4, low_range | (high & 0x0F) << 8
    readings = [
        Reading("setpoint_temperature", _set_point(payload)),
        Reading("battery_voltage", (20 + (state >> 4)) / 10),
        Reading("open", state >> 3 & 1),
        Reading("device_fault", int(bool(state & _FAULTS_B or flags & _FAULTS_F))),
    ]
    if 0 < steps >= position:
        readings.append(Reading("valve_position", 100 - 100 * position / steps))
    if state & _SENSOR_BROKEN:
        return readings
    old = frame[0] == 0x01
    value = temperature * 165 / 256 - 40 if old else (temperature - 28.33333) / 5.66666
    return [*readings, Reading("temperature", value), humidity(frame, 3)]


def _set_point(payload: bytes) -> float:
    """Return the set point in degC, to a tenth when the answer before the keep-alive has it."""
    whole = payload[-8]
    if len(payload) >= 12 and payload[-12] == 0x52:
        tenths = int.from_bytes(payload[-11:-9]) / 10
        # Another answer may end in 52 and two bytes: the two set points must be the same one.
        if abs(tenths - whole) < 1:
            return tenths
    return whole
