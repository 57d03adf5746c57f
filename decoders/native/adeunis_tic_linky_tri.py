"""Adeunis TIC, three-phase Linky in its historical mode.

Source and byte map: `_adeunis_tic.py`.
"""

from functools import partial
from typing import Final

from decoders.native._adeunis_tic import FRAME_SIZE, Number, decode_tic, numbers
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


_NUMBERS: Final = (
    Number(14, "active_energy_import", 0, 1000),
    Number(18, "current", 1),
    Number(22, "current", 2),
    Number(26, "current", 3),
    Number(46, "apparent_power"),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_tic(payload, FRAME_SIZE, partial(numbers, wanted=_NUMBERS))
