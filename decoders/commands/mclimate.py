"""MClimate: one byte of code, then its values, on port 1.

Source: docs.mclimate.eu, "LoRaWAN device communication protocol" of these models, pages "Keep-alive" and "Appendix
(examples)" (02 04 sets four minutes). Byte map:
  02 MM   how often it sends (keep-alive), uint8 1 min
"""

from collections.abc import Mapping
from typing import Final

from domain.commands import PERIOD, PERIOD_S, Command, Parameter

MODELS: Final = (
    "mclimate-16ads", "mclimate-16aspm", "mclimate-aqi", "mclimate-co2", "mclimate-co2-display",
    "mclimate-co2-display-lite", "mclimate-co2-pir-lite", "mclimate-fan-coil-thermostat", "mclimate-flood",
    "mclimate-ht", "mclimate-ht-pir-lite", "mclimate-open-close", "mclimate-pir-mini", "mclimate-t-valve",
    "mclimate-vicki", "mclimate-wireless-thermostat",
)  # fmt: skip
COMMANDS: Final = (Command(PERIOD, "model", (Parameter(PERIOD_S, "s", 60, 255 * 60, 60),), sets_period=True),)
_PORT: Final = 1


def encode(model_id: str, name: str, values: Mapping[str, int]) -> tuple[int, bytes]:  # noqa: ARG001 - one command
    """Return FPort and payload of a command."""
    return _PORT, bytes((0x02, values[PERIOD_S] // 60))
