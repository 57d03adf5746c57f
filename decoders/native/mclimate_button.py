"""MClimate Multipurpose Button: a button, a thermistor.

Source: docs.mclimate.eu, "Multipurpose Button device communication protocol", page "Keep-alive". Frame:
`_mclimate.py`.
Byte map:  .. 01 BB TT TT EE
  B  battery      uint8 8 mV from 1.6 V
  T  thermistor   bit 10 broken, bits 9-0 0.1 degC
  E  how it was pressed: 0 not at all
"""

from typing import Final

from decoders.native._mclimate import battery, keep_alive, thermistor
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-button",
    vendor="MClimate",
    name="Multipurpose Button",
    quantities=("alarm", "temperature", "battery_voltage", "device_fault"),
    period_s=3600,
    hints=(
        "mclimate button",
        "multipurpose button",
        "mc button",
    ),
)

_SIZES: Final = {0x01: 5}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    # As in the HT sensor, the table gives the thermistor no sign.
    return [Reading("alarm", int(frame[4] != 0)), battery(frame, 1), *thermistor(frame[2] & 7, frame[3])]
