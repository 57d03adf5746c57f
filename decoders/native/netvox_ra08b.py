"""Netvox RA08B and R718UBD series: indoor air, by three reports.

Source and frame: `_netvox.py`; RA08Bxx(S) and R718UBD series user manuals, section 5.1. Values, from byte 4, kinds A0
(RA08B) and BB (R718UBD):
  report 1  temperature int16 0.01 degC, humidity uint16 0.01 %, CO2 uint16 1 ppm; somebody is there (RA08B), or it was
            knocked (R718UBD): 1
  report 2  pressure uint32 0.01 hPa, light uint24 1 lx
  report 3  PM2.5 and PM10 uint16 1 ug/m3, TVOC uint16 1 ppb
  reports 4 to 8  formaldehyde and other gases, alarms: not kept
All bits set: the device has no such sensor.
"""

from typing import Final

from decoders.native._netvox import BATTERY, HUMIDITY, TEMPERATURE, Form, Forms, Value, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_AIR: Final = ("temperature", "humidity", "co2", "pressure", "illuminance", "pm2_5", "pm10", "tvoc", *BATTERY)

MODELS: Final = (
    Model("netvox-r718ubd", "Netvox", "R718UBD", ("alarm", *_AIR), 900, ("r718ubd",)),
    Model("netvox-ra08b", "Netvox", "RA08B", ("presence", *_AIR), 900, ("ra08b",)),
)


def _forms(kind: int, event: str) -> dict[tuple[int, int], Form]:
    other: dict[tuple[int, int], Form] = {(kind, report): () for report in range(4, 9)}
    happened = flags(event)[0]._replace(at=10)
    return other | {
        (kind, 1): (TEMPERATURE, HUMIDITY, Value(8, 2, "co2"), happened),
        (kind, 2): (Value(4, 4, "pressure", 100), Value(8, 3, "illuminance")),
        (kind, 3): (Value(4, 2, "pm2_5"), Value(6, 2, "pm10"), Value(8, 2, "tvoc")),
    }


_FORMS: Final[Forms] = _forms(0xA0, "presence") | _forms(0xBB, "alarm")


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS, absent=True)
