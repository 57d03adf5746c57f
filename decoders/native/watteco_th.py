"""Watteco (nke Watteco) TH, HygroTemp'O, Temp'O: indoor temperature, and humidity in the first two.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/{th,hygrotemp'o,temp'o}:
ClustersVariables.json and examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End point 0 measures; its binary input says that the case was opened. Batch labels, 2 bits:
  0  temperature  int16   0.01 degC, resolution 10
  1  humidity     uint16  0.01 %, resolution 100
  2  battery      uint16  0.001 V, resolution 1
  3  case opened  1 bit
"""

from typing import Final

from decoders.native._watteco_batch import I16, U1, U16, Series, decode_frame
from decoders.native._watteco_zcl import BINARY_STATE, HUMIDITY, TEMPERATURE, Channel
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", "humidity", "battery_voltage", "tamper")

MODELS: Final = (
    Model("watteco-th", "Watteco", "TH", _QUANTITIES, 3600, ("watteco th",)),
    Model("watteco-hygrotempo", "Watteco", "HygroTemp'O", _QUANTITIES, 3600, ("hygrotemp o", "hygrotempo")),
    Model("watteco-tempo", "Watteco", "Temp'O", _QUANTITIES, 3600, ("watteco temp o", "watteco tempo")),
)

_TEMPERATURE: Final = Channel("temperature", 0, 0.01)
_HUMIDITY: Final = Channel("humidity", 0, 0.01)
_TAMPER: Final = Channel("tamper")
_ROUTES: Final = {TEMPERATURE: {0: _TEMPERATURE}, HUMIDITY: {0: _HUMIDITY}, BINARY_STATE: {0: _TAMPER}}
_TAG_BITS: Final = 2
_SERIES: Final = {
    0: Series(I16, 10, _TEMPERATURE),
    1: Series(U16, 100, _HUMIDITY),
    2: Series(U16, 1, Channel("battery_voltage", 0, 0.001)),
    3: Series(U1, 1, _TAMPER),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES, _TAG_BITS, _SERIES)
