"""MClimate CO2 Display: CO2, air, light, presence.

Source: docs.mclimate.eu, "CO2 Display device communication protocol", page "Keep-alive". Frame: `_mclimate.py`.
Byte map:  .. 01 TT TT HH BB BB CC DD LL LL MM
  T  temperature  uint16 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  B  supply       uint16 1 mV: battery, solar panel or USB
  C  CO2          1 ppm, bits 7-0; D: bits 7-3 its bits 12-8, bits 2-0 what supplies the device
  L  light        uint16 1 lx
  M  presence     1 motion
The example of the document takes C and D for one number shifted by three (1B 00 for 864 ppm) where its table
does not; the table is followed, as the vendor's frame in github.com/TheThingsNetwork/lorawan-devices agrees with it.
"""

from typing import Final

from decoders.native._mclimate import humidity, keep_alive, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-co2-display",
    vendor="MClimate",
    name="CO2 Display",
    quantities=("co2", "temperature", "humidity", "illuminance", "presence", "battery_voltage"),
    period_s=600,
    hints=("mclimate co2 display",),
)

_SIZES: Final = {0x01: 11}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    return [
        Reading("co2", (frame[7] >> 3) << 8 | frame[6]),
        temperature(frame, 1),
        humidity(frame, 3),
        Reading("battery_voltage", int.from_bytes(frame[4:6]) / 1000),
        Reading("illuminance", int.from_bytes(frame[8:10])),
        Reading("presence", frame[10] & 1),
    ]
