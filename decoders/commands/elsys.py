"""Elsys: settings behind 3E and their length, on the port after that of the uplinks: 6 as delivered.

Source: Elsys, "Sensor downlink payload", v2.1. Byte map, big-endian:
  3E LL            LL bytes of settings follow, of which each is a type and its value:
  14 SS SS SS SS   the basic period (SplPer), uint32 1 s; it is in force after a restart
  1F NN NN NN NN   it sends every NN basic periods (SendPer), uint32
  FE               start again
"""

from collections.abc import Mapping
from typing import Final

from domain.commands import PERIOD, PERIOD_S, Command, Parameter

MODELS: Final = (
    "elsys-ers", "elsys-ers-co2", "elsys-ers-sound", "elsys-ers-eye", "elsys-ers-desk", "elsys-elt", "elsys-ems",
    "elsys-esm5k",
)  # fmt: skip
COMMANDS: Final = (
    Command(PERIOD, "model", (Parameter(PERIOD_S, "s", 60, 7 * 86_400),), sets_period=True),
    Command("restart", "model"),
)
_PORT: Final = 6


def encode(model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:  # noqa: ARG001 - all are alike
    """Return FPort and payload of a command."""
    if name == "restart":
        return _PORT, b"\x3e\x01\xfe"
    settings = b"\x14" + values[PERIOD_S].to_bytes(4, "big") + b"\x1f" + (1).to_bytes(4, "big") + b"\xfe"
    return _PORT, bytes((0x3E, len(settings))) + settings
