"""Open data: what a tenant chose, nothing of a household, nothing of who did not choose; no account to read it."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from api_served import Served
from api_world import NOW

from domain.personal import LEAST_METERS
from store.assignments import assign
from store.fleet import declare_device, declare_point
from store.maintenance.run import run_once

TENANT = {"tenant": "mareuville"}
AIR = {
    "name": "air",
    "title": "Air des écoles",
    "description": "Température et humidité.",
    "quantities": ["temperature", "humidity"],
    "grain": "point",
    "every": "hour",
    "since": "2025-11-20",
}
WATER = {**AIR, "name": "eau", "title": "Eau", "quantities": ["water_volume"]}


async def declare(served: Served, dataset: dict[str, Any], tenant: str = "mareuville") -> tuple[int, dict[str, Any]]:
    async with served.http.post("/api/v1/datasets", params={"tenant": tenant}, json=dataset) as response:
        return response.status, await response.json(content_type=None)


async def read(served: Served, path: str) -> tuple[int, str]:
    """Ask as nobody."""
    async with (
        aiohttp.ClientSession(str(served.http._base_url)) as http,
        http.get(f"/api/open/{path}") as response,
    ):
        return response.status, await response.text()


async def rows(served: Served, path: str) -> list[dict[str, str]]:
    status, text = await read(served, path)
    assert status == 200
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_a_dataset_is_declared_published_and_withdrawn(served_any: Served) -> None:
    served = served_any
    await served.connection.execute("UPDATE tenants SET insee = '80518' WHERE slug = 'mareuville'")
    status, made = await declare(served, AIR)
    assert (status, made["published_to"]) == (201, None)
    assert (await declare(served, AIR))[0] == 409
    assert (await read(served, "mareuville/air.csv"))[0] == 404
    await run_once(served.connection, NOW)
    found = await rows(served, "mareuville/air.csv")
    assert {one["debut"][:10] for one in found} == {"2025-11-19", "2025-11-20", "2025-11-21"}  # UTC, until yesterday
    first = next(one for one in found if one["grandeur"] == "temperature")
    assert first["code_insee"] == "80518"
    assert first["licence"] == "etalab-2.0"
    assert (first["site"], first["point"]) == ("École Jules-Verne", "Air, classe de CM2")
    assert float(first["minimum"]) <= float(first["moyenne"]) <= float(first["maximum"])
    assert {one["collectivite"] for one in found} == {"Mareuville"}

    status, text = await read(served, "mareuville/air.geojson")
    features = json.loads(text)["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [2.3, 49.9]}
    assert {one["properties"]["debut"] for one in features} == {found[-1]["debut"]}
    status, text = await read(served, "mareuville/air.schema.json")
    schema = json.loads(text)
    assert [one["name"] for one in schema["fields"]] == list(first)
    assert schema["licenses"][0]["name"] == "etalab-2.0"

    async with served.http.delete(f"/api/v1/datasets/{made['id']}", params=TENANT) as response:
        assert response.status == 204
    for path in ("air.csv", "air.geojson", "air.schema.json", "air"):
        assert (await read(served, f"mareuville/{path}"))[0] == 404
    assert await served.connection.fetchval("SELECT count(*) FROM open_rows") == 0
    actions = [row["action"] for row in await served.connection.fetch("SELECT action FROM audit ORDER BY entry_id")]
    assert actions[-2:] == ["open_data.published", "open_data.withdrawn"]


async def test_the_catalogue_is_what_harvesters_read(served: Served) -> None:
    await served.connection.execute("UPDATE tenants SET insee = '80518' WHERE slug = 'mareuville'")
    await declare(served, AIR)
    await run_once(served.connection, NOW)
    status, text = await read(served, "catalogue.jsonld")
    said = json.loads(text)
    assert (status, said["@type"]) == (200, "dcat:Catalog")
    (dataset,) = said["dcat:dataset"]
    assert dataset["dct:identifier"] == "mareuville/air"
    assert dataset["dct:license"]["@id"].endswith("ETALAB-Licence-Ouverte-v2.0.pdf")
    assert dataset["dct:spatial"]["@id"] == "http://id.insee.fr/geo/commune/80518"
    assert dataset["dct:publisher"]["foaf:name"] == "Mareuville"
    for needed in ("dct:title", "dct:description", "dct:issued", "dct:modified", "dct:temporal", "dcat:contactPoint"):
        assert dataset[needed]
    assert dataset["dcat:theme"] == [{"@id": "http://publications.europa.eu/resource/authority/data-theme/ENVI"}]
    for distribution in dataset["dcat:distribution"]:
        path = distribution["dcat:downloadURL"]["@id"].partition("/api/open/")[2]
        assert (await read(served, path))[0] == 200
        assert distribution["dct:license"] == dataset["dct:license"]
    assert dataset["dcat:distribution"][0]["dct:conformsTo"]["@id"].endswith("/mareuville/air.schema.json")


async def test_meters_of_households_are_refused_or_told_together(served: Served) -> None:
    """One meter, of which nobody said whose it is; then nine more beside it."""
    status, said = await declare(served, WATER)
    assert (status, said["type"]) == (422, "urn:samara:problem:too-personal")
    assert "Eau froide, chaufferie" in said["detail"]
    assert (await declare(served, {**WATER, "grain": "site"}))[0] == 422
    assert (await declare(served, {**WATER, "every": "day"}))[0] == 422
    status, _ = await declare(served, {**WATER, "grain": "site", "every": "day"})
    assert status == 201
    await run_once(served.connection, NOW)
    assert await rows(served, "mareuville/eau.csv") == []  # of one household

    await more_meters(served, LEAST_METERS - 1)
    await served.connection.execute("UPDATE open_datasets SET published_to = NULL")
    await run_once(served.connection, NOW)
    found = await rows(served, "mareuville/eau.csv")
    assert [one["debut"] for one in found] == ["2025-11-19T23:00:00Z", "2025-11-20T23:00:00Z"]
    assert {(one["point"], one["voie"]) for one in found} == {("", "")}
    assert float(found[1]["consommation"]) == pytest.approx(0.48 * LEAST_METERS)  # 0.02 m3 an hour each


async def more_meters(served: Served, count: int) -> None:
    """Households beside the first, which use as much."""
    connection, world = served.connection, served.world
    site_id = await connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", world.water.point_id)
    for number in range(count):
        device_id = await declare_device(connection, world.tenant_id, f"{0x100 + number:016x}")
        point_id = await declare_point(connection, site_id, f"Compteur {number}")
        await assign(connection, device_id, point_id, NOW - timedelta(days=60))
        for statement in (
            (
                "INSERT INTO measurements SELECT measured_at, received_at, value, $2, quantity_id, channel"
                "  FROM measurements WHERE device_id = $1"
            ),
            (
                "INSERT INTO latest_frames SELECT $2, layout, measured_at, received_at, quantity_ids, channels,"
                " readings FROM latest_frames WHERE device_id = $1"
            ),
            (
                "INSERT INTO changed_hours SELECT $2, date_trunc('hour', measured_at, 'UTC')"
                "  FROM measurements WHERE device_id = $1"
            ),
        ):
            await connection.execute(statement, world.water.device_id, device_id)


async def test_a_building_s_meter_is_published_until_it_is_somebody_s(served: Served) -> None:
    path, point = f"/api/v1/points/{served.world.water.point_id}", {"is_individual": False}
    async with served.http.patch(path, params=TENANT, json=point) as response:
        assert (await response.json())["is_individual"] is False
    assert (await declare(served, WATER))[0] == 201
    await run_once(served.connection, NOW)
    assert len(await rows(served, "mareuville/eau.csv")) == 48
    async with served.http.patch(path, params=TENANT, json={"is_individual": True}) as response:
        assert response.status == 200
    await run_once(served.connection, NOW + timedelta(days=1))
    assert (await read(served, "mareuville/eau.csv"))[0] == 404
    assert await served.connection.fetchval("SELECT count(*) FROM open_rows") == 0
    async with served.http.get("/api/v1/datasets", params=TENANT) as response:
        (one,) = (await response.json())["items"]
    assert "Eau froide, chaufferie" in one["refused"]


async def test_nothing_of_a_tenant_that_did_not_choose(served: Served) -> None:
    await declare(served, AIR)
    await run_once(served.connection, NOW)
    for path in ("catalogue.jsonld", "mareuville/air.csv", "mareuville/air.geojson"):
        status, text = await read(served, path)
        assert status == 200
        assert "Secret" not in text
        assert "autreville" not in text.lower()
    for path in ("autreville/air.csv", "absent/air.csv", "mareuville/eau.csv", "autreville/air"):
        assert (await read(served, path))[0] == 404


async def test_answers_are_kept_and_who_asks_too_often_waits(served_small: Served) -> None:
    served = served_small
    await declare(served, AIR)
    await run_once(served.connection, NOW)
    async with served.http.get("/api/open/mareuville/air.csv") as response:
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        assert 'rel="license"' in response.headers["Link"]
        tag = response.headers["ETag"]
    async with served.http.get("/api/open/mareuville/air.csv", headers={"If-None-Match": tag}) as response:
        assert response.status == 304
    statuses = []
    for _ in range(5):
        async with served.http.get("/api/open/catalogue.jsonld") as response:
            statuses.append(response.status)
            wait = response.headers.get("Retry-After")
    assert statuses == [200, 200, 200, 429, 429]
    assert wait == "12"
    served.clock.now += timedelta(seconds=12)
    assert (await read(served, "catalogue.jsonld"))[0] == 200
