"""What sensors would feel: weather, heated rooms, people, water and electricity, as functions of time alone.

Nothing here keeps a state: the same seed and the same time give the same value, so that a past made at once and
a present made second by second are one and the same curve. Times are UTC; habits follow `zone`.
"""

import hashlib
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

DAY_S: Final = 86_400.0
OUTDOOR_CO2_PPM: Final = 425.0
_EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday

Schedule = Callable[[datetime], float]  # local time -> a share, 0 to 1


def unit(seed: str, number: int) -> float:
    """Return a number in [0, 1) that depends on both, and on nothing else."""
    digest = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


_node = lru_cache(maxsize=1 << 14)(unit)  # a wandering is asked for many times between two of its nodes


def drift(seed: str, at: datetime, period_s: float) -> float:
    """Return a smooth wandering between -1 and 1 that changes over `period_s` (value noise)."""
    position = (at - _EPOCH).total_seconds() / period_s
    whole = math.floor(position)
    share = position - whole
    eased = share * share * (3 - 2 * share)
    before, after = _node(seed, whole), _node(seed, whole + 1)
    return 2 * (before + (after - before) * eased) - 1


def _air_mass(seed: str, at: datetime) -> tuple[float, float]:
    """Return (mean degC of the day, its season: 1 in July, -1 in January)."""
    days = (at - _EPOCH).total_seconds() / DAY_S
    season = math.cos(2 * math.pi * (days - 200) / 365.25)
    return 11.0 + 7.5 * season + 5.0 * drift(seed + "weather", at, 2.5 * DAY_S), season


@lru_cache(maxsize=1 << 15)  # every building of a territory feels the same hour
def outdoor_temperature(seed: str, at: datetime) -> float:
    """Return degC on the plain of Picardy: seasons about 11 degC, days of ±3 to ±5, passing weather of ±5."""
    mean, season = _air_mass(seed, at)
    hour = at.hour + at.minute / 60 + at.second / 3600
    return mean + (4.0 + season) * math.cos(2 * math.pi * (hour - 14.0) / 24)


def outdoor_humidity(seed: str, at: datetime) -> float:
    """Return % of an air whose dew point hardly moves within a day."""
    dew_point = _air_mass(seed, at)[0] - 4.5
    return min(99.0, max(25.0, 100 * _vapour(dew_point) / _vapour(outdoor_temperature(seed, at))))


def _vapour(temperature_c: float) -> float:
    """Return the saturation pressure of water, hPa (Magnus, WMO-No. 8)."""
    return 6.112 * math.exp(17.62 * temperature_c / (243.12 + temperature_c))


def working_hours(first: float, last: float, days: frozenset[int], *, lunch: bool = True) -> Schedule:
    """Return a schedule: 1 between two hours on some days (Monday 0), a fifth at lunch, 0 otherwise."""

    def share(local: datetime) -> float:
        hour = local.hour + local.minute / 60
        if local.weekday() not in days or not first <= hour < last:
            return 0.0
        return 0.2 if lunch and 12 <= hour < 13.5 else 1.0

    return share


def _since_midnight(at: datetime, zone: tzinfo, step: timedelta) -> list[tuple[datetime, float]]:
    """Return (local time, length in seconds) of each step from local midnight to `at`."""
    local = at.astimezone(zone)
    moment = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    steps = []
    while moment < at:
        length = min(step, at - moment)
        steps.append((moment.astimezone(zone), length.total_seconds()))
        moment += step
    return steps


def room_co2(at: datetime, zone: tzinfo, occupied: Schedule, *, people: float, volume_m3: float) -> float:
    """Return ppm in a room aired overnight: 18 L/h of CO2 a person, 1.2 air changes an hour.

    Source: the single-zone mass balance of ASTM D6245, solved step by step from midnight.
    """
    changes_per_s, level = 1.2 / 3600, OUTDOOR_CO2_PPM
    for local, seconds in _since_midnight(at, zone, timedelta(minutes=15)):
        made_ppm_per_s = occupied(local) * people * 0.018 / 3600 / volume_m3 * 1e6
        steady = OUTDOOR_CO2_PPM + made_ppm_per_s / changes_per_s
        level = steady + (level - steady) * math.exp(-changes_per_s * seconds)
    return level


def room_temperature(
    at: datetime, zone: tzinfo, heated: Schedule, *, outdoor_c: float, day_c: float = 20.0, night_c: float = 16.0
) -> float:
    """Return degC in a heated room: set-points by schedule begun two hours early, a time constant of three hours.

    Above 18 degC outside nobody heats, and the room follows the outside.
    """
    if outdoor_c >= 18.0:
        return outdoor_c + 2.0
    level = night_c + 0.5
    for local, seconds in _since_midnight(at, zone, timedelta(minutes=30)):
        wanted = day_c if heated(local) or heated(local + timedelta(hours=2)) else night_c
        level = wanted + (level - wanted) * math.exp(-seconds / (3 * 3600))
    return level
