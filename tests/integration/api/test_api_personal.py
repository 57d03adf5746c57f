"""The register of personal data and its deletion, as a manager reads and writes them."""

import aiohttp
import api_world
from api_served import Served

TENANT = {"tenant": "mareuville"}


async def register(served: Served) -> dict[str, dict[str, object]]:
    async with served.http.get("/api/v1/processings", params=TENANT) as response:
        assert response.status == 200
        return {one["data_class"]: one for one in (await response.json())["items"]}


async def test_a_tenant_says_what_it_does_with_personal_data(served: Served) -> None:
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
    assert await served.connection.fetchval("SELECT action FROM audit") == "processing.changed"


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
