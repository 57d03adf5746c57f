"""Watteco (nke Watteco) Pulse Sens'O: three pulse inputs, and its ATEX sister.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/pulse_sens'o: ClustersVariables.json
and examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End points 0-2 are inputs 1-3. Batch labels, 4 bits:
  0-2  index of inputs 1-3   uint32, resolution 1
  3-5  state of inputs 1-3   1 bit
  6    battery               uint16  0.001 V, resolution 100
  7    states of all inputs  uint16, not kept: 3-5 say the same
What a pulse is worth (litres, watt-hours) is set on the point, not here.
"""

from typing import Final

from decoders.native._watteco_batch import U1, U16, U32, Series, decode_frame
from decoders.native._watteco_zcl import BINARY_COUNT, BINARY_STATE, MULTI_BINARY, Channel
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("pulse_count", "digital_input", "battery_voltage")

MODELS: Final = (
    Model("watteco-pulse-senso", "Watteco", "Pulse Sens'O", _QUANTITIES, 3600, ("pulse senso", "pulse sens o")),
    Model("watteco-pulse-senso-atex", "Watteco", "Pulse Sens'O ATEX", _QUANTITIES, 3600, ("pulse sens o atex",)),
)

_COUNTS: Final = {number: Channel("pulse_count", number + 1) for number in range(3)}
_STATES: Final = {number: Channel("digital_input", number + 1) for number in range(3)}
_ROUTES: Final = {BINARY_COUNT: _COUNTS, BINARY_STATE: _STATES, MULTI_BINARY: _STATES}
_SERIES: Final = {
    **{number: Series(U32, 1, channel) for number, channel in _COUNTS.items()},
    **{number + 3: Series(U1, 1, channel) for number, channel in _STATES.items()},
    6: Series(U16, 100, Channel("battery_voltage", 0, 0.001)),
    7: Series(U16, 1, None),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES, 4, _SERIES)
