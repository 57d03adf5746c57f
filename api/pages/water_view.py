"""What the page of water says, from what the meters counted. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from api.pages import periods, use
from api.pages.energy_view import price_of
from api.pages.periods import Period
from domain import water
from domain.uses import DISTRIBUTION
from domain.water import Leak
from store.buildings import Price
from store.reading.consumption import Told
from store.reading.hourly import HourUse

VOLUME: Final = "water_volume"
_LITRES: Final = 1000
_LEAST_HOURS: Final = 2  # of a night, or it says nothing
_SUPPLY_ABOVE_L: Final = 1000.0  # a point that never lets less through at night is a network's, not a leak


class Meter(NamedTuple):
    """One meter over the period, m3; `night_l` is the least flow of its last night, L/h, None if it was not heard.

    What is `part_of` another meter is in no total. A leak is told of the meter nearest to it.
    """

    point_id: int
    m3: float
    before_m3: float | None
    euros: float | None
    night_l: float | None
    leak: Leak | None
    leak_euros: float | None
    supplies: bool  # a network or a large plant: its night flow is not a leak
    is_abnormal: bool
    part_of: int | None = None

    @property
    def change(self) -> float | None:
        """Return the relative difference with the year before."""
        return self.m3 / self.before_m3 - 1 if self.before_m3 else None


class Found(NamedTuple):
    """What was read: water counted in the period and in the year before, by point; hours of the last weeks; prices."""

    told: Sequence[Told]
    hours: Sequence[HourUse]
    prices: Sequence[Price]


def meters(found: Found, period: Period) -> list[Meter]:
    """Return each meter, those that leak first, then the greatest use."""
    used, alike = use.of_points(found.told), periods.alike(found.told, period.days)
    counted = periods.counted(found.told, period.days)
    hours = [hour for hour in found.hours if hour.weight >= 0]
    nights = _nights(hours, period.zone)
    unshared = _nights(alone(hours, {point_id: one.part_of for point_id, one in used[use.NOW].items()}), period.zone)
    price = price_of(found.prices, VOLUME, period.end.date())
    made = [
        _meter(
            one,
            used[use.BEFORE][point_id] if point_id in alike else None,
            [
                counted[year][point_id].increase or 0.0
                for year in sorted(counted, reverse=True)
                if year > use.NOW and point_id in counted[year]
            ],
            (nights.get(point_id, []), unshared.get(point_id, [])),
            price,
        )
        for point_id, one in used[use.NOW].items()
    ]
    return sorted(made, key=lambda one: (one.leak is None, -one.m3))


def alone(hours: Sequence[HourUse], part_of: Mapping[int, int | None]) -> list[HourUse]:
    """Return what each meter counted that no sub-meter of it did."""
    behind: dict[tuple[int, datetime], float] = defaultdict(float)
    for hour in hours:
        whole = part_of.get(hour.point_id)
        if whole is not None:
            behind[whole, hour.start] += hour.amount
    return [hour._replace(amount=max(0.0, hour.amount - behind[hour.point_id, hour.start])) for hour in hours]


def _nights(hours: Sequence[HourUse], zone: ZoneInfo) -> dict[int, list[float]]:
    """Return the least flow of each night of each meter, L/h, in order of time."""
    found: dict[int, dict[date, list[float]]] = defaultdict(lambda: defaultdict(list))
    first, last = water.NIGHT
    for hour in hours:
        local = hour.start.astimezone(zone)
        if first <= local.hour < last:
            found[hour.point_id][local.date()].append(hour.amount * _LITRES)
    return {
        point_id: [min(flows) for _, flows in sorted(by_night.items()) if len(flows) >= _LEAST_HOURS]
        for point_id, by_night in found.items()
    }


def _meter(
    one: Told,
    before: Told | None,
    years: Sequence[float],
    nights: tuple[Sequence[float], Sequence[float]],
    price: float | None,
) -> Meter:
    """Return one meter.

    `years` is what it counted in the same days of the years before, the nearest last; `nights` are the least flows of
    its nights, of all and of what no sub-meter counted.
    """
    flows, unshared = nights
    assert one.point_id is not None, "points' totals are asked for"
    total = one.increase or 0.0
    total_before = None if before is None else before.increase or 0.0
    supplies = one.use == DISTRIBUTION or (bool(flows) and min(flows) > _SUPPLY_ABOVE_L)
    leak = None if supplies else water.leak(unshared)
    return Meter(
        point_id=one.point_id,
        m3=total,
        before_m3=total_before,
        euros=None if price is None else total * price,
        night_l=flows[-1] if flows else None,
        leak=leak,
        leak_euros=None if leak is None or price is None else leak.m3_a_year() * price,
        supplies=supplies,
        is_abnormal=any(years) and water.is_abnormal(total, years),
        part_of=one.part_of,
    )
