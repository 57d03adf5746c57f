"""Elvaco CMi41xx: type, length, value behind a zero, on port 2.

Source: Diehl, CMi4160 LoRaWAN module, user manual, 02/2021, table 14; Elvaco, CMi4110 user manual V1.3, 2018-06,
table 13. Byte map, little-endian:
  00 06 02 MM MM   how often it sends, uint16 1 min; while EcoMode is off
"""

from collections.abc import Mapping
from typing import Final

from domain.commands import PERIOD, PERIOD_S, Command, Parameter

MODELS: Final = (
    "elvaco-cmi4110", "elvaco-cmi4111", "elvaco-cmi4130", "elvaco-cmi4140", "elvaco-cmi4160", "elvaco-cmi4170",
)  # fmt: skip
COMMANDS: Final = (Command(PERIOD, "model", (Parameter(PERIOD_S, "s", 300, 86_400, 60),), sets_period=True),)
_PORT: Final = 2


def encode(model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:  # noqa: ARG001 - one command
    """Return FPort and payload of a command."""
    return _PORT, b"\x00\x06\x02" + (values[PERIOD_S] // 60).to_bytes(2, "little")
