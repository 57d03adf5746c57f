"""Commands for sensors by ChirpStack: asked over the API, sent by the worker, told of through ingest."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import api_world
import pytest
from api_world import NOW
from chirpstack_server import APPLICATION, PROFILE, TOKEN, ChirpStackServer, Code, device
from downlinks_world import PERIOD, PERIOD_BYTES, asked, downlinks, give_commands, telling
from provisioning_world import AIR, Desk, desk_of
from test_provisioning_pages import post

from alerting.provisioning.downlinks import downlinks_once

COMMANDS = f"/reseau/capteurs/{AIR}/commandes"
SECOND = timedelta(seconds=1)


async def prepared(desk: Desk, chirpstack: ChirpStackServer) -> Desk:
    await desk.configure(chirpstack.address, APPLICATION, TOKEN, PROFILE)
    await give_commands(desk)
    chirpstack.devices[AIR] = device(AIR, "Air")
    return desk


@pytest.fixture
async def ready(desk: Desk, chirpstack: ChirpStackServer) -> Desk:
    return await prepared(desk, chirpstack)


@pytest.fixture
async def ready_on_both(any_territory: api_world.Territory, chirpstack: ChirpStackServer) -> AsyncIterator[Desk]:
    async for one in desk_of(any_territory, chirpstack.address):
        yield await prepared(one, chirpstack)


async def states(desk: Desk) -> list[str]:
    return [one["state"] for one in await downlinks(desk)]


async def test_a_period_is_queued_sent_and_acknowledged_and_then_expected(
    ready_on_both: Desk, chirpstack: ChirpStackServer, tmp_path: Path
) -> None:
    ready = ready_on_both
    found = await ready.ask("GET", f"devices/{AIR}/commands")
    assert [one["name"] for one in found["commands"]] == ["period", "restart"]
    dry = await asked(ready, **PERIOD, dry_run=True)
    assert (dry["id"], dry["payload"], dry["f_port"], dry["period_s"]) == (None, PERIOD_BYTES, 2, 1200)
    assert await states(ready) == []
    made = await asked(ready, **PERIOD)
    assert await states(ready) == ["queued"]
    await ready.work()
    (item,) = chirpstack.queue
    assert (item.dev_eui, item.f_port, item.data.hex(), item.confirmed) == (AIR, 2, PERIOD_BYTES, True)
    assert item.expires_at.ToDatetime() == (NOW + timedelta(days=2)).replace(tzinfo=None)
    assert await states(ready) == ["accepted"]
    async with telling(ready, tmp_path) as told:
        await told.say("txack", NOW + SECOND, queueItemId=item.id, downlinkId=7)
        await ready.work()
        assert await states(ready) == ["sent"]
        before = "SELECT parameters ->> 'period_s' FROM devices WHERE dev_eui = $1"
        assert await ready.served.connection.fetchval(before, AIR) is None
        await told.say("ack", NOW + 3 * SECOND, queueItemId=item.id, acknowledged=True, deduplicationId="a")
        await ready.work()
    (one,) = await downlinks(ready)
    assert (one["id"], one["state"], one["trouble"]) == (made["id"], "acknowledged", "")
    assert (one["sent_at"], one["acknowledged_at"]) == ("2025-11-22T09:00:01Z", "2025-11-22T09:00:03Z")
    assert await ready.served.connection.fetchval(before, AIR) == "1200"
    assert (await ready.ask("GET", f"devices/{AIR}/commands"))["period_s"] == 1200  # what supervision expects
    said = "SELECT count(*) FROM audit WHERE action = 'api.create_downlink' AND object = $1"
    assert await ready.served.connection.fetchval(said, AIR) == 2  # the dry run as well


async def test_whatever_the_order_and_repetition_of_events_the_state_is_the_same(
    ready: Desk, chirpstack: ChirpStackServer, tmp_path: Path
) -> None:
    orders = list(itertools.permutations(range(3)))[:4]
    async with telling(ready, tmp_path) as told:
        for order in orders:
            await asked(ready, **PERIOD)
            await ready.work()
            item = chirpstack.queue.pop().id
            events: list[tuple[str, dict[str, Any]]] = [
                ("txack", {"queueItemId": item}),
                ("ack", {"queueItemId": item, "acknowledged": True, "deduplicationId": item}),
                ("txack", {"queueItemId": "6b1f1a51-0000-4000-8000-000000000000"}),  # another's
            ]
            for number in (*order, *order):
                kind, members = events[number]
                await told.say(kind, NOW + (number + 1) * SECOND, **members)
                if number == 0:
                    await ready.work()
            await ready.work()
        await told.say("ack", NOW, dev_eui="70b3d500000000ff", queueItemId=item, acknowledged=True)  # of nobody
    await ready.work()
    found = await downlinks(ready)
    assert [one["state"] for one in found] == ["acknowledged"] * len(orders)
    assert {one["sent_at"] for one in found} == {"2025-11-22T09:00:01Z"}
    assert await ready.served.connection.fetchval("SELECT count(*) FROM downlinks_told") == 0


async def test_a_downlink_whose_answer_was_lost_is_not_sent_twice(
    ready: Desk, chirpstack: ChirpStackServer, tmp_path: Path
) -> None:
    chirpstack.queue.append(device_item := chirpstack_item("another's"))
    chirpstack.late = {"Enqueue"}
    await asked(ready, **PERIOD)
    await ready.work()
    (one,) = await downlinks(ready)
    assert (one["state"], "answer was lost" in one["trouble"]) == ("queued", True)
    await ready.later(seconds=10)
    assert (await states(ready), chirpstack.calls["Enqueue"]) == (["accepted"], 1)
    chirpstack.queue = [device_item]

    chirpstack.late = {"Enqueue"}  # again, and this time it leaves the queue before anybody looks
    await asked(ready, **PERIOD)
    await ready.work()
    sent = chirpstack.queue.pop().id
    async with telling(ready, tmp_path) as told:
        await told.say("txack", ready.served.clock.now, queueItemId=sent)
    await ready.later(seconds=10)
    assert (await states(ready), chirpstack.calls["Enqueue"]) == (["accepted", "sent"], 2)

    chirpstack.fail("Enqueue", AIR, Code.UNAVAILABLE)  # it never came there: it is asked again
    await asked(ready, **PERIOD)
    await ready.work()
    await ready.later(seconds=10)
    assert (await states(ready), chirpstack.calls["Enqueue"]) == (["accepted", "sent", "accepted"], 4)


def chirpstack_item(name: str) -> Any:
    from chirpstack_api.api import device_pb2 as api  # noqa: PLC0415 - untyped, and of this helper alone

    return api.DeviceQueueItem(id=name, dev_eui=AIR, f_port=1, data=b"\x01")


async def test_what_the_network_server_told_before_its_answer_came_is_heard(
    ready: Desk, chirpstack: ChirpStackServer, tmp_path: Path
) -> None:
    """A device of class C: it was sent and acknowledged before Samara knew what it is called there."""
    await asked(ready, **PERIOD)
    async with telling(ready, tmp_path) as told:

        async def at_once(item: str) -> None:
            await told.say("txack", NOW + SECOND, queueItemId=item)
            await told.say("ack", NOW + SECOND, queueItemId=item, acknowledged=True)

        chirpstack.meanwhile = at_once
        await ready.work()
    assert await states(ready) == ["acknowledged"]


async def test_it_can_be_cancelled_until_it_is_sent(ready: Desk, chirpstack: ChirpStackServer, tmp_path: Path) -> None:
    path = f"devices/{AIR}/downlinks"
    first = (await asked(ready, **PERIOD))["id"]
    await ready.ask("DELETE", f"{path}/{first}", 204)
    assert await states(ready) == ["cancelled"]  # at once: nobody else had it
    await ready.work()
    assert chirpstack.enqueued == []
    second = (await asked(ready, **PERIOD))["id"]
    await ready.work()
    await ready.ask("DELETE", f"{path}/{second}", 204)
    await ready.work()
    assert (chirpstack.queue, (await states(ready))[1]) == ([], "cancelled")
    third = (await asked(ready, **PERIOD))["id"]
    await ready.work()
    chirpstack.queue.append(chirpstack_item("another's"))
    await ready.ask("DELETE", f"{path}/{third}", 204)
    await ready.work()
    one = (await downlinks(ready))[2]
    assert (one["state"], "as a whole" in one["trouble"], len(chirpstack.queue)) == ("accepted", True, 2)
    async with telling(ready, tmp_path) as told:
        await told.say("txack", NOW + SECOND, queueItemId=chirpstack.enqueued[-1].id)
    await ready.work()
    await ready.ask("DELETE", f"{path}/{third}", 409)
    await ready.ask("DELETE", f"{path}/{third + 100}", 404)


async def test_what_waits_for_a_sensor_that_goes_to_another_tenant_is_taken_back(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    await asked(ready, **PERIOD)
    await ready.work()
    await asked(ready, **PERIOD)
    assert (len(chirpstack.queue), await states(ready)) == (1, ["accepted", "queued"])
    await ready.ask("POST", f"devices/{AIR}/removal", 204)
    await ready.ask("POST", f"devices/{AIR}/transfer", 204, to="autreville")
    while await downlinks_once(ready.office):
        pass
    became = await ready.served.connection.fetch("SELECT state, trouble FROM downlinks")
    assert [tuple(one) for one in became] == [("cancelled", "")] * 2
    assert (chirpstack.queue, chirpstack.calls["Enqueue"]) == ([], 1)
    assert (await ready.ask("GET", f"devices/{AIR}/downlinks?tenant=autreville"))["items"] == []


async def test_a_sensor_goes_to_another_tenant_while_its_acknowledgement_is_read(
    ready: Desk, chirpstack: ChirpStackServer, tmp_path: Path
) -> None:
    """Both change the device and its downlinks: neither waits for what the other holds."""
    await asked(ready, **PERIOD)
    await ready.work()
    async with telling(ready, tmp_path) as told:
        await told.say("ack", NOW + SECOND, queueItemId=chirpstack.queue.pop().id, acknowledged=True)
    await ready.ask("POST", f"devices/{AIR}/removal", 204)
    connection = ready.served.connection
    async with asyncio.timeout(30), connection.transaction():
        await connection.execute("LOCK TABLE network_events")  # what the worker reads, the downlink in its hand
        reading = asyncio.create_task(downlinks_once(ready.office))
        await until_locks_are_waited_for(ready, 1)
        moving = asyncio.create_task(ready.ask("POST", f"devices/{AIR}/transfer", 204, to="autreville"))
        await until_locks_are_waited_for(ready, 2)
    assert await reading
    await moving
    became = "SELECT state, devices.tenant_id <> downlinks.tenant_id, devices.parameters ->> 'period_s'"
    found = await connection.fetchrow(f"{became} FROM downlinks JOIN devices USING (device_id)")
    assert tuple(found) == ("acknowledged", True, "1200")


async def until_locks_are_waited_for(ready: Desk, many: int) -> None:
    while await ready.served.connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < many:
        pass


async def test_what_never_leaves_expires_and_what_fails_says_why(
    ready: Desk, chirpstack: ChirpStackServer, tmp_path: Path
) -> None:
    await asked(ready, **PERIOD)
    await asked(ready, **PERIOD, confirmed=False)
    await ready.work()
    async with telling(ready, tmp_path) as told:
        thrown = {"queue_item_id": chirpstack.enqueued[0].id}
        await told.say("log", NOW + SECOND, code="DOWNLINK_PAYLOAD_SIZE", level="ERROR", context=thrown)
    chirpstack.queue.clear()
    await ready.later(days=2)
    found = await downlinks(ready)
    assert [one["state"] for one in found] == ["failed", "expired"]
    assert "too large" in found[0]["trouble"]
    assert "did not say" in found[1]["trouble"]
    del chirpstack.devices[AIR]
    await asked(ready, **PERIOD)
    await ready.work()
    one = (await downlinks(ready))[2]
    assert (one["state"], "no such device" in one["trouble"]) == ("refused", True)


async def test_what_cannot_be_sent_is_refused_with_its_reason(ready: Desk) -> None:
    for body, status, why in (
        ({"command": "period", "parameters": {"period_s": 5}}, 422, "from 60 to"),
        ({"command": "period", "parameters": {"period_s": 600, "x": 1}}, 422, "no parameter"),
        ({"command": "dance"}, 422, "period, restart"),
        ({"command": "codec", "parameters": {"a": 1}}, 422, "no codec"),
        ({"payload": "00" * 52, "f_port": 5}, 422, "52 bytes"),  # it was never heard, so at the slowest rate
        ({"payload": "00"}, 422, "FPort"),
        ({}, 409, "Name a"),
    ):
        answer = await asked(ready, status, **body)
        assert why in answer["detail"], answer
    await asked(ready, payload="0102", f_port=5)
    for _ in range(9):
        await asked(ready, **PERIOD)
    assert "wait for this sensor" in (await asked(ready, 409, **PERIOD))["detail"]
    assert "Trop de messages" in await post(ready, COMMANDS, commande="period", periode="1200", status=422)
    key = {"Idempotency-Key": "once"}
    path = f"/api/v1/devices/{2:016x}/downlinks?tenant=mareuville"
    for _ in range(2):
        async with ready.served.http.post(path, json={"payload": "01", "f_port": 1}, headers=key) as answer:
            assert answer.status == 201
    held = "SELECT count(*) FROM downlinks JOIN devices USING (device_id) WHERE dev_eui = $1"
    assert await ready.served.connection.fetchval(held, f"{2:016x}") == 1


async def test_technicians_command_the_sensors_of_their_tenant_alone(ready: Desk) -> None:
    connection, http = ready.served.connection, ready.served.http
    tenant_id = ready.served.world.tenant_id
    foreign = f"{5:016x}"
    http.cookie_jar.update_cookies(
        await api_world.sign_in(connection, ("technician", tenant_id), email="technicienne@example.fr")
    )
    await ready.ask("POST", f"devices/{AIR}/downlinks", 201, **PERIOD)
    await ready.ask("POST", f"devices/{AIR}/downlinks", 403, payload="01", f_port=1)  # bytes are not for them
    for method, path in (("POST", "downlinks"), ("GET", "downlinks"), ("GET", "commands")):
        await ready.ask(method, f"devices/{foreign}/{path}", 404, **PERIOD)
    http.cookie_jar.update_cookies(
        await api_world.sign_in(connection, ("viewer", tenant_id), email="lectrice@example.fr")
    )
    await ready.ask("GET", f"devices/{AIR}/downlinks")
    await ready.ask("POST", f"devices/{AIR}/downlinks", 403, **PERIOD)
    async with http.get(f"/reseau/capteurs/{AIR}") as answer:
        assert "commandes" not in await answer.text()


async def test_no_network_server_no_command(desk: Desk) -> None:
    await give_commands(desk)
    assert "network server" in (await asked(desk, 409, **PERIOD))["detail"]
    told = await post(desk, COMMANDS, commande="period", periode="1200", status=422)
    assert ("Aucun serveur de réseau" in told, "Trop de messages" in told) == (True, False)
