"""Watteco (nke Watteco) Atm'O: outdoor temperature, humidity, pressure, and two pulse inputs (rain, wind).

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/atm'o: ClustersVariables.json and
examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End points: 0 the air, 0-1 the inputs. Batch labels, 3 bits:
  0    temperature    int16   0.01 degC, resolution 1
  1    humidity       uint16  0.01 %, resolution 1
  2    pressure       int16   1 hPa, resolution 1
  3-4  index of inputs 1-2   uint32, resolution 1
  5    battery        uint16  0.001 V, resolution 1
"""

from typing import Final

from decoders.native._watteco_batch import I16, U16, U32, Series, decode_frame
from decoders.native._watteco_zcl import BINARY_COUNT, BINARY_STATE, HUMIDITY, PRESSURE, TEMPERATURE, Channel
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="watteco-atmo",
    vendor="Watteco",
    name="Atm'O",
    quantities=("temperature", "humidity", "pressure", "pulse_count", "digital_input", "battery_voltage"),
    period_s=3600,
    hints=("watteco atm o", "watteco atmo"),
)

_TEMPERATURE: Final = Channel("temperature", 0, 0.01)
_HUMIDITY: Final = Channel("humidity", 0, 0.01)
_PRESSURE: Final = Channel("pressure")
_COUNTS: Final = {number: Channel("pulse_count", number + 1) for number in range(2)}
_ROUTES: Final = {
    TEMPERATURE: {0: _TEMPERATURE},
    HUMIDITY: {0: _HUMIDITY},
    PRESSURE: {0: _PRESSURE},
    BINARY_COUNT: _COUNTS,
    BINARY_STATE: {number: Channel("digital_input", number + 1) for number in range(2)},
}
_TAG_BITS: Final = 3
_SERIES: Final = {
    0: Series(I16, 1, _TEMPERATURE),
    1: Series(U16, 1, _HUMIDITY),
    2: Series(I16, 1, _PRESSURE),
    3: Series(U32, 1, _COUNTS[0]),
    4: Series(U32, 1, _COUNTS[1]),
    5: Series(U16, 1, Channel("battery_voltage", 0, 0.001)),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES, _TAG_BITS, _SERIES)
