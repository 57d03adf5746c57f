"""What the page of energy says, from what the meters counted. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from domain import energy
from domain.energy import Day
from store.buildings import Building, Price
from store.reading.consumption import Use
from store.reading.hourly import HourUse

ELECTRICITY: Final = "active_energy_import"
GAS: Final = "gas_volume"
HEAT: Final = "heat_energy"
QUANTITIES: Final = (ELECTRICITY, GAS, HEAT)
_WEATHER: Final = 0.9  # of the days of a period, of which the weather must be known


class Amount(NamedTuple):
    """What was used, kWh and euros (None where a price is unknown), and what the year before says about it.

    `change` is the relative difference, None where the year before was not measured; `corrected` the same in equal
    weather.
    """

    kwh: float
    euros: float | None
    change: float | None
    corrected: float | None


class SiteEnergy(NamedTuple):
    """One building over the period."""

    site_id: int
    name: str
    by_quantity: Mapping[str, float]  # kWh
    total: Amount
    kwh_per_m2: float | None
    base_load_w: float | None
    closed_share: float | None


class Decree(NamedTuple):
    """Where a building stands on the path of the tertiary decree."""

    site_id: int
    name: str
    missing: tuple[str, ...]  # of activity, reference, meter
    reference_year: int | None
    reference_kwh: float | None
    year_kwh: float | None
    path_kwh: float | None
    targets_kwh: tuple[float, ...]  # of 2030, 2040, 2050; none without a reference

    @property
    def on_path(self) -> bool | None:
        """Say whether the last twelve months are on the path; None if that cannot be told."""
        if self.year_kwh is None or self.path_kwh is None:
            return None
        return self.year_kwh <= self.path_kwh


class Figures(NamedTuple):
    """All of it."""

    total: Amount
    by_quantity: Mapping[str, Amount]
    sites: list[SiteEnergy]


class Found(NamedTuple):
    """What was read: daily uses of the period, of the year before and of the last twelve months, and what is known.

    Those `alike` are of points that counted in the period and in the year before: another says nothing of a change.
    """

    now: Sequence[Use]
    before: Sequence[Use]
    year: Sequence[Use]  # by which heating is known
    hours: Sequence[HourUse]
    buildings: Sequence[Building]
    prices: Sequence[Price]
    degree_days: Mapping[datetime, float]
    opened: Mapping[tuple[int, datetime], bool]  # (site, hour) -> whether it was open, if that is known
    zone: ZoneInfo


class _Uses(NamedTuple):
    """The daily uses of some sites in the period, in the year before, and over the last twelve months."""

    now: list[Use]
    before: list[Use]
    year: list[Use]

    def only(self, quantity: str) -> "_Uses":
        """Return those of one quantity."""
        return _Uses(*([use for use in uses if use.quantity == quantity] for uses in self))

    def alike(self) -> "_Uses":
        """Return those of points that counted in both periods."""
        return _Uses(*([use for use in uses if use.alike] for uses in self))


def figures(found: Found) -> Figures:
    """Return what each building and the tenant used."""
    everything = _Uses(list(found.now), list(found.before), list(found.year))
    by_site: dict[int, _Uses] = defaultdict(lambda: _Uses([], [], []))
    for use in found.now:
        by_site[use.site_id].now.append(use)
    for use in found.before:
        by_site[use.site_id].before.append(use)
    for use in found.year:
        by_site[use.site_id].year.append(use)
    sites = [
        _site(found, building, by_site[building.site_id])
        for building in found.buildings
        if building.site_id in by_site and by_site[building.site_id].now
    ]
    return Figures(
        total=_amount(found, everything),
        by_quantity={
            quantity: _amount(found, everything.only(quantity))
            for quantity in QUANTITIES
            if any(use.quantity == quantity for use in found.now)
        },
        sites=sorted(sites, key=lambda site: -site.total.kwh),
    )


def kwh(use: Use | HourUse) -> float:
    """Return an amount in kWh."""
    return use.amount * energy.KWH[use.quantity]


def price_of(prices: Iterable[Price], quantity: str, day: date) -> float | None:
    """Return what a unit cost on a day."""
    known = [one for one in prices if one.quantity == quantity and one.since <= day]
    return max(known, key=lambda one: one.since).euros if known else None


def _site(found: Found, building: Building, uses: _Uses) -> SiteEnergy:
    by_quantity: dict[str, float] = defaultdict(float)
    for use in uses.now:
        by_quantity[use.quantity] += kwh(use)
    total = _amount(found, uses)
    hours = [
        hour
        for hour in found.hours
        if hour.site_id == building.site_id and hour.quantity == ELECTRICITY and hour.weight
    ]
    return SiteEnergy(
        site_id=building.site_id,
        name=building.name,
        by_quantity=by_quantity,
        total=total,
        kwh_per_m2=None if building.floor_area_m2 is None else total.kwh / building.floor_area_m2,
        base_load_w=_base_load(hours),
        closed_share=_closed_share(hours, found.opened),
    )


def _amount(found: Found, uses: _Uses) -> Amount:
    alike = uses.alike()
    used, used_before = sum(map(kwh, alike.now)), sum(map(kwh, alike.before))
    return Amount(
        kwh=sum(map(kwh, uses.now)),
        euros=_euros(found, uses.now),
        change=used / used_before - 1 if used_before > 0 else None,
        corrected=_corrected(found, alike, used_before) if used_before > 0 else None,
    )


def _euros(found: Found, uses: Iterable[Use]) -> float | None:
    amounts: dict[tuple[str, datetime], float] = defaultdict(float)  # a price is looked up once a day
    for use in uses:
        amounts[use.quantity, use.start] += use.amount
    total = 0.0
    for (quantity, start), amount in amounts.items():
        price = price_of(found.prices, quantity, start.astimezone(found.zone).date())
        if price is None:
            return None
        total += amount * price
    return total


def _corrected(found: Found, uses: _Uses, used_before: float) -> float | None:
    """Return the change, had this period had the weather of the one before; None where that is not known."""
    had, wanted = _degrees(found, uses.now), _degrees(found, uses.before)
    if had is None or wanted is None:
        return None
    days = _by_day(uses.year)
    line = energy.line([Day(used, found.degree_days[day]) for day, used in days.items() if day in found.degree_days])
    if line is None:
        return None
    return energy.corrected(sum(map(kwh, uses.now)), had, wanted, line.slope) / used_before - 1


def _by_day(uses: Iterable[Use]) -> dict[datetime, float]:
    days: dict[datetime, float] = defaultdict(float)
    for use in uses:
        days[use.start] += use.amount * energy.KWH[use.quantity]
    return days


def _degrees(found: Found, uses: Iterable[Use]) -> float | None:
    """Return the degree days of the days that were counted; None if the weather of one in ten is unknown."""
    days = {use.start for use in uses}
    known = [found.degree_days[day] for day in days if day in found.degree_days]
    return sum(known) * len(days) / len(known) if known and len(known) >= _WEATHER * len(days) else None


def _base_load(hours: Sequence[HourUse]) -> float | None:
    by_point: dict[int, list[float]] = defaultdict(list)
    for hour in hours:
        by_point[hour.point_id].append(hour.weight * kwh(hour) * 1000)
    loads = [load for values in by_point.values() if (load := energy.base_load(values)) is not None]
    return sum(loads) if loads else None


def _closed_share(hours: Sequence[HourUse], opened: Mapping[tuple[int, datetime], bool]) -> float | None:
    known = [
        (hour.weight * kwh(hour), opened[hour.site_id, hour.start])
        for hour in hours
        if (hour.site_id, hour.start) in opened
    ]
    total = sum(used for used, _ in known)
    return sum(used for used, is_open in known if not is_open) / total if total > 0 else None


def decree(buildings: Iterable[Building], year_kwh: Mapping[int, float], year: int) -> list[Decree]:
    """Return where each building that the decree may concern stands, with the last twelve months in kWh by site."""
    return [
        _decree(building, year_kwh.get(building.site_id), year)
        for building in buildings
        if (building.floor_area_m2 or 0) >= energy.DECREE_FROM_M2
    ]


def missing(building: Building, *, is_metered: bool) -> tuple[str, ...]:
    """Return what is still to be known of a building before it can be declared: activity, reference, meter."""
    told = {
        "activity": bool(building.activity),
        "reference": bool(building.reference_year and building.reference_kwh),
        "meter": is_metered,
    }
    return tuple(name for name, is_known in told.items() if not is_known)


def _decree(building: Building, year_kwh: float | None, year: int) -> Decree:
    reference = building.reference_year, building.reference_kwh
    path, targets = None, tuple[float, ...]()
    if building.reference_year is not None and building.reference_kwh is not None:
        path = energy.path(building.reference_year, building.reference_kwh, year)
        targets = tuple(target.kwh for target in energy.targets(building.reference_kwh))
    return Decree(
        building.site_id,
        building.name,
        missing(building, is_metered=year_kwh is not None),
        *reference,
        year_kwh,
        path,
        targets,
    )
