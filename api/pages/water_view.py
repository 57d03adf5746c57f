"""What the page of water says, from what the meters counted. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from api.pages.energy_view import price_of
from api.pages.periods import Period
from domain import water
from domain.water import Leak
from store.buildings import Price
from store.reading.consumption import Use
from store.reading.hourly import HourUse

VOLUME: Final = "water_volume"
_COMPARABLE: Final = 0.9
_LITRES: Final = 1000
_LEAST_HOURS: Final = 2  # of a night, or it says nothing
_SUPPLY_ABOVE_L: Final = 1000.0  # a point that never lets less through at night is a network's, not a leak


class Meter(NamedTuple):
    """One meter over the period, m3; `night_l` is the least flow of its last night, L/h, None if it was not heard."""

    point_id: int
    site_id: int
    m3: float
    before_m3: float | None
    euros: float | None
    night_l: float | None
    leak: Leak | None
    leak_euros: float | None
    supplies: bool  # a network or a large plant: its night flow is not a leak
    is_abnormal: bool

    @property
    def change(self) -> float | None:
        """Return the relative difference with the year before."""
        return self.m3 / self.before_m3 - 1 if self.before_m3 else None


class Found(NamedTuple):
    """What was read: daily uses of the period and of the year before, hours of the last weeks, prices."""

    now: Sequence[Use]
    before: Sequence[Use]
    hours: Sequence[HourUse]
    prices: Sequence[Price]


def meters(found: Found, period: Period) -> list[Meter]:
    """Return each meter, those that leak first, then the greatest use."""
    used, used_before = _by_point(found.now), _by_point(found.before)
    sites = {use.point_id: use.site_id for use in found.now}
    nights = _nights(found.hours, period.zone)
    price = price_of(found.prices, VOLUME, period.end.date())
    made = [
        _meter(
            (point_id, sites[point_id]), (days, used_before.get(point_id, {})), nights.get(point_id, []), price, period
        )
        for point_id, days in used.items()
    ]
    return sorted(made, key=lambda one: (one.leak is None, -one.m3))


def _by_point(uses: Sequence[Use]) -> dict[int, dict[datetime, float]]:
    days: dict[int, dict[datetime, float]] = defaultdict(dict)
    for use in uses:
        days[use.point_id][use.start] = days[use.point_id].get(use.start, 0.0) + use.amount
    return days


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
    place: tuple[int, int],
    uses: tuple[Mapping[datetime, float], Mapping[datetime, float]],
    nights: Sequence[float],
    price: float | None,
    period: Period,
) -> Meter:
    (point_id, site_id), (days, days_before) = place, uses
    enough = _COMPARABLE * period.days
    has_before = len(days) >= enough and len(days_before) >= enough
    total, total_before = sum(days.values()), sum(days_before.values()) if has_before else None
    supplies = bool(nights) and min(nights) > _SUPPLY_ABOVE_L
    leak = None if supplies else water.leak(nights)
    return Meter(
        point_id=point_id,
        site_id=site_id,
        m3=total,
        before_m3=total_before,
        euros=None if price is None else total * price,
        night_l=nights[-1] if nights else None,
        leak=leak,
        leak_euros=None if leak is None or price is None else leak.m3_a_year() * price,
        supplies=supplies,
        is_abnormal=total_before is not None and total_before > 0 and water.is_abnormal(total, [total_before]),
    )
