"""MClimate PIR Mini: presence, air, light.

Source: MClimate's codec in github.com/TheThingsNetwork/lorawan-devices, vendor/mclimate, pir-mini. Frame:
`_mclimate.py`.
Byte map:  .. 01 TT TT HH LL LL BB OO NN NN
  T  temperature  bits 9-0, 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  L  light        uint16 1 lx; FFFB and above: off, or broken
  B  battery      uint8 2200/255 mV from 1.6 V
  O  bit 0        somebody is there
  N  movements    a counter that a command may set to reset at each frame: not kept
"""

from typing import Final

from decoders.native._mclimate import humidity, keep_alive, lite_battery
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-pir-mini",
    vendor="MClimate",
    name="PIR Mini",
    quantities=("presence", "temperature", "humidity", "illuminance", "battery_voltage"),
    period_s=600,
    hints=(
        "mclimate pir mini",
        "pir mini",
    ),
)

_SIZES: Final = {0x01: 10}
_NO_LIGHT: Final = 0xFFFB


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    readings = [
        Reading("presence", frame[7] & 1),
        Reading("temperature", ((frame[1] & 3) << 8 | frame[2]) / 10 - 40),
        humidity(frame, 3),
        lite_battery(frame, 6),
    ]
    light = int.from_bytes(frame[4:6])
    return readings if light >= _NO_LIGHT else [*readings, Reading("illuminance", light)]
