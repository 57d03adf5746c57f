"""What decoding needs to know of one device, beyond its model: the weight of a pulse, a constant of its probe. Pure.

A pulse counter counts; what a pulse is worth depends on the meter it is wired to. With `pulse_weight` and `pulse_unit`
each `pulse_count` also becomes an index in that unit: weight x pulses + `pulse_offset`, the meter's index when the
counter stood at zero, in the same unit. `pulse_quantity` says of what, where the unit leaves it open (gas, heat).
A name that ends in `_N` is of channel N alone, and wins there.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from domain.quantities import QUANTITIES
from domain.readings import Reading

Parameters = Mapping[str, str]

WEIGHT, UNIT, OFFSET, QUANTITY = "pulse_weight", "pulse_unit", "pulse_offset", "pulse_quantity"
PULSE_PARAMETERS: Final = (WEIGHT, UNIT, OFFSET, QUANTITY)
PERIOD: Final = "period_s"  # seconds between two uplinks, where a device is not set up as its model is
MAX_PERIOD_S: Final = 31 * 86_400

# Unit of a meter -> UCUM unit of the quantity, factor, and the quantity when none is said.
UNITS: Final[Mapping[str, tuple[str, float, str]]] = {
    "m3": ("m3", 1, "water_volume"),
    "L": ("m3", 0.001, "water_volume"),
    "kWh": ("kW.h", 1, "active_energy_import"),
    "Wh": ("kW.h", 0.001, "active_energy_import"),
    "MWh": ("kW.h", 1000, "active_energy_import"),
    "mm": ("mm", 1, "rain"),
}

MAX_PARAMETERS: Final = 50
MAX_LENGTH: Final = 200


class Pulse(NamedTuple):
    """What a pulse of one channel is worth; `factor` is that of its unit."""

    quantity: str
    weight: float
    offset: float
    factor: float


def number(text: str) -> float:
    """Return a number written with a decimal point or comma. Raises ValueError."""
    found = float(text.strip().replace(",", "."))
    if not math.isfinite(found):
        raise ValueError(f"{text!r} is not finite")
    return found


def counted(readings: Sequence[Reading], parameters: Parameters) -> Sequence[Reading]:
    """Return the readings, with an index beside each pulse count whose weight is known. Raises ValueError."""
    if not any(name.startswith(WEIGHT) for name in parameters):
        return readings
    told = tuple(sorted(parameters.items()))
    there = {(one.quantity, one.channel) for one in readings}
    indexes = [
        Reading(pulse.quantity, (value * pulse.weight + pulse.offset) * pulse.factor, channel, age_s, measured_at)
        for name, value, channel, age_s, measured_at in readings
        if name == "pulse_count"
        and (pulse := _pulse(told, channel)) is not None
        and (pulse.quantity, channel) not in there  # what the device says itself is better
    ]
    return [*readings, *indexes]


@lru_cache(maxsize=4096)
def _pulse(told: tuple[tuple[str, str], ...], channel: int) -> Pulse | None:
    """Return what a pulse of a channel is worth, None when that is not said. Raises ValueError."""
    parameters = dict(told)
    weight, unit, offset, quantity = (
        parameters.get(f"{name}_{channel}", parameters.get(name)) for name in PULSE_PARAMETERS
    )
    if weight is None:
        return None
    if unit is None or unit not in UNITS:
        raise ValueError(f"{UNIT} {unit or 'is missing'}: one of {', '.join(UNITS)}")
    ucum, factor, usual = UNITS[unit]
    known = QUANTITIES.get(quantity or usual)
    if known is None or known.unit != ucum or known.kind != "counter":
        raise ValueError(f"{QUANTITY} {quantity}: no counter in {ucum}")
    return Pulse(known.name, number(weight), number(offset or "0"), factor)


def problems_of(parameters: Parameters, constants: Iterable[str]) -> list[str]:
    """Say what is wrong with parameters. `constants` are the names that the device's decoder knows, all numbers."""
    problems = []
    longest = max((len(name) + len(value) for name, value in parameters.items()), default=0)
    if len(parameters) > MAX_PARAMETERS or longest > MAX_LENGTH:
        problems.append(f"more than {MAX_PARAMETERS} parameters, or one of more than {MAX_LENGTH} characters")
    for name in parameters.keys() & set(constants):
        try:
            number(parameters[name])
        except ValueError:
            problems.append(f"{name} {parameters[name]!r} is not a number")
    period = parameters.get(PERIOD, "1")
    if not (period.isascii() and period.isdigit() and 0 < int(period) <= MAX_PERIOD_S):
        problems.append(f"{PERIOD} {period!r} is not a whole number of seconds, 31 days at most")
    told = tuple(sorted(parameters.items()))
    channels = {name.rpartition("_")[2] for name in parameters if name.startswith(f"{WEIGHT}_")}
    for channel in sorted(channels) if channels else ["0"]:
        try:
            _pulse(told, int(channel))
        except ValueError as error:
            problems.append(str(error))
    return problems


def unused(parameters: Parameters, constants: Iterable[str]) -> list[str]:
    """Return the names that no decoder of ours reads: a JavaScript codec finds them as `input.variables`."""
    return sorted(name for name in parameters.keys() - {*constants, PERIOD} if not name.startswith(PULSE_PARAMETERS))
