"""Meters behind other meters: everything that adds up counts them once, and says what each took."""

import asyncio
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from store_world import HOUR, Row, a_device, write_measurements

from api.pages import breakdown, energy_view, months, use, water_view
from api.pages.texts import texts
from api.reports import month
from domain.uses import USES
from store import installing, open_data, parts
from store.assignments import assign
from store.fleet import TenantDeclaration, declare_point, declare_site, declare_tenant
from store.maintenance.publishing import publish
from store.maintenance.run import run_once
from store.parts import PartError, tell_part
from store.reading import consumption, hourly
from store.reading.below import used_below
from store.reading.compared import counted
from store.reading.growth import Asked
from store.reading.territory import Tenant, tenant_by_id

ZONE = ZoneInfo("Europe/Paris")
FIRST = date(2025, 11, 1)
NOW = datetime(2025, 12, 1, 9, tzinfo=ZONE)
START = datetime(2025, 11, 1, tzinfo=ZONE)
POWER, WATER = energy_view.ELECTRICITY, "water_volume"
HOURS = 720  # of the month
# What each counts in an hour: the general meter of the school, of which the heating, in it the kitchen, and the
# gymnasium next door are parts; a town hall by itself; the school's water, and what leaks behind it.
AN_HOUR = {"general": 10.0, "heating": 4.0, "kitchen": 1.0, "gym": 2.0, "office": 3.0, "water": 0.2, "toilets": 0.15}
PART_OF = {"heating": "general", "kitchen": "heating", "gym": "general", "toilets": "water"}
USE = {"heating": "heating", "kitchen": "kitchen"}
SITE = {"gym": "Gymnase", "office": "Mairie"}


class World(NamedTuple):
    tenant: Tenant
    points: dict[str, int]
    sites: dict[str, int]


async def a_world(connection: asyncpg.Connection) -> World:
    tenant_id = await declare_tenant(
        connection, TenantDeclaration(slug="mareuville", name="Mareuville", kind="commune")
    )
    sites = {name: await declare_site(connection, tenant_id, name) for name in ("École", "Gymnase", "Mairie")}
    points = {name: await declare_point(connection, sites[SITE.get(name, "École")], name) for name in AN_HOUR}
    rows = []
    for number, (name, amount) in enumerate(AN_HOUR.items(), 1):
        device_id = await a_device(connection, tenant_id, number)
        await assign(connection, device_id, points[name], START - timedelta(days=10))
        rows += [
            Row(
                device_id, WATER if name in {"water", "toilets"} else POWER, 0, START + (n - 1) * HOUR, 1e4 + n * amount
            )
            for n in range(HOURS + 2)
        ]
    await write_measurements(connection, rows)
    for name, whole in PART_OF.items():
        await tell_part(connection, points[name], USE.get(name), points[whole])  # type: ignore[arg-type] # of USES
    await run_once(connection, NOW)
    return World(await tenant_by_id(connection, tenant_id), points, sites)


async def heard(connection: asyncpg.Connection, world: World) -> None:
    """Note what each sensor told last."""
    await connection.execute(
        "INSERT INTO latest_frames (device_id, layout, measured_at, received_at, quantity_ids, channels, readings)"
        " SELECT device_id, 1, $1, $1, ARRAY(SELECT quantity_id FROM quantities WHERE name = CASE WHEN point_id ="
        " ANY ($2) THEN 'water_volume' ELSE 'active_energy_import' END), '{0}', '{1}' FROM assignments",
        NOW,
        [world.points["water"], world.points["toilets"]],
    )


async def test_everything_that_adds_up_counts_them_once(connection: asyncpg.Connection) -> None:
    world = await a_world(connection)
    of_tenant, told_of = (connection, world.tenant), months.to_date(NOW, ZONE)
    expected = {"École": 8.0, "Gymnase": 2.0, "Mairie": 3.0}  # 10 of the school's meter, of which 2 next door

    by_site: dict[int, float] = defaultdict(float)
    for one in await consumption.uses(*of_tenant, (POWER,), *told_of.bounds):
        by_site[one.site_id] += one.amount
    assert by_site == {world.sites[name]: pytest.approx(HOURS * amount) for name, amount in expected.items()}

    told = await consumption.days(*of_tenant, (POWER, WATER), [told_of.bounds, months.year_before(told_of).bounds])
    of_days: dict[str, float] = defaultdict(float)
    for row in told:
        if row.day is not None:
            of_days[row.quantity] += row.increase or 0.0
    assert of_days == {POWER: pytest.approx(HOURS * 13.0), WATER: pytest.approx(HOURS * 0.2)}
    tile = use.tiles(told, told_of, texts("fr"))[0]
    assert tile.number.replace("\u202f", "") == str(round(HOURS * 13))
    found = breakdown.breakdown([one for one in told if one.quantity == POWER])
    assert found.excess == []
    split = {(one.site_id, one.use): round(one.amount / HOURS, 6) for one in found.parts}
    school = world.sites["École"]
    assert split == {
        (school, "heating"): 3.0,
        (school, "kitchen"): 1.0,
        (school, breakdown.REST): 4.0,
        (world.sites["Gymnase"], breakdown.REST): 2.0,
        (world.sites["Mairie"], breakdown.UNSAID): 3.0,
    }
    for name, amount in expected.items():  # as the list of sites has it
        own = [one for one in told if one.site_id == world.sites[name] and one.quantity == POWER]
        assert (
            use.figure(use.KINDS[0], own, told_of, texts("fr"))
            .replace("\u202f", "")
            .startswith(str(round(HOURS * amount)))
        )

    report = await month.read(connection, world.tenant, FIRST)
    assert report.energy.total.kwh == pytest.approx(HOURS * 13)
    assert {one.name: one.base_load_w for one in report.energy.sites} == {
        name: pytest.approx(amount * 1000) for name, amount in expected.items()
    }
    assert (report.kwh[-1][1], report.m3[-1][1]) == (pytest.approx(HOURS * 13), pytest.approx(HOURS * 0.2))
    leaks = {one.point_id: one.leak is not None for one in report.meters}
    assert leaks == {world.points["water"]: True, world.points["toilets"]: True}
    assert report.meters[0].part_of in {None, world.points["water"]}

    asked = Asked([world.tenant.tenant_id], (POWER, WATER), [told_of.bounds, told_of.bounds], "Europe/Paris")
    below = {one.quantity: (one.used, one.comparable) for one in await used_below(connection, asked, 1)}
    assert below == {
        POWER: (pytest.approx(HOURS * 13), pytest.approx(HOURS * 13)),
        WATER: (pytest.approx(HOURS * 0.2), pytest.approx(HOURS * 0.2)),
    }
    meters = await counted(connection, asked._replace(periods=[told_of.bounds]), base_c=18)
    compared: dict[int, float] = defaultdict(float)
    for meter in meters:
        if meter.quantity == POWER:
            compared[meter.site_id] += meter.used
    assert compared == {world.sites[name]: pytest.approx(HOURS * amount) for name, amount in expected.items()}
    for name, amount in expected.items():
        hours = await hourly.hours_of_site(
            *of_tenant, world.sites[name], (POWER,), start=told_of.bounds[0], end=told_of.bounds[0] + 3 * HOUR
        )
        assert [one.increase for one in hours] == [pytest.approx(amount)] * 3


async def test_a_site_is_published_without_what_is_counted_behind(connection: asyncpg.Connection) -> None:
    world = await a_world(connection)
    await heard(connection, world)
    await connection.execute("UPDATE points SET is_individual = false")
    for grain in ("site", "point"):
        wanted = open_data.Wanted(grain, grain, grain, [POWER], grain, "day", START)  # type: ignore[arg-type] # of Grain
        assert await open_data.add_dataset(connection, world.tenant.tenant_id, wanted) is not None
    assert await publish(connection, NOW) == 2
    rows = await connection.fetch(
        "SELECT grain, site, sum(increase) / count(DISTINCT start) AS increase FROM open_rows JOIN open_datasets"
        " USING (dataset_id) WHERE open_rows.start >= $1 AND open_rows.start < $2 GROUP BY grain, site",
        START,
        START + timedelta(days=20),
    )
    told = {(row["grain"], row["site"]): row["increase"] for row in rows}
    assert told == {
        ("site", "École"): pytest.approx(24 * 8.0),
        ("site", "Gymnase"): pytest.approx(24 * 2.0),
        ("site", "Mairie"): pytest.approx(24 * 3.0),
        ("point", "École"): pytest.approx(24 * 15.0),  # each point says what it counted
        ("point", "Gymnase"): pytest.approx(24 * 2.0),
        ("point", "Mairie"): pytest.approx(24 * 3.0),
    }


async def test_a_part_is_not_its_own_nor_another_tenant_s_nor_of_something_else(connection: asyncpg.Connection) -> None:
    world = await a_world(connection)
    tenant_id, points = world.tenant.tenant_id, world.points
    other_id = await declare_tenant(connection, TenantDeclaration(slug="autreville", name="Autreville", kind="commune"))
    foreign = await declare_point(connection, await declare_site(connection, other_id, "École"), "general")

    async def refused(name: str, whole: int) -> str:
        with pytest.raises(PartError) as error:
            async with connection.transaction():
                await installing.change_point(connection, tenant_id, points[name], {"part_of": whole})
        return error.value.why

    assert await refused("general", points["general"]) == "ring"
    assert await refused("general", points["kitchen"]) == "ring"  # through the heating
    assert await refused("heating", foreign) == await refused("heating", 2**31 - 1) == "absent"
    await heard(connection, world)
    assert await refused("office", points["water"]) == "quantity"
    assert await parts.wholes(connection, tenant_id, points["office"]) == {
        points[name] for name in ("general", "heating", "kitchen", "gym")
    }
    assert await parts.wholes(connection, tenant_id, points["heating"]) == {
        points[name] for name in ("general", "gym", "office")
    }
    changed = await installing.change_point(connection, tenant_id, points["office"], {"part_of": points["general"]})
    assert changed.part_of == points["general"]
    assert (await installing.change_point(connection, tenant_id, points["office"], {"part_of": None})).part_of is None
    for name in USES:
        await tell_part(connection, points["office"], name, None)


async def test_two_halves_of_a_ring_do_not_close_it(
    connection: asyncpg.Connection, other_connection: asyncpg.Connection
) -> None:
    tenant_id = await declare_tenant(
        connection, TenantDeclaration(slug="mareuville", name="Mareuville", kind="commune")
    )
    site_id = await declare_site(connection, tenant_id, "École")
    one, two, three = [await declare_point(connection, site_id, name) for name in ("one", "two", "three")]
    statement = "UPDATE points SET part_of = $2 WHERE point_id = $1"
    await connection.execute(statement, two, three)
    first = connection.transaction()
    await first.start()
    await connection.execute(statement, one, two)
    second = asyncio.create_task(other_connection.execute(statement, three, one))
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not second.done()
    await first.commit()
    with pytest.raises(asyncpg.CheckViolationError):
        await second


def test_the_leak_behind_a_sub_meter_is_not_told_twice() -> None:
    """Of 200 L an hour, 150 run behind the sub-meter: 50 are the general meter's own."""
    hours = [
        hourly.HourUse(1, point, WATER, START + timedelta(days=n, hours=3 + hour), amount)
        for n in range(6)
        for hour in range(2)
        for point, amount in ((1, 0.2), (2, 0.15))
    ]
    assert [one.amount for one in water_view.alone(hours, {1: None, 2: 1})] == [pytest.approx(0.05), 0.15] * 12


async def test_what_a_network_lets_through_is_in_no_total(connection: asyncpg.Connection) -> None:
    world = await a_world(connection)
    await tell_part(connection, world.points["water"], "distribution", None)
    period = months.to_date(NOW, ZONE).bounds
    told = await consumption.days(connection, world.tenant, (WATER,), [period])
    assert sum(one.increase or 0.0 for one in told if one.day is not None) == pytest.approx(HOURS * 0.15)
    by_point = {one.point_id: (one.weight, one.increase) for one in told if one.point_id is not None}
    assert by_point == {  # which is told of itself, and what is behind it counts by itself
        world.points["water"]: (0, pytest.approx(HOURS * 0.2)),
        world.points["toilets"]: (1, pytest.approx(HOURS * 0.15)),
    }
    assert [one.use for one in breakdown.breakdown(told).parts] == [breakdown.REST]
