"""Who agrees in a commune's name to be compared, and who sees it: over the API, on the page, and in the database."""

import aiohttp
import api_world
from api_served import Served

from store.fleet import TenantDeclaration, declare_tenant
from store.reading import compared

TENANT = {"tenant": "mareuville"}
PATH = "/api/v1/comparison"


def somebody(served: Served, cookie: dict[str, str]) -> aiohttp.ClientSession:
    base = str(served.http._base_url).rstrip("/")
    return aiohttp.ClientSession(base, cookies=cookie, headers={"Origin": base, "Accept-Language": "fr"})


async def above(served: Served) -> int:
    """Put Mareuville below an EPCI and return that."""
    epci = await declare_tenant(served.connection, TenantDeclaration("val-de-selle", "CC du Val de Selle", "epci"))
    await declare_tenant(
        served.connection, TenantDeclaration("mareuville", "Mareuville", "commune", "val-de-selle", "80999")
    )
    return epci


async def test_only_a_manager_of_the_commune_itself_agrees_and_anybody_who_manages_it_withdraws(served: Served) -> None:
    epci = await above(served)
    from_above = await api_world.sign_in(served.connection, ("manager", epci), email="above@example.fr")
    own = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="own@example.fr")
    async with somebody(served, from_above) as http, http.patch(PATH, params=TENANT, json={"agrees": True}) as answer:
        assert answer.status == 422
    async with somebody(served, own) as http:
        async with http.patch(PATH, params=TENANT, json={"agrees": True, "inhabitants": 812}) as answer:
            assert answer.status == 200
            told = await answer.json()
            assert (told["agrees"], told["agreed_by"], told["inhabitants"]) == (True, "Camille Roux", 812)
        async with http.get("/t/mareuville/comparaison") as page:
            assert "Votre commune accepte d&#39;être comparée." in await page.text()
    assert [one.name for one in await compared.agreed(served.connection, epci)] == ["Mareuville"]
    async with somebody(served, from_above) as http, http.patch(PATH, params=TENANT, json={"agrees": False}) as answer:
        assert answer.status == 200
    assert await compared.agreed(served.connection, epci) == []
    noted = await served.connection.fetch("SELECT action FROM audit WHERE action LIKE 'comparison.%' ORDER BY entry_id")
    assert [one["action"] for one in noted] == ["comparison.population", "comparison.agreed", "comparison.withdrawn"]


async def test_a_commune_agrees_on_its_page(served: Served) -> None:
    own = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="own@example.fr")
    async with somebody(served, own) as http:
        async with http.post("/t/mareuville/comparaison", data={"agrees": "yes"}) as page:
            assert "Votre accord est enregistré." in await page.text()
        form = {"inhabitants": "1 204", "year": "2025"}
        async with http.post("/t/mareuville/comparaison/population", data=form) as page:
            assert 'value="1204"' in await page.text()
        async with http.post(
            "/t/mareuville/comparaison/population", data={"inhabitants": "beaucoup", "year": "25"}
        ) as page:
            assert page.status == 422
            assert "Un nombre entier d&#39;habitants" in await page.text()
        async with http.post("/t/mareuville/comparaison", data={"agrees": "no"}) as page:
            assert "Votre accord est retiré" in await page.text()
