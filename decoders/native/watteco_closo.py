"""Watteco (nke Watteco) Clos'O: opening of a door or a window.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/clos'o: ClustersVariables.json and
examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End point 0 says that the case was opened, end point 1 that the door is open. No batches.
"""

from typing import Final

from decoders.native._watteco_batch import decode_frame
from decoders.native._watteco_zcl import BINARY_COUNT, BINARY_STATE, Channel
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="watteco-closo",
    vendor="Watteco",
    name="Clos'O",
    quantities=("open", "opening_count", "tamper", "battery_voltage"),
    hints=("watteco clos o", "watteco closo"),
)

_ROUTES: Final = {
    BINARY_STATE: {0: Channel("tamper"), 1: Channel("open")},
    BINARY_COUNT: {1: Channel("opening_count")},
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES)
