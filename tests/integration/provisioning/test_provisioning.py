"""Devices on ChirpStack, asked over the API and done by the worker as the role that it has."""

import asyncio
import logging
from typing import Any

import asyncpg
import pytest
from chirpstack_server import (
    APPLICATION,
    FOREIGN_APPLICATION,
    OTHER_APPLICATION,
    OTHER_PROFILE,
    PROFILE,
    TOKEN,
    ChirpStackServer,
    Code,
    device,
)
from provisioning_world import AIR, APP_KEY, JOIN_EUI, NWK_KEY, Desk

from deploy.embedded.postgres import role_dsn
from store.access.roles import ALERTING, API

NAME = "Air, classe de CM2"


@pytest.fixture
async def ready(desk: Desk, chirpstack: ChirpStackServer) -> Desk:
    await desk.configure(chirpstack.address, APPLICATION, TOKEN, PROFILE)
    return desk


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "dev_eui": f"70b3d5e75e{number:06x}",
            "name": f"Sonde {number}",
            "model_id": "acme-th",
            "join_eui": JOIN_EUI,
            "app_key": f"{number:032x}",
        }
        for number in range(1, count + 1)
    ]


async def test_a_device_is_created_with_its_keys_which_are_then_forgotten(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    await ready.put(AIR, join_eui=JOIN_EUI, app_key=APP_KEY)
    assert await ready.secrets() == 1
    await ready.work()
    made = chirpstack.devices[AIR]
    assert (made.name, made.application_id, made.device_profile_id, made.join_eui) == (
        NAME, APPLICATION, PROFILE, JOIN_EUI,
    )  # fmt: skip
    assert (chirpstack.keys[AIR].nwk_key, chirpstack.keys[AIR].app_key) == (APP_KEY, "")  # LoRaWAN 1.0's AppKey
    (order,) = await ready.orders()
    assert (order["state"], order["steps"], order["attempts"]) == ("done", ["created", "keyed"], 1)
    assert await ready.secrets() == 0
    assert await ready.served.connection.fetchval("SELECT count(*) FROM device_keys") == 0
    await ready.put(AIR, app_key=APP_KEY, nwk_key=NWK_KEY)
    await ready.work()
    assert (chirpstack.keys[AIR].nwk_key, chirpstack.keys[AIR].app_key) == (NWK_KEY, APP_KEY)  # LoRaWAN 1.1
    assert (await ready.orders())[1]["steps"] == ["keyed"]


async def test_it_is_changed_moved_and_taken_away(ready: Desk, chirpstack: ChirpStackServer) -> None:
    there = device(AIR, "Autre", device_profile_id=OTHER_PROFILE, application_id=OTHER_APPLICATION)
    there.tags["étage"] = "2"
    chirpstack.devices[AIR] = there
    await ready.put(AIR)
    await ready.work()
    now = chirpstack.devices[AIR]
    assert (now.name, now.application_id, now.device_profile_id) == (NAME, APPLICATION, PROFILE)
    assert dict(now.tags) == {"étage": "2"}
    assert (await ready.orders())[0]["steps"] == ["moved"]
    now.name = "Autre"
    await ready.put(AIR)
    await ready.put(AIR)
    await ready.work()
    assert [one["steps"] for one in (await ready.orders())[1:]] == [["changed"], []]
    await ready.ask("POST", "network-orders", 201, act="delete", devices=[{"dev_eui": AIR}])
    await ready.work()
    assert chirpstack.devices == {}
    await ready.ask("POST", "network-orders", 201, act="delete", devices=[{"dev_eui": AIR}])
    await ready.work()
    assert [one["steps"] for one in (await ready.orders())[3:]] == [["deleted"], []]


async def test_a_batch_that_fails_in_its_middle_goes_on_and_nothing_is_done_twice(
    ready: Desk, chirpstack: ChirpStackServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = rows(8)
    euis = [one["dev_eui"] for one in given]
    chirpstack.fail("Create", euis[1], Code.UNAVAILABLE)
    chirpstack.fail("Create", euis[2], Code.DEADLINE_EXCEEDED)
    chirpstack.devices[euis[3]] = device(euis[3], "Sonde 4", join_eui=JOIN_EUI)  # somebody made it by hand
    chirpstack.fail("Create", euis[4], Code.PERMISSION_DENIED)
    chirpstack.fail("Create", euis[5], Code.INVALID_ARGUMENT)
    chirpstack.fail("CreateKeys", euis[6], Code.UNAVAILABLE)
    chirpstack.devices[euis[7]] = device(euis[7], "Secret", application_id=FOREIGN_APPLICATION)
    found = await ready.ask("POST", "imports", 201, rows=given, provision=True)
    assert (found["devices"], found["orders"], found["refused"]) == (8, 8, [])
    await ready.work()
    by_eui = {one["dev_eui"]: one for one in await ready.orders()}
    assert [by_eui[one]["state"] for one in euis] == [
        "done", "waiting", "waiting", "done", "waiting", "failed", "waiting", "failed",
    ]  # fmt: skip
    assert by_eui[euis[3]]["steps"] == ["keyed"]
    assert by_eui[euis[6]]["steps"] == ["created"]  # what was done is known, though the rest failed
    assert "unavailable" in by_eui[euis[1]]["trouble"]
    assert "another tenant" in by_eui[euis[7]]["trouble"]
    assert chirpstack.devices[euis[7]].name == "Secret"
    created = chirpstack.calls["Create"]
    await ready.later(seconds=10)
    by_eui = {one["dev_eui"]: one for one in await ready.orders()}
    assert {one["state"] for one in by_eui.values()} == {"done", "failed"}
    assert by_eui[euis[6]]["steps"] == ["created", "keyed"]
    assert chirpstack.calls["Create"] == created + 4  # those that waited, and no other
    assert {eui: keys.nwk_key for eui, keys in chirpstack.keys.items()} == {
        one["dev_eui"]: one["app_key"] for place, one in enumerate(given) if place not in {5, 7}
    }
    assert await ready.secrets() == 0
    again = await ready.ask("POST", "imports", 201, rows=given[:5], provision=True)
    assert (again["devices"], again["orders"]) == (0, 5)
    await ready.work()
    assert all(one["steps"] == ["keyed"] for one in (await ready.orders())[8:])
    said = caplog.text + str(await ready.orders())
    assert not any(one["app_key"] in said for one in given)
    assert TOKEN not in said


async def test_what_was_done_before_the_answer_was_lost_is_not_done_again(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    chirpstack.late = {"Create"}
    await ready.put(AIR, join_eui=JOIN_EUI, app_key=APP_KEY)
    await ready.work()
    assert AIR in chirpstack.devices
    assert (await ready.orders())[0]["state"] == "waiting"
    await ready.later(seconds=10)
    (order,) = await ready.orders()
    assert (order["state"], order["steps"], order["attempts"]) == ("done", ["keyed"], 2)
    assert chirpstack.calls["Update"] == 0


async def test_a_token_that_is_no_good_is_told_and_the_wishes_wait_for_a_better_one(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    chirpstack.token = "another"
    await ready.put(AIR, app_key=APP_KEY)
    await ready.work()
    (order,) = await ready.orders()
    assert (order["state"], order["trouble"]) == (
        "waiting",
        "ChirpStack answered unauthenticated: invalid token Bearer …",
    )
    assert (await ready.ask("GET", "network-server"))["trouble"] == order["trouble"]
    chirpstack.token = TOKEN
    await ready.later(minutes=1)
    assert (await ready.orders())[0]["state"] == "done"
    assert (await ready.ask("GET", "network-server"))["trouble"] == ""
    assert chirpstack.keys[AIR].nwk_key == APP_KEY


async def test_it_gives_up_after_two_days_and_forgets_the_keys(ready: Desk, chirpstack: ChirpStackServer) -> None:
    await ready.put(AIR, app_key=APP_KEY)
    chirpstack.fail("Create", AIR, *[Code.UNAVAILABLE] * 200)
    for _ in range(110):
        await ready.later(minutes=30)
    (order,) = await ready.orders()
    assert order["state"] == "failed"
    assert 90 < order["attempts"] < 110
    assert await ready.secrets() == 0


async def test_keys_that_are_kept_serve_when_the_device_is_made_anew(ready: Desk, chirpstack: ChirpStackServer) -> None:
    body = {"dev_eui": "70b3d5e75e0000aa", "site_name": "Gymnase", "point_name": "Air", "model_id": "acme-th"}
    done = {"provision": True, "keep_keys": True, "join_eui": JOIN_EUI, "app_key": APP_KEY}
    await ready.ask("POST", "installations", 201, **body, **done)
    assert await ready.served.connection.fetchval("SELECT count(*) FROM device_keys") == 1
    await ready.work()
    del chirpstack.devices[body["dev_eui"]], chirpstack.keys[body["dev_eui"]]
    await ready.put(body["dev_eui"])
    await ready.work()
    assert chirpstack.keys[body["dev_eui"]].nwk_key == APP_KEY
    assert chirpstack.devices[body["dev_eui"]].join_eui == JOIN_EUI


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(ready: Desk, chirpstack: ChirpStackServer) -> None:
    given = [*rows(2), {"dev_eui": "70b3d5e75e0000ff", "model_id": "acme-water"}]
    found = await ready.ask("POST", "imports", 201, rows=given, provision=True, dry_run=True)
    assert found["devices"] == 3
    assert found["planned"] == [
        {"dev_eui": given[0]["dev_eui"], "steps": ["created", "keyed"], "needs_profile": False},
        {"dev_eui": given[1]["dev_eui"], "steps": ["created", "keyed"], "needs_profile": False},
        {"dev_eui": given[2]["dev_eui"], "steps": ["created"], "needs_profile": True},
    ]
    assert await ready.orders() == []
    count = "SELECT count(*) FROM devices WHERE dev_eui LIKE '70b3d5e75e%'"
    assert await ready.served.connection.fetchval(count) == 0
    asked = {"act": "put", "devices": [{"dev_eui": AIR}], "dry_run": True}
    assert (await ready.ask("POST", "network-orders", 201, **asked))["planned"][0]["steps"] == ["created"]
    await ready.put(AIR)
    await ready.work()
    assert (await ready.ask("POST", "network-orders", 201, **asked))["planned"][0]["steps"] == []
    chirpstack.calls.clear()


async def test_a_model_without_profile_is_told(ready: Desk, chirpstack: ChirpStackServer) -> None:
    await ready.put(f"{2:016x}")  # acme-water
    await ready.work()
    (order,) = await ready.orders()
    assert order["state"] == "failed"
    assert "profile" in order["trouble"]
    assert chirpstack.devices == {}


async def test_a_tenant_s_address_does_not_lead_inside_unless_the_operator_named_it(
    desk: Desk, chirpstack: ChirpStackServer
) -> None:
    for address in (chirpstack.address.replace("127.0.0.1", "localhost"), "https://127.0.0.1:1", "http://10.0.0.1"):
        await desk.configure(address, APPLICATION, TOKEN, PROFILE)
        await desk.put(AIR)
        await desk.work()
        last = (await desk.orders())[-1]
        assert (last["state"], "refused" in last["trouble"]) == ("failed", True), last
    assert not chirpstack.calls


async def test_another_address_needs_its_token_and_no_answer_tells_one(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    there = await ready.ask("GET", "network-server")
    assert (there["kind"], there["application"]) == ("chirpstack", APPLICATION)
    assert TOKEN not in str(there)
    moved = {"kind": "chirpstack", "address": "https://elsewhere.example", "application": APPLICATION}
    await ready.ask("POST", "network-server", 409, **moved)
    same = {"kind": "chirpstack", "address": chirpstack.address, "application": APPLICATION}
    await ready.ask("POST", "network-server", 201, **same)  # its token stays
    assert await ready.served.connection.fetchval("SELECT count(*) FROM network_secrets") == 1
    await ready.ask("POST", "network-server", 409, **same, profiles=[{"model_id": "nobody-knows", "profile": PROFILE}])
    await ready.ask("DELETE", "network-server", 204)
    await ready.ask("GET", "network-server", 404)
    assert await ready.served.connection.fetchval("SELECT count(*) FROM network_secrets") == 0
    await ready.ask("POST", "network-orders", 409, act="put", devices=[{"dev_eui": AIR}])


async def test_two_workers_do_a_thing_once(ready: Desk, chirpstack: ChirpStackServer) -> None:
    given = rows(30)
    await ready.ask("POST", "imports", 201, rows=given, provision=True)
    await asyncio.gather(ready.work(), ready.work())
    assert chirpstack.calls["Create"] == 30
    assert {one["attempts"] for one in await ready.orders()} == {1}


async def test_a_tenant_is_served_by_the_one_above_and_takes_away_nothing_of_others(
    desk: Desk, chirpstack: ChirpStackServer
) -> None:
    above = "UPDATE tenants SET parent_id = (SELECT tenant_id FROM tenants WHERE slug = 'autreville') WHERE slug = $1"
    await desk.served.connection.execute(above, "mareuville")
    await desk.configure(chirpstack.address, APPLICATION, TOKEN, PROFILE, tenant="autreville")
    await desk.put(AIR)
    foreign, stranger = f"{5:016x}", "70b3d5e75e0000ee"
    chirpstack.devices |= {one: device(one, "Secret") for one in (foreign, stranger)}
    for one in (foreign, stranger):
        await desk.ask("POST", "network-orders", 201, act="delete", devices=[{"dev_eui": one}])
    await desk.work()
    assert set(chirpstack.devices) == {AIR, foreign, stranger}
    assert [one["state"] for one in await desk.orders()] == ["done", "failed", "failed"]
    delete = {"act": "delete", "devices": [{"dev_eui": stranger}]}
    await desk.ask("POST", "network-orders?tenant=autreville", 201, **delete)
    await desk.work()
    assert set(chirpstack.devices) == {AIR, foreign}


async def test_the_api_s_role_reads_no_secret(ready: Desk) -> None:
    for role in (API, ALERTING):
        connection = await asyncpg.connect(role_dsn(ready.served.dsn, role))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM network_secrets")
        await connection.close()


async def test_what_differs_is_told_and_applied_either_way(ready: Desk, chirpstack: ChirpStackServer) -> None:
    water, stranger = f"{2:016x}", "70b3d5e75e0000ee"
    chirpstack.devices = {
        AIR: device(AIR, "Autre nom", join_eui=JOIN_EUI),
        water: device(water, "Eau froide, chaufferie"),
        stranger: device(stranger, "Oubliée", join_eui=JOIN_EUI),
    }
    await ready.served.connection.execute("UPDATE devices SET join_eui = $2 WHERE dev_eui = $1", AIR, JOIN_EUI)
    assert (await ready.ask("GET", "network-devices"))["listed_at"] is None
    await ready.ask("POST", "network-orders", 201, act="list")
    await ready.work()
    found = await ready.ask("GET", "network-devices")
    assert found["listed_at"] is not None
    assert {one["dev_eui"]: one["differs"] for one in found["differing"]} == {
        AIR: ["name"],
        f"{3:016x}": ["absent"],
        f"{4:016x}": ["absent"],
        stranger: ["unknown"],
    }
    assert found["same"] == 1
    (one,) = [one for one in found["differing"] if one["dev_eui"] == AIR]
    assert (one["here"]["name"], one["there"]["name"]) == (NAME, "Autre nom")
    taken = await ready.ask("POST", "network-adoptions", 201, devices=[AIR, stranger])
    assert taken == {"declared": 1, "changed": 1}
    row = await ready.served.connection.fetchrow(
        "SELECT name, model_id, join_eui FROM devices WHERE dev_eui = $1", stranger
    )
    assert tuple(row) == ("Oubliée", "acme-th", JOIN_EUI)
    found = await ready.ask("GET", "network-devices")
    assert {one["dev_eui"] for one in found["differing"]} == {f"{3:016x}", f"{4:016x}"}
    await ready.served.connection.execute("UPDATE devices SET name = $2 WHERE dev_eui = $1", AIR, NAME)
    await ready.put(AIR)
    await ready.work()
    assert chirpstack.devices[AIR].name == NAME
    assert len((await ready.ask("GET", "network-devices"))["differing"]) == 2  # what was done there is known at once
