"""MClimate CO2 Sensor PIR Lite: CO2, presence, air.

Source: docs.mclimate.eu, "CO2 Sensor PIR Lite device communication protocol", page "Keep-alive";
the example in github.com/actility/device-catalog, vendors/mclimate, begins with 51. Frame: `_mclimate.py`.
Byte map:  .. 01 PT TT HH BB CC DD NN, or 51 in place of 01
  P T H B  presence, temperature, humidity, battery: `pir_lite`
  C        CO2, its lower 8 bits; the upper 5 are bits 7-3 of D, 1 ppm
  N        movements since the last frame: no index, not kept
"""

from typing import Final

from decoders.native._mclimate import keep_alive, pir_lite
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-co2-pir-lite",
    vendor="MClimate",
    name="CO2 Sensor PIR Lite",
    quantities=("co2", "presence", "temperature", "humidity", "battery_voltage"),
    period_s=600,
    hints=(
        "co2 pir lite",
        "co2 sensor pir lite",
    ),
)

_SIZES: Final = {0x01: 8, 0x51: 8}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    return [Reading("co2", frame[6] >> 3 << 8 | frame[5]), *pir_lite(frame)]
