"""Watteco (nke Watteco) Flash'O: counts the flashes of a meter's light, water or electricity.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/flash'o: ClustersVariables.json and
examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End point 0 counts. Batch labels, 1 bit:
  0  index    uint32, resolution 1
  1  battery  uint16  0.001 V, resolution 100
What a flash is worth is a parameter of the device.
"""

from typing import Final

from decoders.native._watteco_batch import U16, U32, Series, decode_frame
from decoders.native._watteco_zcl import BINARY_COUNT, Channel
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="watteco-flasho",
    vendor="Watteco",
    name="Flash'O",
    quantities=("pulse_count", "battery_voltage"),
    period_s=3600,
    hints=("watteco flash o", "watteco flasho"),
)

_COUNT: Final = Channel("pulse_count")
_ROUTES: Final = {BINARY_COUNT: {0: _COUNT}}
_TAG_BITS: Final = 1
_SERIES: Final = {
    0: Series(U32, 1, _COUNT),
    1: Series(U16, 100, Channel("battery_voltage", 0, 0.001)),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES, _TAG_BITS, _SERIES)
