"""Adeunis TIC, single-phase Linky in its historical mode.

Source and byte map: `_adeunis_tic.py`.
"""

from typing import Final

from decoders.native._adeunis_tic import FRAME_SIZE, Number, decode_tic, numbers, text
from decoders.native._tic import HISTORICAL_TARIFFS
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-tic-linky-mono",
    vendor="Adeunis",
    name="TIC Linky mono",
    quantities=(
        *("active_energy_import", "current", "apparent_power", "tariff_period"),
        *("alarm", "digital_input", "pulse_count", "battery_low"),
    ),
    period_s=3600,
    hints=("adeunis tic mono", "tic cbe linky mono", "tic linky mono"),
)


_NUMBERS: Final = (
    Number(18, "active_energy_import", 0, 1000),
    Number(26, "current"),
    Number(34, "apparent_power"),
    Number(38, "active_energy_import", 1, 1000),
    Number(42, "active_energy_import", 2, 1000),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_tic(payload, FRAME_SIZE, _data)


def _data(payload: bytes) -> list[Reading]:
    tariff = HISTORICAL_TARIFFS.get(text(payload, 46, 50))
    readings = numbers(payload, _NUMBERS)
    return readings if tariff is None else [*readings, Reading("tariff_period", tariff)]
