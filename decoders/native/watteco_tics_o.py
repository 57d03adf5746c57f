"""Watteco (nke Watteco) TIC'S O: the customer output (TIC) of French electricity meters.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), devices/tics'o/examples.json; what the labels
mean: Enedis-NOI-CPT_54E v3 (Linky) and Enedis-NOI-CPT_02E (others). Frames: `_watteco_zcl.py`, `_watteco_tic.py`.
Clusters, attributes xx00:  0054 historical mode, 0056 standard mode, 0057 PME-PMI
Channels:
  active_energy_import   0 the total (BASE, EAST); historical 1 HC, HN, blue HC; 2 HP, PM, blue HP; 3-4 white
                         HC, HP; 5-6 red HC, HP; standard 1-10 the supplier's indexes, 101-104 the grid's;
                         PME-PMI the number of the running tariff among `PME_PMI_TARIFFS`, 0 when not said
  reactive energy        the quadrant: 1 and 2 imported, 3 and 4 exported; PME-PMI as active_energy_import
  voltage, current, apparent power: the phase, 0 the whole
  tariff_period          the channel of active_energy_import that is counting
Powers of the past (CCASN, SMAXSN) go to the time that the meter gives them. Clusters 0053 (ICE) and 0055 (CJE),
of meters that Enedis has replaced, are refused.
"""

from collections.abc import Mapping
from typing import Final

from decoders.native._tic import HISTORICAL_TARIFFS, PME_PMI_TARIFFS
from decoders.native._watteco_batch import decode_frame
from decoders.native._watteco_tic import HISTORICAL, PME_PMI, STANDARD, Field, Profile, read_fields
from decoders.native._watteco_zcl import PORT, parse_report, read_value
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="watteco-tics-o",
    vendor="Watteco",
    name="TIC'S O",
    quantities=(
        *("active_energy_import", "active_energy_export", "reactive_energy_import", "reactive_energy_export"),
        *("active_power", "apparent_power", "apparent_power_max", "voltage", "current", "tariff_period"),
        "battery_voltage",
    ),
    period_s=3600,
    hints=("watteco tic", "tics o", "tic s o", "ticso"),
)

_Route = tuple[str, int, float]  # quantity, channel, divisor

_HISTORICAL_ROUTES: Final[Mapping[str, _Route]] = {
    "BASE": ("active_energy_import", 0, 1000),
    "HCHC": ("active_energy_import", 1, 1000),
    "HCHP": ("active_energy_import", 2, 1000),
    "EJPHN": ("active_energy_import", 1, 1000),
    "EJPHPM": ("active_energy_import", 2, 1000),
    "BBRHCJB": ("active_energy_import", 1, 1000),
    "BBRHPJB": ("active_energy_import", 2, 1000),
    "BBRHCJW": ("active_energy_import", 3, 1000),
    "BBRHPJW": ("active_energy_import", 4, 1000),
    "BBRHCJR": ("active_energy_import", 5, 1000),
    "BBRHPJR": ("active_energy_import", 6, 1000),
    "IINST": ("current", 0, 1),
    "IINST1": ("current", 1, 1),
    "IINST2": ("current", 2, 1),
    "IINST3": ("current", 3, 1),
    "PAPP": ("apparent_power", 0, 1),
}
_STANDARD_ROUTES: Final[Mapping[str, _Route]] = {
    "EAST": ("active_energy_import", 0, 1000),
    **{f"EASF{number:02}": ("active_energy_import", number, 1000) for number in range(1, 11)},
    **{f"EASD{number:02}": ("active_energy_import", 100 + number, 1000) for number in range(1, 5)},
    "EAIT": ("active_energy_export", 0, 1000),
    **{f"ERQ{number}": ("reactive_energy_import", number, 1000) for number in (1, 2)},
    **{f"ERQ{number}": ("reactive_energy_export", number, 1000) for number in (3, 4)},
    **{f"IRMS{number}": ("current", number, 1) for number in (1, 2, 3)},
    **{f"URMS{number}": ("voltage", number, 1) for number in (1, 2, 3)},
    "SINSTS": ("apparent_power", 0, 1),
    **{f"SINSTS{number}": ("apparent_power", number, 1) for number in (1, 2, 3)},
    "SMAXSN": ("apparent_power_max", 0, 1),
    **{f"SMAXSN{number}": ("apparent_power_max", number, 1) for number in (1, 2, 3)},
    "CCASN": ("active_power", 0, 1),
    "CCASN-1": ("active_power", 0, 1),
    "NTARF": ("tariff_period", 0, 1),
}
_PME_PMI_ROUTES: Final[Mapping[str, _Route]] = {"PA1_s": ("active_power", 0, 0.001)}
_PME_PMI_INDEXES: Final = {
    "EAP_s": "active_energy_import",
    "EAP_i": "active_energy_export",
    "ER+P_s": "reactive_energy_import",
    "ER-P_s": "reactive_energy_export",
}
_PROFILES: Final[Mapping[int, tuple[Profile, Mapping[str, _Route]]]] = {
    0x0054: (HISTORICAL, _HISTORICAL_ROUTES),
    0x0056: (STANDARD, _STANDARD_ROUTES),
    0x0057: (PME_PMI, _PME_PMI_ROUTES),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    report = parse_report(payload) if f_port == PORT else None
    if report is None or not 0x0053 <= report.cluster <= 0x0057:
        return decode_frame(payload, f_port, {})
    if report.cluster not in _PROFILES or report.attribute & 0xFF:
        raise DecodeError(f"TIC cluster {report.cluster:#06x}, attribute {report.attribute:#06x}")
    raw = read_value(payload, report.at)
    if not isinstance(raw, bytes):
        raise DecodeError("TIC: not a string of bytes")
    profile, routes = _PROFILES[report.cluster]
    fields = read_fields(raw, profile)
    readings = [reading for label in fields if label in routes for reading in _reading(fields[label], routes[label])]
    return readings + _tariff(fields)


def _reading(field: Field, route: _Route) -> list[Reading]:
    quantity, channel, divisor = route
    if isinstance(field, tuple):
        moment, value = field
        return [Reading(quantity, value / divisor, channel, measured_at=moment)]
    return [Reading(quantity, field / divisor, channel)] if isinstance(field, int | float) else []


def _tariff(fields: Mapping[str, Field]) -> list[Reading]:
    """Return the readings that depend on which tariff runs."""
    historical = fields.get("PTEC")
    if isinstance(historical, str) and historical.rstrip(".") in HISTORICAL_TARIFFS:
        return [Reading("tariff_period", HISTORICAL_TARIFFS[historical.rstrip(".")])]
    running = fields.get("PTCOUR1")
    channel = PME_PMI_TARIFFS.get(running.strip(), 0) if isinstance(running, str) else 0
    readings = [Reading("tariff_period", channel)] if channel else []
    for label, quantity in _PME_PMI_INDEXES.items():
        index = fields.get(label)
        if isinstance(index, int | float):
            readings.append(Reading(quantity, index, channel))
    return readings
