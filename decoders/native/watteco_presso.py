"""Watteco (nke Watteco) Press'O and Lev'O: one 4-20 mA and one 0-10 V input, and a pulse input.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/{press'o,lev'o}: ClustersVariables.json and
examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End point 0 is the current, end point 1 the voltage. Batch labels, 3 bits:
  0  current         float32 1 mA, resolution 0.004
  1  voltage         float32 1 V, resolution 1
  2  battery         uint16  0.001 V, resolution 100
  3  external supply uint16  0.001 V, resolution 100, not kept
  4  index           uint32, resolution 1
What a milliampere is worth (bar, metre) is set on the point, not here.
"""

from typing import Final

from decoders.native._watteco_batch import F32, U16, U32, Series, decode_frame
from decoders.native._watteco_zcl import ANALOG, BINARY_COUNT, BINARY_STATE, Channel
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("analog_current", "analog_voltage", "pulse_count", "digital_input", "battery_voltage")

MODELS: Final = (
    Model("watteco-presso", "Watteco", "Press'O", _QUANTITIES, 3600, ("watteco press o", "watteco presso")),
    Model("watteco-levo", "Watteco", "Lev'O", _QUANTITIES, 3600, ("watteco lev o", "watteco levo")),
)

_CURRENT: Final = Channel("analog_current")
_VOLTAGE: Final = Channel("analog_voltage")
_COUNT: Final = Channel("pulse_count")
_ROUTES: Final = {
    ANALOG: {0: _CURRENT, 1: _VOLTAGE},
    BINARY_COUNT: {0: _COUNT},
    BINARY_STATE: {0: Channel("digital_input")},
}
_TAG_BITS: Final = 3
_SERIES: Final = {
    0: Series(F32, 0.004, _CURRENT),
    1: Series(F32, 1, _VOLTAGE),
    2: Series(U16, 100, Channel("battery_voltage", 0, 0.001)),
    3: Series(U16, 100, None),
    4: Series(U32, 1, _COUNT),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES, _TAG_BITS, _SERIES)
