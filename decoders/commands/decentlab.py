"""Decentlab: a command, its value and their CRC, on the port of the uplinks: 1 as delivered.

Source: Decentlab, "Downlink Command Encoder" (github.com/decentlab/decentlab-decoders, firmware 0.2.7 on). Byte map,
big-endian:
  CC CC VV VV RR RR
  C   command   0002 sampling period, 1 s, kept; it sends after each sampling, unless it was told otherwise
  V   value     uint16
  R   CRC       CRC-16/MODBUS of the four bytes before it
"""

from collections.abc import Mapping
from typing import Final

from domain.commands import PERIOD, PERIOD_S, Command, Parameter

_SERIES: Final = (
    "5tm", "atm22", "atm41", "blg", "ctd10", "ctd10b", "cws", "cws2", "ds18", "iam", "itst", "lid", "lp8p", "mbx",
    "ntu", "optod", "pheht", "pm", "pr21", "pr26", "pr36", "pr36ctd", "pyr", "sht21", "sht35", "tbrg", "trs11", "trs12",
    "trs21", "wrm",
)  # fmt: skip
MODELS: Final = tuple(f"decentlab-dl-{one}" for one in _SERIES)
COMMANDS: Final = (Command(PERIOD, "model", (Parameter(PERIOD_S, "s", 60, 65_535),), sets_period=True),)
_PORT: Final = 1
_POLYNOMIAL: Final = 0xA001


def encode(model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:  # noqa: ARG001 - one command
    """Return FPort and payload of a command."""
    said = b"\x00\x02" + values[PERIOD_S].to_bytes(2, "big")
    return _PORT, said + _crc(said).to_bytes(2, "big")


def _crc(said: bytes) -> int:
    found = 0xFFFF
    for one in said:
        found ^= one
        for _ in range(8):
            found = found >> 1 ^ (_POLYNOMIAL if found & 1 else 0)
    return found
