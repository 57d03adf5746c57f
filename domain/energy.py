"""What an energy manager computes: degree days, correction for the weather, base load, the tertiary decree. Pure.

Sources:
- degree days: 18 degC less the mean of the day's least and greatest temperature, never below zero ("méthode météo" of
  the French DJU);
- tertiary decree: Code de la construction et de l'habitation, L174-1 and R174-22 to R174-32 (décret n° 2019-771): final
  energy 40, 50 and 60 % below a reference year (2010 to 2022) by 2030, 2040 and 2050, for 1000 m2 and more.
"""

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Final, NamedTuple

BASE_C: Final = 18.0
# A unit of each quantity in kWh of final energy; gas: gross, usual in the north of France (GRDF).
KWH: Final[Mapping[str, float]] = {"active_energy_import": 1.0, "heat_energy": 1.0, "gas_volume": 11.2}
DECREE_FROM_M2: Final = 1000.0
REFERENCE_YEARS: Final = range(2010, 2023)
TARGETS: Final = ((2030, 0.4), (2040, 0.5), (2050, 0.6))
_ENOUGH_DAYS: Final = 60
_BASE_LOAD_TENTH: Final = 10


class Day(NamedTuple):
    """A day's use in kWh, and its degree days in K.d."""

    used: float
    degree_days: float


class Line(NamedTuple):
    """What a day uses: `level` whatever the weather, kWh, and `slope` a degree day, kWh/(K.d)."""

    level: float
    slope: float

    def expected(self, degree_days: float, days: int) -> float:
        """Return what so many days of that weather would use, kWh."""
        return self.level * days + self.slope * degree_days


def degree_days(low_c: float, high_c: float) -> float:
    """Return a day's heating degree days, K.d."""
    return max(0.0, BASE_C - (low_c + high_c) / 2)


def line(days: Sequence[Day]) -> Line | None:
    """Return the least-squares line of use by degree days; None from fewer than 60 days, or all of one weather.

    A slope below zero is none: nobody heats more on warm days.
    """
    if len(days) < _ENOUGH_DAYS:
        return None
    used = sum(day.used for day in days) / len(days)
    degrees = sum(day.degree_days for day in days) / len(days)
    spread = sum((day.degree_days - degrees) ** 2 for day in days)
    if spread == 0:
        return None
    slope = sum((day.degree_days - degrees) * (day.used - used) for day in days) / spread
    slope = max(slope, 0.0)
    return Line(used - slope * degrees, slope)


def corrected(used: float, degree_days_had: float, degree_days_wanted: float, slope: float) -> float:
    """Return what a period would have used in another weather, kWh: the same but for its heating."""
    return max(0.0, used + slope * (degree_days_wanted - degree_days_had))


def base_load(hours: Sequence[float]) -> float | None:
    """Return what goes on all the time, in the unit of the hours: a tenth of them use less. None from under a day."""
    if len(hours) < 24:
        return None
    return quantiles(hours, n=_BASE_LOAD_TENTH)[0]


class Target(NamedTuple):
    """What the decree asks for by the end of a year, kWh of final energy a year."""

    year: int
    share: float  # less than the reference
    kwh: float


def targets(reference_kwh: float) -> list[Target]:
    """Return what the decree asks for, from the reference year's use."""
    return [Target(year, share, reference_kwh * (1 - share)) for year, share in TARGETS]


def path(reference_year: int, reference_kwh: float, year: int) -> float:
    """Return the use of a year on straight lines from the reference to each target, kWh."""
    before = (reference_year, reference_kwh)
    for target in targets(reference_kwh):
        if year <= target.year:
            share = (year - before[0]) / (target.year - before[0])
            return before[1] + (target.kwh - before[1]) * max(0.0, share)
        before = (target.year, target.kwh)
    return before[1]
