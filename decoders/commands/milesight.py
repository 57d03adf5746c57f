"""Milesight: settings that are channels FF and types, as in their uplinks, on port 85.

Source: Milesight, user guides of these models, sections "Downlink commands"; encoders and READMEs of
github.com/Milesight-IoT/SensorDecoders (2025). Byte map, little-endian:
  FF 03 SS SS        how often it sends, uint16 1 s
  FF 8E 00 MM MM     the same of the CT10x, uint16 1 min
  FF 10 FF           start again
"""

from collections.abc import Mapping
from typing import Final

from domain.commands import PERIOD, PERIOD_S, Command, Parameter

_BY_MINUTES: Final = ("milesight-ct101", "milesight-ct103")
MODELS: Final = (
    "milesight-am103", "milesight-am307", "milesight-am308", "milesight-am319-hcho", *_BY_MINUTES,
    "milesight-em300-th", "milesight-em300-mcs", "milesight-em300-sld", "milesight-em300-zld", "milesight-em300-di",
    "milesight-em310-udl", "milesight-em500-co2", "milesight-em500-pp", "milesight-em500-swl", "milesight-em500-udl",
    "milesight-ws301", "milesight-ws523", "milesight-ws525",
)  # fmt: skip
COMMANDS: Final = (
    Command(PERIOD, "model", (Parameter(PERIOD_S, "s", 60, 64_800, 60),), sets_period=True),
    Command("restart", "model"),
)
_PORT: Final = 85


def encode(model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:
    """Return FPort and payload of a command."""
    if name == "restart":
        return _PORT, b"\xff\x10\xff"
    period_s = values[PERIOD_S]
    if model_id in _BY_MINUTES:
        return _PORT, b"\xff\x8e\x00" + (period_s // 60).to_bytes(2, "little")
    return _PORT, b"\xff\x03" + period_s.to_bytes(2, "little")
