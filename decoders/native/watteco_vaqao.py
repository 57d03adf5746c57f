"""Watteco (nke Watteco) Vaqa'O Lite and Vaqa'O+ Lite: indoor air, CO2 and occupancy.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/vaqa'o_lite: ClustersVariables.json and
examples.json. Frames: `_watteco_zcl.py`, `_watteco_batch.py`.
End points: 0 the air, of concentrations 0 the air quality index and 1 CO2. Batch labels, 3 bits:
  0  occupancy    uint8, resolution 1
  1  temperature  int16   0.01 degC, resolution 10
  2  humidity     uint16  0.01 %, resolution 100
  3  CO2          uint16  1 ppm, resolution 10
  4  air quality  uint16  index, resolution 10
  5  illuminance  uint16  1 lx, resolution 10
  6  pressure     uint16  0.1 hPa, resolution 10
"""

from typing import Final

from decoders.native._watteco_batch import I16, U8, U16, Series, decode_frame
from decoders.native._watteco_zcl import (
    BINARY_STATE,
    CONCENTRATION,
    HUMIDITY,
    ILLUMINANCE,
    OCCUPANCY,
    PRESSURE,
    TEMPERATURE,
    Channel,
)
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="watteco-vaqao-lite",
    vendor="Watteco",
    name="Vaqa'O Lite",
    quantities=(
        *("temperature", "humidity", "co2", "iaq_index", "illuminance", "pressure", "presence", "tamper"),
        "battery_voltage",
    ),
    period_s=600,
    hints=("vaqa o", "vaqao"),
)

_TEMPERATURE: Final = Channel("temperature", 0, 0.01)
_HUMIDITY: Final = Channel("humidity", 0, 0.01)
_CO2: Final = Channel("co2")
_AIR_QUALITY: Final = Channel("iaq_index")
_ILLUMINANCE: Final = Channel("illuminance")
_PRESENCE: Final = Channel("presence")
_ROUTES: Final = {
    TEMPERATURE: {0: _TEMPERATURE, 1: Channel("temperature", 1, 0.01)},
    HUMIDITY: {0: _HUMIDITY, 1: Channel("humidity", 1, 0.01)},
    CONCENTRATION: {0: _AIR_QUALITY, 1: _CO2},
    ILLUMINANCE: {0: _ILLUMINANCE},
    PRESSURE: {0: Channel("pressure")},
    OCCUPANCY: {0: _PRESENCE},
    BINARY_STATE: {0: Channel("tamper")},
}
_TAG_BITS: Final = 3
_SERIES: Final = {
    0: Series(U8, 1, _PRESENCE),
    1: Series(I16, 10, _TEMPERATURE),
    2: Series(U16, 100, _HUMIDITY),
    3: Series(U16, 10, _CO2),
    4: Series(U16, 10, _AIR_QUALITY),
    5: Series(U16, 10, _ILLUMINANCE),
    6: Series(U16, 10, Channel("pressure", 0, 0.1)),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_frame(payload, f_port, _ROUTES, _TAG_BITS, _SERIES)
