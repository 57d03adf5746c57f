"""One world, told by everything that tells what was used: Accueil, Énergie, Eau, the month's report, supervision."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from store_world import HOUR, Row, a_device, write_measurements

from api.pages import energy_view, months, periods
from api.reports import month
from store.assignments import assign
from store.fleet import TenantDeclaration, declare_point, declare_site, declare_tenant
from store.maintenance.run import run_once
from store.reading import consumption, hourly
from store.reading.below import used_below
from store.reading.growth import Asked
from store.reading.series import intervals
from store.reading.territory import Tenant, tenant_by_id

FIRST = date(2025, 11, 1)
NOW = datetime(2025, 12, 1, 9, tzinfo=ZoneInfo("Europe/Paris"))  # the month that is over is the one told of
POWER, GAS, WATER = energy_view.ELECTRICITY, energy_view.GAS, "water_volume"
AN_HOUR = 0.7  # of use, everywhere


class World(NamedTuple):
    tenant: Tenant
    points: dict[str, int]


async def a_world(connection: asyncpg.Connection, time_zone: str) -> World:
    """A meter replaced at 12:20 by one that had run elsewhere, one that restarted, one of two channels, one that was
    moved at 15:40 to another point, and one that was silent from the 28th of the month before until the 3rd.
    """
    zone = ZoneInfo(time_zone)

    def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
        return datetime(2025, 11, 1, hour, minute, tzinfo=zone) + timedelta(days=day - 1)

    declared = TenantDeclaration(slug="mareuville", name="Mareuville", kind="commune", time_zone=time_zone)
    tenant = await tenant_by_id(connection, await declare_tenant(connection, declared))
    site_id = await declare_site(connection, tenant.tenant_id, "École")
    points = {
        name: await declare_point(connection, site_id, name)
        for name in ("replaced", "restarted", "twofold", "left", "reached", "silent")
    }
    ids = [await a_device(connection, tenant.tenant_id, number) for number in range(1, 7)]
    old, new, restarting, twofold, moved, silent = ids
    begun = at(-40)
    for device_id, name, since in (
        *((old, "replaced", begun), (new, "replaced", at(12, 12, 20)), (restarting, "restarted", begun)),
        *((twofold, "twofold", begun), (moved, "left", begun), (moved, "reached", at(20, 15, 40))),
        (silent, "silent", begun),
    ):
        await assign(connection, device_id, points[name], since)
    rows = []
    for hour in range(-41 * 24, 31 * 24):
        when, index = at(1) + hour * HOUR + HOUR / 4, 1000 + AN_HOUR * (hour + 41 * 24)
        if when < at(12, 12, 20):
            rows.append(Row(old, POWER, 0, when, index))
        rows.append(Row(new, POWER, 0, when, 5000 + 3 * index))
        rows.append(Row(restarting, GAS, 0, when, index if when < at(15, 8) else AN_HOUR * (hour - 14 * 24 - 7)))
        rows += [Row(twofold, WATER, channel, when, index) for channel in (0, 1)]
        rows.append(Row(moved, WATER, 0, when, index))
        if not at(-3) <= when < at(3):
            rows.append(Row(silent, WATER, 0, when, index))
    await write_measurements(connection, rows)
    await run_once(connection, at(40))
    return World(tenant, points)


async def of_each_point(connection: asyncpg.Connection, world: World, bounds: list[datetime]) -> dict[str, float]:
    """Return what the series of each point says, added up."""
    found: dict[str, float] = defaultdict(float)
    for name, point_id in world.points.items():
        quantity = {"replaced": POWER, "restarted": GAS}.get(name, WATER)
        for channel in (0, 1) if name == "twofold" else (0,):
            told = await intervals(connection, world.tenant.tenant_id, point_id, quantity, channel, bounds=bounds)
            found[name] += sum(row.increase or 0.0 for row in told.rows)
    return found


async def of_two_halves(connection: asyncpg.Connection, world: World, bounds: tuple[datetime, datetime]) -> None:
    """Read a time at once, as Énergie reads two years of it, and in two parts, cut on each of its days."""

    async def read(start: datetime, end: datetime) -> dict[tuple[object, ...], float]:
        found = await consumption.uses(
            connection, world.tenant, (POWER, GAS, WATER), start, end, alike=[world.points["left"]]
        )
        assert [use.start for use in found] == sorted(use.start for use in found)
        return {(use.site_id, use.quantity, use.alike, use.start): use.amount for use in found}

    whole = await read(*bounds)
    assert {key[2] for key in whole} == {True, False}
    for cut in sorted({start for *_, start in whole if isinstance(start, datetime)})[1:]:
        assert await read(bounds[0], cut) | await read(cut, bounds[1]) == pytest.approx(whole), cut


async def test_every_page_tells_the_same_use(connection: asyncpg.Connection) -> None:
    world = await a_world(connection, "Europe/Paris")
    told_of = months.to_date(NOW, ZoneInfo("Europe/Paris"))
    assert (told_of.first, told_of.days) == (FIRST, 30)
    quantities = (POWER, GAS, WATER)
    told = await consumption.days(connection, world.tenant, quantities, [told_of.bounds])
    accueil = {one.point_id: one.increase or 0.0 for one in told if one.point_id is not None}
    by_day: dict[str, float] = defaultdict(float)
    of_quantity: dict[str, float] = defaultdict(float)
    for one in told:
        kind = of_quantity if one.day is None else by_day
        kind[one.quantity] += one.increase or 0.0
    assert by_day == pytest.approx(of_quantity)

    series = await of_each_point(connection, world, list(told_of.bounds))
    assert {name: accueil[point_id] for name, point_id in world.points.items()} == pytest.approx(series)
    moved = accueil[world.points["left"]] + accueil[world.points["reached"]]
    assert moved == pytest.approx(719 * AN_HOUR)  # between its last message here and its first there, it was nobody's
    assert accueil[world.points["restarted"]] == pytest.approx(720 * AN_HOUR, abs=2)

    apart = world.points["left"]
    page: dict[tuple[str, bool], float] = defaultdict(float)
    for use in await consumption.uses(connection, world.tenant, quantities, *told_of.bounds, alike=[apart]):
        page[use.quantity, use.alike] += use.amount
    assert page.pop((WATER, True)) == pytest.approx(accueil[apart])
    of_quantity[WATER] -= accueil[apart]
    assert {quantity: used for (quantity, _), used in page.items()} == pytest.approx(of_quantity)
    of_quantity[WATER] += accueil[apart]
    await of_two_halves(connection, world, told_of.bounds)

    report = await month.read(connection, world.tenant, FIRST)
    assert report.energy.by_quantity[POWER].kwh == pytest.approx(of_quantity[POWER])
    assert report.energy.by_quantity[GAS].kwh == pytest.approx(of_quantity[GAS] * 11.2)
    assert report.kwh[-1] == (FIRST, pytest.approx(report.energy.total.kwh))
    assert {meter.point_id: meter.m3 for meter in report.meters} == pytest.approx(
        {
            point_id: accueil[point_id]
            for name, point_id in world.points.items()
            if name not in {"replaced", "restarted"}
        }
    )

    asked = Asked([world.tenant.tenant_id], quantities, [told_of.bounds, told_of.bounds], "Europe/Paris")
    supervised = {one.quantity: one.used for one in await used_below(connection, asked, 1)}
    assert supervised == pytest.approx(of_quantity)

    hours = await hourly.hours(connection, world.tenant, [POWER], *told_of.bounds)
    assert sum(hour.amount for hour in hours) == pytest.approx(accueil[world.points["replaced"]])


async def test_days_are_those_of_the_clock_of_the_tenant(connection: asyncpg.Connection) -> None:
    zone = ZoneInfo("Indian/Reunion")
    world = await a_world(connection, zone.key)
    midnights = [periods.midnight(date(2025, 11, 1) + timedelta(days=n), zone) for n in range(31)]
    uses = await consumption.uses(connection, world.tenant, [GAS], midnights[0], midnights[-1])
    series = await intervals(connection, world.tenant.tenant_id, world.points["restarted"], GAS, 0, bounds=midnights)
    assert {use.start: use.amount for use in uses} == {row.start: pytest.approx(row.increase) for row in series.rows}
