"""Adeunis TIC, three-phase Linky in its historical mode.

Source and byte map: `_adeunis_tic.py`.
"""

from typing import Final

from decoders.native._adeunis_tic import FRAME_SIZE, decode_tic, number
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-tic-linky-tri",
    vendor="Adeunis",
    name="TIC Linky tri",
    quantities=(
        *("active_energy_import", "current", "apparent_power"),
        *("alarm", "digital_input", "pulse_count", "battery_low"),
    ),
    period_s=3600,
    hints=("adeunis tic tri", "tic cbe linky tri", "tic linky tri"),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_tic(payload, FRAME_SIZE, _data)


def _data(payload: bytes) -> list[Reading]:
    return [
        *number(payload, 14, "active_energy_import", 0, 1000),
        *number(payload, 18, "current", 1),
        *number(payload, 22, "current", 2),
        *number(payload, 26, "current", 3),
        *number(payload, 46, "apparent_power"),
    ]
