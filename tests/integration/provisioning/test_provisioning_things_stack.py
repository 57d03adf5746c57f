"""Devices on The Things Stack: four registries, any of which can fail half-way."""

from collections.abc import AsyncIterator

import api_world
import pytest
from provisioning_world import AIR, APP_KEY, JOIN_EUI, Desk, desk_of
from things_stack_server import APP, PROFILE, TOKEN, ThingsStackServer, serving

ID = f"eui-{AIR}"


@pytest.fixture
async def stack() -> AsyncIterator[ThingsStackServer]:
    async with serving() as server:
        yield server


@pytest.fixture
async def ready(territory: api_world.Territory, stack: ThingsStackServer) -> AsyncIterator[Desk]:
    async for desk in desk_of(territory, stack.address):
        await desk.configure(stack.address, APP, TOKEN, PROFILE, kind="thethingsstack")
        yield desk


async def test_a_device_is_in_all_four_registries_and_leaves_them(ready: Desk, stack: ThingsStackServer) -> None:
    await ready.put(AIR, join_eui=JOIN_EUI, app_key=APP_KEY)
    await ready.work()
    ids = {"device_id": ID, "dev_eui": AIR.upper(), "join_eui": JOIN_EUI.upper()}
    assert {name: one[ID]["ids"] for name, one in stack.registries.items()} == dict.fromkeys(
        ("", "js", "ns", "as"), ids
    )
    assert stack.registries[""][ID]["name"] == "Air, classe de CM2"
    assert stack.registries["js"][ID]["root_keys"] == {"app_key": {"key": APP_KEY.upper()}}
    network = stack.registries["ns"][ID]
    assert (network["lorawan_phy_version"], network["supports_join"]) == ("PHY_V1_0_3_REV_A", True)
    (order,) = await ready.orders()
    assert (order["state"], order["steps"]) == ("done", ["created", "keyed"])
    assert await ready.secrets() == 0
    await ready.ask("POST", "network-orders", 201, act="delete", devices=[{"dev_eui": AIR}])
    await ready.work()
    assert not any(stack.registries.values())


async def test_what_was_cut_short_is_completed(ready: Desk, stack: ThingsStackServer) -> None:
    stack.failures["PUT ns"] = [503]
    stack.failures["PUT js"] = [429]
    await ready.put(AIR, join_eui=JOIN_EUI, app_key=APP_KEY)
    await ready.work()
    assert (set(stack.registries[""]), stack.registries["ns"]) == ({ID}, {})
    await ready.later(seconds=10)  # the network server takes it, the join server does not yet
    await ready.later(seconds=20)
    (order,) = await ready.orders()
    assert (order["state"], order["steps"], order["attempts"]) == ("done", ["changed", "keyed"], 3)
    assert all(set(one) == {ID} for one in stack.registries.values())
    assert stack.calls["POST"] == 3  # tried each time, made once


async def test_a_device_that_is_there_under_another_id_is_changed(ready: Desk, stack: ThingsStackServer) -> None:
    stack.add("salle-de-classe", AIR, "Autre")
    await ready.put(AIR)
    await ready.work()
    assert stack.registries[""]["salle-de-classe"]["name"] == "Air, classe de CM2"
    assert (await ready.orders())[0]["steps"] == ["changed"]
    await ready.put(AIR, join_eui=JOIN_EUI)
    await ready.work()
    assert "JoinEUI" in (await ready.orders())[1]["trouble"]


async def test_what_another_application_has_stays_as_it_is(ready: Desk, stack: ThingsStackServer) -> None:
    stack.taken = {AIR.upper()}
    await ready.put(AIR)
    await ready.ask("POST", "network-orders", 201, act="delete", devices=[{"dev_eui": AIR}])
    await ready.work()
    first, second = await ready.orders()
    assert (first["state"], second["state"], second["steps"]) == ("failed", "done", [])
    assert "another" in first["trouble"]


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b'{"end_devices": [{"ids": {"device_id": "../x"}}]}', b'{"end_devices": 1}', b"\xff" * 9_000_000],
)
async def test_an_answer_that_is_none_harms_its_own_order_alone(
    ready: Desk, stack: ThingsStackServer, said: bytes
) -> None:
    stack.taken = {AIR.upper()}
    stack.instead = said
    await ready.put(AIR)
    await ready.ask("POST", "network-orders", 201, act="list")
    await ready.work()
    assert [one["state"] for one in await ready.orders()] == ["failed", "failed"]
    stack.instead, stack.taken = None, set()
    await ready.put(AIR)
    await ready.work()
    assert (await ready.orders())[2]["state"] == "done"
