"""What technicians declare: each write at most once, nothing of another tenant, nothing that is not theirs to say."""

import asyncio
import json
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from api_served import Served
from api_world import NOW, speak

from store import idempotency

TENANT = {"tenant": "mareuville"}


class Said(NamedTuple):
    status: int
    body: dict[str, Any]
    replayed: bool


async def send(served: Served, method: str, path: str, body: object = None, key: str = "", tenant: str = "") -> Said:
    headers = {"Idempotency-Key": key} if key else {}
    params = {"tenant": tenant or "mareuville"}
    async with served.http.request(method, path, params=params, json=body, headers=headers) as response:
        text = await response.text()
        return Said(response.status, json.loads(text) if text else {}, "Idempotency-Replayed" in response.headers)


async def test_a_place_is_made_changed_and_taken_away(served: Served) -> None:
    made = await send(served, "POST", "/api/v1/sites", {"name": "Piscine", "kind": "pool", "latitude_deg": 49.8})
    assert made.status == 201
    assert made.body["longitude_deg"] is None
    path = f"/api/v1/sites/{made.body['id']}"
    changed = await send(served, "PATCH", path, {"longitude_deg": 2.25})
    assert (changed.status, changed.body) == (200, {**made.body, "longitude_deg": 2.25})
    async with served.http.get("/api/v1/sites", params=TENANT) as response:
        assert changed.body in (await response.json())["items"]
    assert (await send(served, "POST", "/api/v1/sites", {"name": "Piscine"})).body["type"].endswith(":conflict")
    assert (await send(served, "PATCH", path, {"name": "Mairie"})).status == 409
    point = await send(served, "POST", "/api/v1/points", {"site_id": made.body["id"], "name": "Bassin"})
    assert point.status == 201
    assert (await send(served, "DELETE", path)).status == 409
    named = await send(served, "PATCH", f"/api/v1/points/{point.body['id']}", {"name": "Grand bassin"})
    assert named.body == {**point.body, "name": "Grand bassin"}
    await served.connection.execute("DELETE FROM points WHERE point_id = $1", point.body["id"])
    assert (await send(served, "DELETE", path)).status == 204
    assert (await send(served, "DELETE", path)).status == 404


async def test_a_device_is_declared_assigned_and_replaced(served: Served) -> None:
    device = {"dev_eui": "00000000000000aa", "name": "Sonde", "model_id": "acme-th"}
    assert await send(served, "POST", "/api/v1/devices", device) == (201, device, False)
    point_id = served.world.air.point_id
    new = {"dev_eui": device["dev_eui"], "point_id": point_id}
    assigned = await send(served, "POST", "/api/v1/assignments", new)
    assert (assigned.status, assigned.body["started_at"]) == (201, "2025-11-22T09:00:00Z")
    async with served.http.get("/api/v1/assignments", params={**TENANT, "point_id": str(point_id)}) as response:
        found = (await response.json())["items"]
    assert [(one["dev_eui"], one["ended_at"]) for one in found] == [
        (f"{1:016x}", "2025-11-22T09:00:00Z"),
        (device["dev_eui"], None),
    ]
    before = {**new, "dev_eui": f"{1:016x}", "started_at": (NOW - timedelta(days=1)).isoformat()}
    assert (await send(served, "POST", "/api/v1/assignments", before)).status == 409
    ahead = {**new, "started_at": (NOW + timedelta(days=1)).isoformat()}
    assert (await send(served, "POST", "/api/v1/assignments", ahead)).status == 409
    served.clock.now = NOW + timedelta(hours=1)
    path = f"/api/v1/assignments/{assigned.body['id']}/end"
    assert (await send(served, "POST", path, {})).status == 204
    assert (await send(served, "POST", path, {})).status == 404
    changed = await send(served, "PATCH", f"/api/v1/devices/{device['dev_eui']}", {"name": "Rechange"})
    assert changed.body == {**device, "name": "Rechange"}
    assert (await send(served, "PATCH", f"/api/v1/devices/{device['dev_eui']}", {"model_id": "none"})).status == 409


async def test_what_is_another_tenant_s_reads_as_absent_and_refuses_as_any_other(served: Served) -> None:
    world = served.world
    foreign_site = await served.connection.fetchval("SELECT site_id FROM sites WHERE tenant_id <> $1", world.tenant_id)
    refused = [
        await send(served, "PATCH", f"/api/v1/sites/{foreign_site}", {"name": "Mine"}),
        await send(served, "DELETE", f"/api/v1/sites/{foreign_site}"),
        await send(served, "POST", "/api/v1/points", {"site_id": foreign_site, "name": "Mine"}),
        await send(served, "PATCH", f"/api/v1/points/{world.foreign.point_id}", {"name": "Mine"}),
        await send(served, "PATCH", f"/api/v1/devices/{5:016x}", {"name": "Mine"}),
        await send(served, "POST", "/api/v1/assignments", {"dev_eui": f"{5:016x}", "point_id": world.air.point_id}),
        await send(served, "POST", "/api/v1/assignments", {"dev_eui": f"{4:016x}", "point_id": world.foreign.point_id}),
        await send(served, "POST", "/api/v1/assignments/2147483647/end", {}),
        await send(served, "POST", "/api/v1/assignments/5/end", {}),
        await send(served, "POST", "/api/v1/sites", {"name": "x"}, tenant="absent"),
    ]
    assert {said.status for said in refused} == {404}
    assert len({json.dumps(said.body) for said in refused}) == 1
    taken = await send(served, "POST", "/api/v1/devices", {"dev_eui": f"{5:016x}"})
    own = await send(served, "POST", "/api/v1/devices", {"dev_eui": f"{1:016x}"})
    assert taken == own
    assert taken.status == 409


@pytest.mark.parametrize("member", ["tenant_id", "id", "site_id", "created_at", "tenant"])
async def test_a_body_holds_what_it_may_and_no_more(served: Served, member: str) -> None:
    said = await send(served, "POST", "/api/v1/sites", {"name": "x", member: 2})
    assert (said.status, said.body["errors"][0]["pointer"]) == (400, f"#/{member}")
    assert await served.connection.fetchval("SELECT count(*) FROM sites WHERE name = 'x'") == 0


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": "a\\u0000b"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": "x", "latitude_deg": 91}', "application/json", 400),
        (b'{"name": "x"}', "text/plain", 415),
    ],
)
async def test_a_wrong_body_is_refused(served: Served, content: bytes, kind: str, status: int) -> None:
    headers = {"Content-Type": kind}
    async with served.http.post("/api/v1/sites", params=TENANT, data=content, headers=headers) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"


async def test_a_write_sent_again_is_done_once_and_answered_alike(served: Served) -> None:
    first, *others = await asyncio.gather(
        *(send(served, "POST", "/api/v1/sites", {"name": "Gymnase"}, key="k1") for _ in range(4))
    )
    assert {said.status for said in (first, *others)} == {201}
    assert all(said.body == first.body for said in others)
    assert sorted(said.replayed for said in (first, *others)) == [False, True, True, True]
    other = await send(served, "POST", "/api/v1/sites", {"name": "Stade"}, key="k1")
    assert (other.status, other.body["type"]) == (422, "urn:samara:problem:idempotency-key-reused")
    served.clock.now = NOW + idempotency.KEPT
    assert (await send(served, "POST", "/api/v1/sites", {"name": "Stade"}, key="k1")).status == 201


async def test_a_refused_write_leaves_its_key_free(served: Served) -> None:
    assert (await send(served, "POST", "/api/v1/sites", {"name": "Mairie"}, key="k2")).status == 409
    await served.connection.execute("UPDATE sites SET name = 'Ancienne mairie' WHERE name = 'Mairie'")
    said = await send(served, "POST", "/api/v1/sites", {"name": "Mairie"}, key="k2")
    assert (said.status, said.replayed) == (201, False)


async def test_keys_are_forgotten_after_a_day(served: Served) -> None:
    await send(served, "POST", "/api/v1/sites", {"name": "Gymnase"}, key="k1")
    await idempotency.forget(served.connection, NOW + idempotency.KEPT - timedelta(seconds=1))
    assert await served.connection.fetchval("SELECT count(*) FROM idempotency_keys") == 1
    await idempotency.forget(served.connection, NOW + idempotency.KEPT)
    assert await served.connection.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_the_latest_values_are_told_by_point_and_quantity(served: Served) -> None:
    point_id = served.world.air.point_id
    await speak(served.connection, served.world.air, {"temperature": 25.5, "humidity": 50}, NOW + timedelta(minutes=1))
    params = {**TENANT, "points": f"{point_id},{served.world.foreign.point_id}", "quantity": "temperature"}
    async with served.http.get("/api/v1/latest", params=params) as response:
        (found,) = (await response.json())["items"]
    assert (found["point_id"], found["value"], found["unit"]) == (point_id, 25.5, "Cel")


async def test_the_vocabulary_is_told_in_the_language_asked(served: Served) -> None:
    for language, label in (("fr", "Température"), ("en", "Temperature")):
        async with served.http.get("/api/v1/quantities", headers={"Accept-Language": language}) as response:
            found = (await response.json())["items"][0]
        assert (found["name"], found["label"], found["symbol"]) == ("temperature", label, "°C")


async def test_a_thing_is_changed_only_as_it_was_read(served: Served) -> None:
    site_id = await served.connection.fetchval("SELECT site_id FROM sites WHERE name = 'Mairie'")
    things = (
        (f"/api/v1/sites/{site_id}", "Mairie annexe"),
        (f"/api/v1/points/{served.world.air.point_id}", "Air, classe de CM1"),
        (f"/api/v1/devices/{1:016x}", "Sonde"),
    )
    for path, name in things:
        async with served.http.get(path, params=TENANT) as response:
            assert response.status == 200
            read, tag = await response.json(), response.headers["ETag"]

        async def change(body: dict[str, str], tag: str, path: str = path) -> tuple[int, str, dict[str, Any]]:
            headers = {"If-Match": tag}
            async with served.http.patch(path, params=TENANT, json=body, headers=headers) as response:
                return response.status, response.headers.get("ETag", ""), await response.json(content_type=None)

        assert (await change({"name": name}, '"00"'))[0] == 412
        status, newer, body = await change({"name": name}, tag)
        assert (status, body) == (200, {**read, "name": name})
        status, _, problem = await change({"name": "x"}, tag)
        assert (status, problem["type"]) == (412, "urn:samara:problem:changed-meanwhile")
        assert (await change({"name": name}, newer))[:2] == (200, newer)
        assert (await change({"name": name}, "*"))[0] == 200
    async with served.http.delete(things[0][0], params=TENANT, headers={"If-Match": '"00"'}) as response:
        assert response.status == 412


async def _tag(served: Served, path: str) -> str:
    async with served.http.get(path, params=TENANT) as response:
        assert response.status == 200, await response.text()
        return response.headers["ETag"]


async def _conditional(served: Served, method: str, path: str, tag: str, body: object = None) -> int:
    async with served.http.request(method, path, params=TENANT, json=body, headers={"If-Match": tag}) as response:
        await response.read()
        return response.status


async def test_what_is_taken_away_or_replaced_is_what_was_read(served: Served) -> None:
    later = (NOW + timedelta(days=9)).isoformat()
    contact = {"name": "Astreinte", "channel": "email", "target": {"address": "astreinte@example.fr"}}
    dataset = {"name": "air", "title": "Air", "description": "Air", "quantities": ["temperature"]}
    made: dict[str, int] = {}
    for path, wanted in (
        ("contacts", contact),
        ("silences", {"until": later, "reason": "travaux"}),
        ("datasets", dataset),
    ):
        said = await send(served, "POST", f"/api/v1/{path}", wanted)
        assert said.status == 201, said.body
        made[path] = said.body["id"]
    shift = await send(
        served, "POST", f"/api/v1/contacts/{made['contacts']}/shifts", {"since": NOW.isoformat(), "until": later}
    )
    gone = [f"/api/v1/shifts/{shift.body['id']}", *(f"/api/v1/{path}/{number}" for path, number in made.items())]
    for path in gone:
        tag = await _tag(served, path)
        assert await _conditional(served, "DELETE", path, '"00"') == 412, path
        assert await _tag(served, path) == tag  # it is still there, as it was
        assert await _conditional(served, "DELETE", path, tag) == 204, path
        served.clock.now += timedelta(seconds=1)  # a silence ends with the moment that it was ended at
        assert (await send(served, "GET", path)).status == 404, path
        assert await _conditional(served, "DELETE", path, tag) == 404, path
    replaced: tuple[tuple[str, str, object], ...] = (
        ("PATCH", "/api/v1/processings/individual_water", {"keep_months": 12}),
        ("POST", "/api/v1/escalation", {"steps": [{"after_s": 1800}]}),
        ("POST", "/api/v1/hours", {"hours": {"weekly": {}}}),
    )
    for method, path, body in replaced:
        tag = await _tag(served, path)
        assert await _conditional(served, method, path, '"00"', body) == 412, path
        assert await _tag(served, path) == tag
        assert await _conditional(served, method, path, tag, body) < 300, path
        assert await _conditional(served, method, path, tag, body) == 412, path  # what was read is no longer so


async def test_members_of_any_answer_are_chosen(served: Served) -> None:
    air = served.world.air.point_id
    for path, options, listed, member in (
        ("latest", {}, "items", "value"),
        ("quantities", {}, "items", "unit"),
        ("processings", {}, "items", "keep_months"),
        ("sessions", {}, "items", "user_agent"),
        ("series", {"points": str(air), "quantity": "temperature", "every": "day"}, "series", "unit"),
        (f"points/{air}/series", {"quantity": "temperature", "every": "day"}, "", "items"),
        ("session", {}, "", "email"),
    ):
        params = ({} if path in {"quantities", "sessions", "session"} else TENANT) | options | {"fields": member}
        async with served.http.get(f"/api/v1/{path}", params=params) as response:
            said = await response.json()
            assert response.status == 200, said
        for one in said[listed] if listed else [said]:
            assert one.keys() == {member}, path
        async with served.http.get(f"/api/v1/{path}", params=params | {"fields": "absent"}) as response:
            assert response.status == 400
            assert "fields" in await response.text()


async def test_a_point_is_a_part_of_another_of_its_tenant_that_counts_the_same(served: Served) -> None:
    world = served.world
    site_id = await served.connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", world.water.point_id)
    new = {"site_id": site_id, "name": "Eau, cantine", "use": "kitchen", "part_of": world.water.point_id}
    made = await send(served, "POST", "/api/v1/points", new)
    assert (made.status, made.body["use"], made.body["part_of"]) == (201, "kitchen", world.water.point_id)
    path, whole = f"/api/v1/points/{made.body['id']}", f"/api/v1/points/{world.water.point_id}"

    async def why(address: str, part_of: int) -> object:
        said = await send(served, "PATCH", address, {"part_of": part_of})
        assert (said.status, said.body["type"]) == (422, "urn:samara:problem:no-such-part")
        return said.body

    foreign = await why(path, world.foreign.point_id)
    assert foreign == await why(path, 2**31 - 1)
    assert isinstance(foreign, dict)
    assert foreign["why"] == "absent"
    ring = await why(whole, made.body["id"])
    assert isinstance(ring, dict)
    assert ring["why"] == "ring"
    assert (await send(served, "PATCH", path, {"use": "swimming"})).status == 400
    async with served.http.get(path, params=TENANT) as response:
        tag = response.headers["ETag"]
    alone = await send(served, "PATCH", path, {"part_of": None})
    assert alone.body == {**made.body, "part_of": None}
    async with served.http.patch(path, params=TENANT, json={"use": "other"}, headers={"If-Match": tag}) as response:
        assert response.status == 412
