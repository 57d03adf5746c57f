"""What a month's report says, read from the store: the same functions as the pages of energy, water and environment."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from api.opening import opened
from api.pages import air_view, energy_view, periods, water_view
from api.pages.periods import Period
from api.places import places_of
from store import buildings
from store.delivery.reading import Summary, incidents
from store.reading import consumption, hourly
from store.reading.consumption import Use
from store.reading.territory import Tenant

MONTHS: Final = 13
_INCIDENTS: Final = 500


class Month(NamedTuple):
    """A month of a tenant. `kwh` and `m3` are the totals of this month and the twelve before, the oldest first."""

    tenant: Tenant
    first: date
    period: Period
    energy: energy_view.Figures
    meters: list[water_view.Meter]
    air: air_view.Seen
    names: Mapping[int, str]  # of points, with their site
    kwh: list[tuple[date, float | None]]
    m3: list[tuple[date, float | None]]
    incidents: list[Summary]  # that began in the month


def months_before(first: date, count: int) -> list[date]:
    """Return the first days of so many months up to this one, the oldest first."""
    found = [first]
    while len(found) < count:
        year, month = found[-1].year, found[-1].month
        found.append(date(year - 1, 12, 1) if month == 1 else date(year, month - 1, 1))
    return found[::-1]


def month_after(first: date) -> date:
    """Return the first day of the next month."""
    return date(first.year + 1, 1, 1) if first.month == 12 else date(first.year, first.month + 1, 1)


def period_of(first: date, zone: ZoneInfo) -> Period:
    """Return a whole month, and the same of the year before."""
    after = month_after(first)
    return Period(
        start=periods.midnight(first, zone),
        end=periods.midnight(after, zone),
        start_before=periods.midnight(first.replace(year=first.year - 1), zone),
        end_before=periods.midnight(after.replace(year=after.year - 1), zone),
        zone=zone,
    )


async def read(connection: asyncpg.Connection, tenant: Tenant, first: date) -> Month:
    """Read a month."""
    zone = ZoneInfo(tenant.time_zone)
    period = period_of(first, zone)
    long_ago = periods.midnight(months_before(first, MONTHS)[0], zone)
    of_tenant = (connection, tenant.tenant_id)
    quantities = (*energy_view.QUANTITIES, water_view.VOLUME)
    told = await consumption.days(connection, tenant, quantities, period.both)
    alike = periods.alike([one for one in told if one.quantity != water_view.VOLUME], period.days)
    by_day = await consumption.uses(connection, tenant, quantities, long_ago, period.end, alike=alike)
    energy = [use for use in by_day if use.quantity != water_view.VOLUME]
    hours = await hourly.hours(
        connection, tenant, (energy_view.ELECTRICITY, water_view.VOLUME), period.start, period.end
    )
    levels = await hourly.levels(
        *of_tenant, (air_view.CO2, air_view.TEMPERATURE, air_view.HUMIDITY), period.start, period.end
    )
    opening = await buildings.opening_hours(*of_tenant)
    prices = await buildings.prices(*of_tenant)
    open_hours = {(hour.site_id, hour.start) for hour in hours} | {(level.site_id, level.start) for level in levels}
    open_at = opened(open_hours, opening, zone)
    found = energy_view.Found(
        now=[use for use in energy if use.start >= period.start],
        before=[use for use in energy if period.start_before <= use.start < period.end_before],
        year=energy,
        hours=hours,
        buildings=await buildings.buildings(*of_tenant),
        prices=prices,
        degree_days=await buildings.degree_days_of(connection, long_ago, period.end),
        opened=open_at,
        zone=zone,
    )
    listed = await incidents(*of_tenant, since=period.start, limit=_INCIDENTS)
    return Month(
        tenant=tenant,
        first=first,
        period=period,
        energy=energy_view.figures(found),
        meters=water_view.meters(
            water_view.Found(
                [one for one in told if one.quantity == water_view.VOLUME],
                [one for one in hours if one.quantity == water_view.VOLUME],
                prices,
            ),
            period,
        ),
        air=air_view.seen(levels, open_at),
        names=(await places_of(*of_tenant)).names,
        kwh=_by_month(first, zone, {use: energy_view.kwh(use) for use in energy}),
        m3=_by_month(first, zone, {use: use.amount for use in by_day if use.quantity == water_view.VOLUME}),
        incidents=[one for one in listed if period.start <= one.opened_at < period.end],
    )


def _by_month(first: date, zone: ZoneInfo, amounts: Mapping[Use, float]) -> list[tuple[date, float | None]]:
    """Return each month's total; None where nothing was counted, which is not nothing used."""
    totals: dict[date, float] = defaultdict(float)
    for use, amount in amounts.items():
        totals[_month(use.start, zone)] += amount
    return [(month, totals.get(month)) for month in months_before(first, MONTHS)]


def _month(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date().replace(day=1)
