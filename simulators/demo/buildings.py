"""How a building uses energy and water, and what the air of its rooms becomes: habits, weather, and what goes wrong.

Everything starts at the story's origin and depends on time alone, so that a year made at once and a present made
message by message are one and the same curve.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from simulators import processes as physics
from simulators.recorded import Forgetful, Recorded

WEATHER: Final = "picardie"  # one sky over the whole territory
_HEATED_BELOW_C: Final = 17.0  # base of the French degree days ("DJU 17")
_HALF_HEAT: Final = 0.45  # of the heating by night and on closed days
_SUMMER: Final = (7, 8)
_KWH_A_M3_OF_GAS: Final = 11.2  # gross calorific value, usual in the north of France


class Story(NamedTuple):
    """Where the demonstration stands in time: everything begins at `origin`; `now` is its day's midnight (UTC)."""

    origin: datetime
    now: datetime
    zone: tzinfo


class Habits(NamedTuple):
    """When a place is in use: hours of the day, days of the week (Monday 0), closed in the school's holidays or not."""

    first: float
    last: float
    days: frozenset[int]
    closed_in_holidays: bool = False

    def share(self, local: datetime) -> float:
        """Return how much of the place is in use, 0 to 1."""
        if self.closed_in_holidays and _school_holiday(local):
            return 0.0
        hour = local.hour + local.minute / 60
        if local.weekday() not in self.days or not self.first <= hour < self.last:
            return 0.0
        return 0.3 if 12 <= hour < 13.5 else 1.0


def _school_holiday(local: datetime) -> bool:
    """Say whether it is July, August, or the turn of the year: enough for a curve that a person recognises."""
    return local.month in _SUMMER or (local.month == 12 and local.day >= 20) or (local.month == 1 and local.day <= 4)


class Energy(NamedTuple):
    """What a building draws, in W: always, in use, and a degree of cold; `trend` is what a year changed of it."""

    base_w: float
    used_w: float
    heat_w_per_k: float = 0.0
    trend: float = 0.0


class Water(NamedTuple):
    """What a building lets run, in L an hour: in use, and always; a leak begins so long before the story's day."""

    used_l: float
    base_l: float = 0.0
    trend: float = 0.0
    leak_l: float = 0.0
    leak_since: timedelta = timedelta()


class Room(NamedTuple):
    """A room: how many people, how large, how many times an hour its air is changed; heated to `warm_c` in use."""

    people: float
    volume_m3: float = 180.0
    changes_per_h: float = 3.2
    warm_c: float = 20.0
    cool_c: float = 16.0


def energy_index(story: Story, habits: Habits, energy: Energy, seed: str, start: float) -> Recorded:
    """Return an index in Wh, whole at each hour."""

    def used(local: datetime, at: datetime) -> float:
        share, warm = _occupied(habits, local)
        heat = energy.heat_w_per_k * _cold(at) * (1.0 if warm else _HALF_HEAT)
        return (energy.base_w + energy.used_w * share + heat) * _wandering(seed, at)

    return _index(story, start, lambda local, at: used(local, at) * _trend(story, energy.trend, at))


def gas_index(story: Story, habits: Habits, energy: Energy, seed: str, start: float) -> Recorded:
    """Return the index of a gas meter in L, whole at each hour: what `energy` heats with."""

    def used(local: datetime, at: datetime) -> float:
        heat = energy.heat_w_per_k * _cold(at) * (1.0 if _occupied(habits, local)[1] else _HALF_HEAT)
        return heat * _wandering(seed, at) * _trend(story, energy.trend, at) / _KWH_A_M3_OF_GAS

    return _index(story, start, used)


def water_index(story: Story, habits: Habits, water: Water, seed: str, start: float) -> Recorded:
    """Return the index of a water meter in L, whole at each hour."""
    leaking = story.now - water.leak_since if water.leak_l else None

    def used(local: datetime, at: datetime) -> float:
        drawn = water.used_l * habits.share(local) * (0.4 + 1.2 * physics.unit(seed, int(at.timestamp())))
        drawn = (water.base_l + drawn) * _trend(story, water.trend, at)
        return drawn + (water.leak_l if leaking is not None and at >= leaking else 0.0)

    return _index(story, start, used)


def _index(story: Story, start: float, amount: Callable[[datetime, datetime], float]) -> Recorded:
    def advance(value: float, at: datetime) -> float:
        return value + round(amount(_local(at, story.zone), at))

    return Recorded(story.origin, timedelta(hours=1), start, advance)


def _trend(story: Story, trend: float, at: datetime) -> float:
    """Return what the use is multiplied by: 1 a year ago, 1 + `trend` from ten months ago on."""
    age_days = (story.now - at).total_seconds() / physics.DAY_S
    return 1 + trend * min(1.0, max(0.0, (335 - age_days) / 35))


def _wandering(seed: str, at: datetime) -> float:
    return 1 + 0.07 * physics.drift(seed, at, 1.5 * physics.DAY_S)


def _cold(at: datetime) -> float:
    """Return by how many degrees the day is colder than what needs no heating."""
    return _cold_of_day(at.replace(hour=8, minute=0, second=0, microsecond=0))


@lru_cache(maxsize=1024)
def _cold_of_day(morning: datetime) -> float:
    """Return it from the temperature at 8 h UTC, which is near the day's mean."""
    return max(0.0, _HEATED_BELOW_C - physics.outdoor_temperature(WEATHER, morning))


@lru_cache(maxsize=1 << 15)  # buildings of one kind are alike, hour by hour
def _occupied(habits: Habits, local: datetime) -> tuple[float, bool]:
    """Return how much of a place is in use, and whether it is heated for those who are there or soon come."""
    share = habits.share(local)
    return share, share > 0 or habits.share(local + timedelta(hours=2)) > 0


@lru_cache(maxsize=1 << 15)
def _local(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone)


_HALF_HOUR: Final = timedelta(minutes=30)


def room_co2(story: Story, habits: Habits, room: Room) -> Forgetful:
    """Return ppm: 18 L/h of CO2 a person, the air changed at a steady rate (mass balance of ASTM D6245)."""
    kept = math.exp(-room.changes_per_h / 2)

    def advance(level: float, at: datetime) -> float:
        made = _occupied(habits, _local(at, story.zone))[0] * room.people * 0.018 / room.volume_m3 / room.changes_per_h
        steady = physics.OUTDOOR_CO2_PPM + made * 1e6
        return steady + (level - steady) * kept

    return Forgetful(story.origin, _HALF_HOUR, physics.OUTDOOR_CO2_PPM, advance)


def room_temperature(story: Story, habits: Habits, room: Room) -> Forgetful:
    """Return degC: heated to its set-point in use and two hours before, losing heat with a time constant of 40 h."""
    lost = 1 - math.exp(-0.5 / 40)

    def advance(level: float, at: datetime) -> float:
        share, warm = _occupied(habits, _local(at, story.zone))
        outdoor = physics.outdoor_temperature(WEATHER, at)
        level += (outdoor + 3.0 - level) * lost + 0.02 * room.people * share
        wanted = room.warm_c if warm else room.cool_c
        return min(wanted, level + 1.0) if level < wanted else level

    return Forgetful(story.origin, _HALF_HOUR, room.cool_c, advance)
