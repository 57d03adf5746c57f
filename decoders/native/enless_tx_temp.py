"""Enless TX TEMP: 600-031, 600-032, 600-033, 600-232, 600-233.

Source and frame: `_enless.py`. Values by kind of device:
  07 600-031, 0F 600-032, 10 600-033  temperature, two bytes of nothing
  0C 600-232, 11 600-233              two temperatures: channels 0 and 1
  temperature int16 0.1 degC
"""

from struct import Struct
from typing import Final

from decoders.native._enless import STATES, TEMPERATURE, Kind, Value, decode_tx
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", *STATES)

MODELS: Final = (
    Model("enless-600-031", "Enless", "TX TEMP INS 600-031", _QUANTITIES, None, ("600 031",)),
    Model("enless-600-032", "Enless", "TX TEMP CONT1 600-032", _QUANTITIES, None, ("600 032",)),
    Model("enless-600-033", "Enless", "TX TEMP CONT1 MP 600-033", _QUANTITIES, None, ("600 033",)),
    Model("enless-600-232", "Enless", "TX TEMP CONT2 600-232", _QUANTITIES, None, ("600 232",)),
    Model("enless-600-233", "Enless", "TX TEMP CONT2 MP 600-233", _QUANTITIES, None, ("600 233",)),
)

_ONE: Final = Kind(Struct(">h2x"), (TEMPERATURE,))
_TWO: Final = Kind(Struct(">hh"), (TEMPERATURE, Value("temperature", 10, channel=1)))
_KINDS: Final = {0x07: _ONE, 0x0F: _ONE, 0x10: _ONE, 0x0C: _TWO, 0x11: _TWO}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings, _ = decode_tx(payload, _KINDS)
    return readings
