"""Declaring twice changes nothing; a replaced or moved device leaves its past behind."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from store_world import a_device, a_place, utc

from domain.errors import NotFoundError
from store.assignments import AssignmentError, assign, move, release
from store.fleet import (
    DeclarationError,
    DeviceDeclaration,
    Model,
    TenantDeclaration,
    declare_device,
    declare_devices,
    declare_point,
    declare_site,
    declare_tenant,
    sync_models,
)

NOW = utc(2025, 6, 15, 12)
LATER = NOW + timedelta(days=3)
EUI = f"{0xA1:016x}"


async def assignments(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    rows = await connection.fetch(
        "SELECT device_id, point_id, lower(during), upper(during) FROM assignments ORDER BY assignment_id"
    )
    return [tuple(row) for row in rows]


async def dump(connection: asyncpg.Connection) -> list[Any]:
    tables = ("tenants", "sites", "points", "models", "devices", "assignments")
    return [await connection.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


async def test_declaring_again_changes_nothing(connection: asyncpg.Connection) -> None:
    declared = [
        DeviceDeclaration(EUI, "compteur", "acme-sm1", "École", "Eau froide", 50.0, 2.65),
        DeviceDeclaration(f"{2:016x}", "sonde", None, "École", "Cour"),
        DeviceDeclaration(f"{3:016x}"),
    ]
    dumps = []
    for at in (NOW, LATER):
        await declare_tenant(connection, TenantDeclaration("cc", "CC", "epci"))
        tenant_id = await declare_tenant(connection, TenantDeclaration("albert", "Albert", "commune", parent="cc"))
        await sync_models(connection, [Model("acme-sm1", "Acme", "SM1", 900)])
        assert await declare_devices(connection, tenant_id, declared, at) == 3
        dumps.append(await dump(connection))
    assert dumps[0] == dumps[1]


async def test_what_is_declared_otherwise_changes_and_what_is_not_said_stays(connection: asyncpg.Connection) -> None:
    await sync_models(connection, [Model("a", "Acme", "A", None)])
    await sync_models(connection, [Model("a", "Acme", "A", 600), Model("b", "Acme", "B", None)])
    place = await a_place(connection, "albert")
    device_id = await declare_device(connection, place.tenant_id, EUI, name="one", model_id="a")
    assert await declare_device(connection, place.tenant_id, EUI) == device_id
    assert await declare_device(connection, place.tenant_id, EUI, model_id="b") == device_id
    row = await connection.fetchrow("SELECT name, model_id FROM devices")
    assert row == ("one", "b")
    await declare_site(connection, place.tenant_id, "École", latitude_deg=50.0, longitude_deg=2.0)
    await declare_site(connection, place.tenant_id, "École")
    assert await connection.fetchval("SELECT latitude_deg FROM sites") == 50.0
    assert await connection.fetchval("SELECT period_s FROM models WHERE model_id = 'a'") == 600


@pytest.mark.parametrize(
    "declared",
    [
        DeviceDeclaration("A1"),
        DeviceDeclaration(EUI, model_id="no such model"),
        DeviceDeclaration(EUI, name="nul \0"),
        DeviceDeclaration(EUI, site="", point="x"),
        DeviceDeclaration(EUI, site="x", point=""),
        DeviceDeclaration(EUI, site="x", point="y", latitude_deg=91.0),
    ],
)
async def test_what_the_schema_refuses_leaves_nothing(
    connection: asyncpg.Connection, declared: DeviceDeclaration
) -> None:
    place = await a_place(connection, "albert")
    before = await dump(connection)
    with pytest.raises(DeclarationError):
        await declare_devices(connection, place.tenant_id, [DeviceDeclaration(f"{9:016x}"), declared], NOW)
    assert await dump(connection) == before


async def test_a_device_of_another_tenant_is_refused(connection: asyncpg.Connection) -> None:
    one, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    await declare_device(connection, one.tenant_id, EUI, name="mine")
    with pytest.raises(DeclarationError) as error:
        await declare_device(connection, other.tenant_id, EUI, name="theirs")
    assert "albert" not in str(error.value)
    assert await connection.fetchval("SELECT name FROM devices") == "mine"


async def test_tenants_that_cannot_be_are_refused(connection: asyncpg.Connection) -> None:
    for declared in (
        TenantDeclaration("Bad slug", "x", "commune"),
        TenantDeclaration("x", "x", "kingdom"),
        TenantDeclaration("x", "", "commune"),
        TenantDeclaration("x", "x", "commune", siren="12"),
    ):
        with pytest.raises(DeclarationError):
            await declare_tenant(connection, declared)
    with pytest.raises(NotFoundError):
        await declare_tenant(connection, TenantDeclaration("x", "x", "commune", parent="nobody"))
    assert await connection.fetchval("SELECT count(*) FROM tenants") == 0


async def test_a_replaced_device_hands_its_point_over(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    old, new = [await a_device(connection, place.tenant_id, number) for number in (1, 2)]
    assert await assign(connection, old, place.point_id, NOW)
    assert not await assign(connection, old, place.point_id, LATER)
    assert await assign(connection, new, place.point_id, LATER)
    assert await assignments(connection) == [
        (old, place.point_id, None, LATER),
        (new, place.point_id, LATER, None),
    ]


async def test_a_device_declared_at_another_point_leaves_the_former(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    await declare_devices(connection, place.tenant_id, [DeviceDeclaration(EUI, site="École", point="A")], NOW)
    await declare_devices(connection, place.tenant_id, [DeviceDeclaration(EUI, site="École", point="B")], LATER)
    found = await assignments(connection)
    assert [row[2:] for row in found] == [(None, LATER), (LATER, None)]
    assert found[0][1] != found[1][1]


async def test_an_assignment_that_lasted_no_time_is_forgotten(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    other = await declare_point(connection, await declare_site(connection, place.tenant_id, "Mairie"), "Hall")
    await assign(connection, device_id, place.point_id, NOW)
    await assign(connection, device_id, other, LATER)
    await assign(connection, device_id, place.point_id, LATER)
    assert await assignments(connection) == [
        (device_id, place.point_id, None, LATER),
        (device_id, place.point_id, LATER, None),
    ]


async def test_assignments_are_changed_forwards(connection: asyncpg.Connection) -> None:
    place = await a_place(connection, "albert")
    device_id = await a_device(connection, place.tenant_id, 1)
    other = await declare_point(connection, await declare_site(connection, place.tenant_id, "Mairie"), "Hall")
    await assign(connection, device_id, place.point_id, NOW)
    await assign(connection, device_id, other, LATER)
    with pytest.raises(AssignmentError):
        await assign(connection, device_id, place.point_id, NOW)
    with pytest.raises(AssignmentError):
        await release(connection, device_id, NOW)
    assert await release(connection, device_id, LATER + timedelta(days=1))
    assert not await release(connection, device_id, LATER + timedelta(days=1))
    with pytest.raises(AssignmentError):
        await assign(connection, device_id, other, LATER)


async def test_a_device_moves_to_another_tenant_before_it_measures_there(connection: asyncpg.Connection) -> None:
    one, other = await a_place(connection, "albert"), await a_place(connection, "bray")
    device_id = await a_device(connection, one.tenant_id, 1)
    await assign(connection, device_id, one.point_id, NOW)
    with pytest.raises(AssignmentError):
        await assign(connection, device_id, other.point_id, LATER)
    await move(connection, device_id, other.tenant_id, LATER)
    assert await assign(connection, device_id, other.point_id, LATER)
    with pytest.raises(NotFoundError):
        await move(connection, 999_999, other.tenant_id, LATER)
    with pytest.raises(NotFoundError):
        await assign(connection, device_id, 999_999, LATER)


async def test_two_who_assign_one_point_take_turns(
    connection: asyncpg.Connection, other_connection: asyncpg.Connection
) -> None:
    place = await a_place(connection, "albert")
    pair = [await a_device(connection, place.tenant_id, number) for number in (1, 2)]
    await asyncio.gather(
        assign(connection, pair[0], place.point_id, NOW), assign(other_connection, pair[1], place.point_id, NOW)
    )
    going_on = [row for row in await assignments(connection) if row[3] is None]
    assert len(going_on) == 1
