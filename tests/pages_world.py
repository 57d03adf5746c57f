"""Thirteen months of a commune, for the tests of the pages and for looking at them.

Mareuville, of the Val de Selle with Croixval, has a school (electricity, gas, water whose meter was replaced, air),
a town hall, a pumping station that leaks, and a hall whose sensor never spoke. A CO2 alert is open. Bellecourt, a third
commune, has a school; it agreed to be compared, as Mareuville and Croixval did, and Sansaccord did not.
"""

import json
import math
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg
from api_world import NOW, Sensor

from store import comparing
from store.assignments import assign
from store.buildings import set_building
from store.fleet import (
    Model,
    TenantDeclaration,
    declare_device,
    declare_point,
    declare_site,
    declare_tenant,
    sync_models,
)
from store.maintenance.rollups import rebuild
from store.partitions import ensure_partitions, month_of

SINCE = datetime(2024, 10, 20, tzinfo=UTC)
REPLACED = datetime(2025, 9, 16, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
FINE = NOW - timedelta(days=35)  # hourly from then on, every six hours before
GAP = (NOW - timedelta(days=5), NOW - timedelta(days=4))  # the classroom's sensor was silent

Says = Callable[[datetime], dict[str, float]]


class World(NamedTuple):
    tenant_id: int
    epci_id: int
    school: int
    hall: int
    pumping: int
    power: Sensor
    gas: Sensor
    water: Sensor  # the meter of today; another one measured until REPLACED
    air: Sensor
    office: Sensor
    leak: Sensor
    silent: Sensor
    foreign: Sensor
    third: Sensor


async def build(connection: asyncpg.Connection) -> World:
    """Declare the territory, write its past, and roll it up."""
    models = [Model("acme-meter", "Acme", "Meter", 3600), Model("acme-air", "Acme", "Air", 3600)]
    await sync_models(connection, models)
    epci_id = await _tenant(connection, "val-de-selle", "CC du Val de Selle", "epci")
    tenant_id = await _tenant(connection, "mareuville", "Mairie de Mareuville", "commune", "val-de-selle", "80999")
    other_id = await _tenant(connection, "croixval", "Mairie de Croixval", "commune", "val-de-selle", "80998")
    school = await _site(connection, tenant_id, "École Jules-Verne", "school", 49.7012, 2.2013)
    hall = await _site(connection, tenant_id, "Mairie", "town_hall", 49.7003, 2.1978)
    pumping = await _site(connection, tenant_id, "Station de pompage", "pumping_station", 49.6921, 2.2102)
    party = await _site(connection, tenant_id, "Salle des fêtes", "hall", None, None)
    elsewhere = await _site(connection, other_id, "École de Croixval", "school", 49.7203, 2.1633)
    third_id = await _tenant(connection, "bellecourt", "Mairie de Bellecourt", "commune", "val-de-selle", "80997")
    third = await _site(connection, third_id, "École de Bellecourt", "school", None, None)
    await _tenant(connection, "sansaccord", "Mairie de Sansaccord", "commune", "val-de-selle", "80996")
    await _compared(connection, {(tenant_id, school): 1400.0, (other_id, elsewhere): 160.0, (third_id, third): 210.0})
    meter = "acme-meter"
    before = await _sensor(connection, tenant_id, school, 9, "Eau froide", meter)
    world = World(
        tenant_id,
        epci_id,
        school,
        hall,
        pumping,
        power=await _sensor(connection, tenant_id, school, 1, "Électricité générale", meter),
        gas=await _sensor(connection, tenant_id, school, 2, "Gaz, chaufferie", meter),
        water=await _sensor(connection, tenant_id, school, 3, "Eau froide", meter, since=REPLACED),
        air=await _sensor(connection, tenant_id, school, 4, "Air, classe de CM2", "acme-air"),
        office=await _sensor(connection, tenant_id, hall, 5, "Électricité", meter),
        leak=await _sensor(connection, tenant_id, pumping, 6, "Eau distribuée", meter),
        silent=await _sensor(connection, tenant_id, party, 7, "Sonde neuve", "acme-air"),
        foreign=await _sensor(connection, other_id, elsewhere, 8, "Électricité de Croixval", meter),
        third=await _sensor(connection, third_id, third, 10, "Électricité de Bellecourt", meter),
    )
    await _write(connection, list(_speakers(world, before.device_id)))
    await _alert(connection, world)
    return world


async def _compared(connection: asyncpg.Connection, floors: dict[tuple[int, int], float]) -> None:
    """Tell the floor of each (tenant, site), the inhabitants of each tenant, and that it agreed."""
    for (tenant_id, site_id), floor_area_m2 in floors.items():
        await set_building(connection, tenant_id, site_id, floor_area_m2=floor_area_m2)
        await comparing.set_population(connection, tenant_id, 600, 2025)
        await comparing.agree(connection, tenant_id, None, "Camille Roux")


async def _tenant(
    connection: asyncpg.Connection, slug: str, name: str, kind: str, parent: str | None = None, insee: str | None = None
) -> int:
    return await declare_tenant(connection, TenantDeclaration(slug, name, kind, parent, insee))


async def _site(
    connection: asyncpg.Connection,
    tenant_id: int,
    name: str,
    kind: str,
    latitude: float | None,
    longitude: float | None,
) -> int:
    site_id = await declare_site(connection, tenant_id, name, latitude_deg=latitude, longitude_deg=longitude)
    await connection.execute("UPDATE sites SET kind = $2 WHERE site_id = $1", site_id, kind)
    return site_id


async def _sensor(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: int,
    number: int,
    name: str,
    model_id: str,
    since: datetime = SINCE - HOUR,
) -> Sensor:
    eui = f"70b3d5{number:010x}"
    device_id = await declare_device(connection, tenant_id, eui, name=name, model_id=model_id)
    point_id = await declare_point(connection, site_id, name)
    await assign(connection, device_id, point_id, since)
    return Sensor(point_id, device_id)


class _Speaker(NamedTuple):
    device_id: int
    start: datetime
    end: datetime
    says: Says


def _speakers(world: World, before: int) -> Iterator[_Speaker]:
    yield _Speaker(world.power.device_id, SINCE, NOW, _meter("active_energy_import", 2.4, winter=1.6, growth=0.92))
    yield _Speaker(world.gas.device_id, SINCE, NOW, _meter("gas_volume", 1.1, winter=6, growth=1.0))
    yield _Speaker(before, SINCE, REPLACED, _meter("water_volume", 0.06, winter=1, growth=1.0))
    yield _Speaker(world.water.device_id, REPLACED, NOW, _meter("water_volume", 0.06, winter=1, growth=1.1))
    yield _Speaker(world.air.device_id, SINCE, NOW, _air)
    yield _Speaker(world.office.device_id, SINCE, NOW, _meter("active_energy_import", 1.2, winter=1.3, growth=0.97))
    yield _Speaker(world.leak.device_id, SINCE, NOW, _meter("water_volume", 1.8, winter=1, growth=1.25))
    yield _Speaker(world.foreign.device_id, SINCE, NOW, _meter("active_energy_import", 1.9, winter=1.5, growth=1.05))
    yield _Speaker(world.third.device_id, SINCE, NOW, _meter("active_energy_import", 2.2, winter=1.5, growth=1.0))


def _meter(quantity: str, mean: float, *, winter: float, growth: float) -> Says:
    """An index that grows by `mean` an hour, more in winter and by day; `growth` times as fast in the second year."""

    def index(at: datetime) -> dict[str, float]:
        hours = (at - SINCE) / HOUR
        year = 8766.0
        season = (winter - 1) / 2 * (hours + year / (2 * math.pi) * math.sin(2 * math.pi * (hours - 2000) / year))
        day = 12 / math.pi * -math.cos(2 * math.pi * (hours - 8) / 24) * 0.4
        late = max(hours - year + 24 * 40, 0) * (growth - 1)
        return {quantity: round(5000 + mean * (hours + season + day + late), 3)}

    return index


def _air(at: datetime) -> dict[str, float]:
    if GAP[0] < at < GAP[1]:
        return {}
    open_ = at.weekday() < 5 and 7 <= at.hour < 16
    phase = 2 * math.pi * (at.hour - 9) / 24
    co2 = 450 + (850 * (at.hour - 6) / 9 if open_ else 0) + 40 * math.sin(at.day)
    return {
        "temperature": round((20.5 if open_ else 17.5) + math.sin(phase) + 0.4 * math.cos(at.day), 1),
        "humidity": round(48 + 6 * math.cos(phase)),
        "co2": round(co2),
    }


async def _write(connection: asyncpg.Connection, speakers: list[_Speaker]) -> None:
    rows = [
        (at, speaker.device_id, quantity, value)
        for speaker in speakers
        for at in _times(speaker.start, speaker.end)
        for quantity, value in speaker.says(at).items()
    ]
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    await ensure_partitions(connection, "measurements", {month_of(at) for at, *_ in rows})
    await connection.copy_records_to_table(
        "measurements",
        columns=["measured_at", "received_at", "value", "device_id", "quantity_id", "channel"],
        records=[(at, at, value, device_id, ids[quantity], 0) for at, device_id, quantity, value in rows],
    )
    await rebuild(connection, {(device_id, at) for at, device_id, *_ in rows})
    newest: dict[tuple[int, str], tuple[datetime, float]] = {}
    for at, device_id, quantity, value in rows:
        newest[device_id, quantity] = at, value
    for device_id in {device_id for device_id, _ in newest}:
        frame = {quantity: told for (of, quantity), told in newest.items() if of == device_id}
        at = max(at for at, _ in frame.values())
        numbers, values = [ids[quantity] for quantity in frame], [value for _, value in frame.values()]
        await connection.execute(
            "INSERT INTO latest_frames VALUES ($1, 1, $2, $2, $3, $4, $5)",
            device_id,
            at,
            numbers,
            [0] * len(numbers),
            values,
        )


def _times(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start
    while at <= end:
        yield at
        at += HOUR if at >= FINE else 6 * HOUR


async def _alert(connection: asyncpg.Connection, world: World) -> None:
    """A rule on the classroom's CO2, and its alert, which is open."""
    rule_id = await connection.fetchval(
        "INSERT INTO rules (tenant_id, name, kind, definition, target, severity, enabled, backtest_version)"
        " VALUES ($1, 'CO2 en classe', 'threshold', $2, $3, 'warning', true, 1) RETURNING rule_id",
        world.tenant_id,
        json.dumps({"quantity": "co2", "above": 1000}),
        json.dumps({"site_id": world.school}),
    )
    started = NOW - timedelta(hours=19)
    incident_id = await connection.fetchval(
        "INSERT INTO incidents (tenant_id, cause, opened_at, site_id, severity)"
        " VALUES ($1, 'co2', $2, $3, 'warning') RETURNING incident_id",
        world.tenant_id,
        started,
        world.school,
    )
    await connection.execute(
        "INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, site_id, point_id, severity, degree, phase,"
        " started_at, value, reason, told, incident_id)"
        " VALUES ($1, $2, $3, 1, $4, $5, 'warning', 1, 'firing', $6, 1250, $7, true, $8)",
        uuid.UUID(int=7),
        world.tenant_id,
        rule_id,
        world.school,
        world.air.point_id,
        started,
        json.dumps({"value": 1250.0, "level": 1000.0}),
        incident_id,
    )
