"""Dragino: the commands that all its end nodes share, on any port.

Source: Dragino, "End Device AT Commands and Downlink Command" (wiki.dragino.com), sections 4.1 and 4.2, stack
DR-LWS-005 on. Byte map, big-endian:
  01 SS SS SS   how often it sends (TDC), uint24 1 s
  04 FF         start again
"""

from collections.abc import Mapping
from typing import Final

from domain.commands import PERIOD, PERIOD_S, Command, Parameter

MODELS: Final = (
    "dragino-dds75-lb", "dragino-ldds75", "dragino-lgt92", "dragino-lht65", "dragino-lse01", "dragino-sw3l",
)  # fmt: skip
COMMANDS: Final = (
    Command(PERIOD, "model", (Parameter(PERIOD_S, "s", 60, 7 * 86_400),), sets_period=True),
    Command("restart", "model"),
)
_PORT: Final = 2


def encode(model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:  # noqa: ARG001 - all are alike
    """Return FPort and payload of a command."""
    return _PORT, b"\x04\xff" if name == "restart" else b"\x01" + values[PERIOD_S].to_bytes(3, "big")
