"""The register of personal data, its grain and its deletion, as people of the tenant read and write them."""

import csv
import io
from datetime import timedelta
from typing import Any

import aiohttp
import api_world
from api_served import Served
from api_world import NOW

from store.maintenance.run import run_once

TENANT = {"tenant": "mareuville"}


async def register(served: Served) -> dict[str, dict[str, object]]:
    async with served.http.get("/api/v1/processings", params=TENANT) as response:
        assert response.status == 200
        return {one["data_class"]: one for one in (await response.json())["items"]}


async def test_a_tenant_says_what_it_does_with_personal_data(served: Served) -> None:
    await run_once(served.connection, NOW + timedelta(days=1))
    water = (await register(served))["individual_water"]
    assert (water["keep_months"], water["points"], water["unsaid"]) == (36, 0, 1)
    point = f"/api/v1/points/{served.world.water.point_id}"
    async with served.http.patch(point, params=TENANT, json={"is_individual": True}) as response:
        assert response.status == 200
    path = "/api/v1/processings/individual_water"
    async with served.http.patch(path, params=TENANT, json={"keep_months": 12}) as response:
        changed = await response.json()
    assert changed == {**water, "keep_months": 12, "points": 1, "unsaid": 0}
    assert (await register(served))["individual_water"] == changed
    async with served.http.patch(path, params=TENANT, json={"keep_months": 0}) as response:
        assert response.status == 400
    assert await served.connection.fetchval("SELECT count(*) FROM audit WHERE action = 'processing.changed'") == 1


async def test_what_a_point_measured_is_deleted(served: Served) -> None:
    point = served.world.water.point_id
    async with served.http.post(
        f"/api/v1/points/{point}/erasure", params=TENANT, json={"reason": "demande de l'abonné"}
    ) as response:
        assert response.status == 201
        assert (await response.json())["deleted"] > 500
    params = {**TENANT, "points": str(point), "from": "2000-01-01"}
    async with served.http.get("/api/v1/exports/measurements", params=params) as response:
        assert response.headers["Samara-Rows"] == "0"
    async with served.http.get("/api/v1/latest", params={**TENANT, "points": str(point)}) as response:
        assert (await response.json())["items"] == []


async def test_the_page_of_the_register(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="m@example.fr")
    viewer = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    base = str(served.http._base_url).rstrip("/")
    async with aiohttp.ClientSession(base, cookies=cookie, headers={"Origin": base, "Accept-Language": "fr"}) as http:
        async with http.get("/t/mareuville/registre?change=individual_water") as response:
            html = await response.text()
        assert "36 mois" in html.replace("\xa0", " ")
        assert "dont personne n'a dit" in html.replace("&#39;", "'")
        assert html.count("<form") > html.count('action="/deconnexion"')
        sent = {"data_class": "individual_water", "purpose": "Fuites", "legal_basis": "Contrat", "keep_months": "6"}
        async with http.post("/t/mareuville/registre", data=sent) as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville/registre")
            assert "6 mois" in (await response.text()).replace("\xa0", " ")
        async with http.post("/t/mareuville/registre", data={**sent, "keep_months": "1000"}) as response:
            assert response.status == 422
        async with http.post("/t/autreville/registre", data=sent) as response:
            assert response.status == 404
    async with aiohttp.ClientSession(base, cookies=viewer, headers={"Origin": base}) as http:
        async with http.get("/t/mareuville/registre?change=individual_water") as response:
            assert "keep_months" not in await response.text()
        async with http.post("/t/mareuville/registre", data=sent) as response:
            assert response.status == 403


async def water(served: Served, what: str, **asked: str) -> Any:
    params = {**TENANT, "quantity": "water_volume", **asked}
    async with served.http.get(what, params=params) as response:
        assert response.status == 200, await response.text()
        return await response.json() if response.content_type == "application/json" else await response.text()


async def test_a_household_s_meter_is_told_by_day_unless_its_tenant_chose_hours(served_any: Served) -> None:
    served, point = served_any, served_any.world.water.point_id
    await run_once(served.connection, NOW + timedelta(days=1))
    series, days = f"/api/v1/points/{point}/series", {"from": "2025-11-01", "to": "2025-11-21"}
    before = await water(served, series, every="day", **days)
    hours = await water(served, series, every="hour", **days)
    assert len(hours["items"]) == 24 * 20
    path = f"/api/v1/points/{point}"
    async with served.http.patch(path, params=TENANT, json={"is_individual": True}) as response:
        assert response.status == 200

    assert await water(served, series, every="day", **days) == before
    for finer in ("raw", "hour", "PT30M", "auto"):
        assert await water(served, series, every=finer, **days) == {**before, "every": "day"}
    (latest,) = (await water(served, "/api/v1/latest"))["items"]
    assert latest["measured_at"] == "2025-11-21T23:00:00Z"
    assert latest["value"] == (await water(served, series, every="day", **{"from": "2025-11-21"}))["items"][0]["last"]
    text = await water(served, "/api/v1/exports/measurements", points=str(point), **days)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [float(row["value"]) for row in rows] == [one["last"] for one in before["items"]]
    stream = f"/api/sensorthings/mareuville/v1.1/Things({point})/Datastreams?$expand=Observations"
    async with served.http.get(stream) as response:
        assert [one["Observations"] for one in (await response.json())["value"]] == [[]]

    path = "/api/v1/processings/individual_water"
    async with served.http.patch(path, params=TENANT, json={"grain": "hour"}) as response:
        assert response.status == 200
    assert await water(served, series, every="hour", **days) == hours
