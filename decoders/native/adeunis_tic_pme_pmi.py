"""Adeunis TIC, PME-PMI meters.

Source and byte map: `_adeunis_tic.py`.
"""

from typing import Final

from decoders.native._adeunis_tic import Number, decode_tic, numbers, text
from decoders.native._tic import PME_PMI_TARIFFS
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-tic-pme-pmi",
    vendor="Adeunis",
    name="TIC PME-PMI",
    quantities=(
        *("active_energy_import", "reactive_energy_import", "reactive_energy_export", "tariff_period"),
        *("alarm", "digital_input", "pulse_count", "battery_low"),
    ),
    period_s=3600,
    hints=("adeunis tic pme", "tic pme pmi"),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_tic(payload, 51, _data)


def _data(payload: bytes) -> list[Reading]:
    tariff = PME_PMI_TARIFFS.get(text(payload, 24, 27), 0)
    wanted = (
        Number(27, "active_energy_import", tariff),
        Number(31, "reactive_energy_import", tariff),
        Number(35, "reactive_energy_export", tariff),
    )
    readings = numbers(payload, wanted)
    return [*readings, Reading("tariff_period", tariff)] if tariff else readings
