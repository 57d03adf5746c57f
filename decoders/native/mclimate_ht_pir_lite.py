"""MClimate HT Sensor PIR Lite: presence, air.

Source: docs.mclimate.eu, "HT Sensor PIR Lite device communication protocol", page "Keep-alive";
the example in github.com/actility/device-catalog, vendors/mclimate, begins with 51. Frame: `_mclimate.py`.
Byte map:  .. 01 PT TT HH BB NN, or 51 in place of 01
  P T H B  presence, temperature, humidity, battery: `pir_lite`
  N        movements since the last frame: no index, not kept
"""

from typing import Final

from decoders.native._mclimate import keep_alive, pir_lite
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-ht-pir-lite",
    vendor="MClimate",
    name="HT Sensor PIR Lite",
    quantities=("presence", "temperature", "humidity", "battery_voltage"),
    period_s=600,
    hints=(
        "ht pir lite",
        "ht sensor pir lite",
    ),
)

_SIZES: Final = {0x01: 6, 0x51: 6}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return pir_lite(keep_alive(payload, _SIZES))
