"""Sensors put in service, replaced, moved and taken away over the API."""

from typing import Any

from api_served import Served
from api_world import NOW

PATH = "/api/v1/installations?tenant=mareuville"
NEW = "70b3d5e75e00f00d"
AIR, DOOR = f"{1:016x}", f"{3:016x}"


async def post(served: Served, body: dict[str, Any], status: int, path: str = PATH) -> dict[str, Any]:
    async with served.http.post(path, json=body) as response:
        assert response.status == status, await response.text()
        found: dict[str, Any] = {} if status == 204 else await response.json()
        return found


async def measuring(served: Served, point_id: int) -> str | None:
    found: str | None = await served.connection.fetchval(
        "SELECT dev_eui FROM assignments JOIN devices USING (device_id) WHERE point_id = $1 AND upper_inf(during)",
        point_id,
    )
    return found


async def test_a_sensor_is_put_in_service_replaces_another_moves_and_goes_into_stock(served: Served) -> None:
    point = served.world.door.point_id
    new = {"code": f"LW:D0:0011223344556677:{NEW.upper()}:AABB1122", "point_id": point}
    refused = await post(served, new, 409)
    assert (refused["why"], refused["dev_eui"]) == ("occupied", DOOR)
    assert await served.connection.fetchval("SELECT count(*) FROM devices WHERE dev_eui = $1", NEW) == 0
    indexes = {"former_index": 1234.5, "new_index": 0, "note": "clé en mairie"}
    done = await post(served, {**new, "replaces": True, **indexes}, 201)
    assert (done["act"], done["dev_eui"], await measuring(served, point)) == ("replaced", NEW, NEW)
    again = await post(served, {**new, "replaces": True, **indexes}, 201)
    assert again["id"] == done["id"]
    elsewhere = {"dev_eui": NEW, "site_name": "Lavoir", "point_name": "Eau", "latitude_deg": 49.9, "longitude_deg": 2.3}
    refused = await post(served, elsewhere, 409)
    assert (refused["why"], refused["point_id"]) == ("elsewhere", point)
    assert await served.connection.fetchval("SELECT count(*) FROM sites WHERE name = 'Lavoir'") == 0
    moved = await post(served, {**elsewhere, "moves": True}, 201)
    assert (moved["act"], await measuring(served, point)) == ("moved", None)
    removal = f"/api/v1/devices/{NEW}/removal?tenant=mareuville"
    await post(served, {"note": "pile vide"}, 204, removal)
    assert await measuring(served, moved["point_id"]) is None
    await post(served, {}, 409, removal)
    async with served.http.get(PATH) as response:
        acts = (await response.json())["items"]
    assert [one["act"] for one in acts] == ["replaced", "moved", "removed"]
    assert (acts[0]["former_dev_eui"], acts[0]["former_index"], acts[0]["note"]) == (DOOR, 1234.5, "clé en mairie")


async def test_what_cannot_be_done_says_why(served: Served) -> None:
    refused = await post(served, {"code": "SN 12", "point_id": 1}, 422)
    assert (refused["type"], refused["why"]) == ("urn:samara:problem:unreadable-code", "unknown")
    refused = await post(served, {"dev_eui": NEW, "site_name": "Lavoir"}, 422)
    assert refused["type"] == "urn:samara:problem:no-such-place"
    foreign = {"dev_eui": f"{5:016x}", "site_name": "Lavoir", "point_name": "Eau"}
    assert "why" not in await post(served, foreign, 409)  # as any device that cannot be declared
    assert await served.connection.fetchval("SELECT count(*) FROM sites WHERE name = 'Lavoir'") == 0


async def test_how_far_a_sensor_is_is_told(served: Served) -> None:
    body = {"dev_eui": NEW, "site_name": "Lavoir", "point_name": "Eau", "model_id": "acme-water"}
    await post(served, body, 201)
    path = f"/api/v1/devices/{NEW}/commissioning?tenant=mareuville"
    async with served.http.get(path) as response:
        found = await response.json()
    assert (found["state"], found["in_service"], found["quality"]) == ("waiting", False, "unknown")
    served.clock.now = NOW.replace(hour=11)
    async with served.http.get(path) as response:
        assert (await response.json())["state"] == "late"
    async with served.http.get(f"/api/v1/devices/{AIR}/commissioning?tenant=mareuville") as response:
        assert response.status == 404  # nobody put it there
