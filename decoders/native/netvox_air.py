"""Netvox R711 (R712), R718A, R718AB, R720A and others: temperature, humidity, pressure of the air, TVOC.

Source and frame: `_netvox.py`. Values, from byte 4:
  01 (R711), 0B (R718A), 13 (R718AB), 6E (R720A)  temperature int16 0.01 degC, humidity uint16 0.01 %
  9C (R718AD), 9D (R720D), BC (R711A)             temperature int16 0.01 degC
  70 (R720C)  pressure uint32 0.01 hPa, temperature int16 0.01 degC
  A5 (R720E)  TVOC uint16, temperature int16 0.01 degC, humidity uint16 0.01 %, unit of the TVOC: 00 ppb, else an
              index, not kept
"""

from typing import Final

from decoders.native._netvox import BATTERY, HUMIDITY, TEMPERATURE, Value, by_kind, decode_report
from decoders.registry import Model
from domain.readings import Reading

_AIR: Final = ("temperature", "humidity", *BATTERY)
_WARMTH: Final = ("temperature", *BATTERY)

MODELS: Final = (
    Model("netvox-r711", "Netvox", "R711", _AIR, 3600, ("r711", "r712")),
    Model("netvox-r711a", "Netvox", "R711A", _WARMTH, 3600, ("r711a",)),
    Model("netvox-r718a", "Netvox", "R718A", _AIR, 900, ("r718a",)),
    Model("netvox-r718ab", "Netvox", "R718AB", _AIR, 900, ("r718ab",)),
    Model("netvox-r718ad", "Netvox", "R718AD", _WARMTH, 900, ("r718ad",)),
    Model("netvox-r720a", "Netvox", "R720A", _AIR, 900, ("r720a",)),
    Model("netvox-r720c", "Netvox", "R720C", ("pressure", *_WARMTH), 900, ("r720c",)),
    Model("netvox-r720d", "Netvox", "R720D", _WARMTH, 900, ("r720d",)),
    Model("netvox-r720e", "Netvox", "R720E", ("tvoc", *_AIR), 900, ("r720e",)),
)

_TVOC: Final = "tvoc"
_FORMS: Final = by_kind(
    {
        **dict.fromkeys((0x01, 0x0B, 0x13, 0x6E), (TEMPERATURE, HUMIDITY)),
        **dict.fromkeys((0x9C, 0x9D, 0xBC), (TEMPERATURE,)),
        0x70: (Value(4, 4, "pressure", 100), TEMPERATURE._replace(at=8)),
        0xA5: (Value(4, 2, _TVOC), TEMPERATURE._replace(at=6), HUMIDITY._replace(at=8)),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings = decode_report(payload, f_port, _FORMS)
    if readings and payload[1] == 0xA5 and payload[10]:
        return [reading for reading in readings if reading.quantity != _TVOC]
    return readings
