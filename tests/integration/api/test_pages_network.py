"""The pages of the network's supervision: what a supervisor reads there, and what nobody else does."""

import json
import re

import api_world
import network_world
from aiohttp import ClientSession
from api_served import Served


async def get(served: Served, path: str, *, status: int = 200) -> str:
    async with served.http.get(path, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, path
        html = (await answer.text()).replace("\u00a0", " ").replace("\u202f", " ").replace("&#39;", "'")
    return re.sub(r"\s+", " ", re.sub(r"<(script|title).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL))


async def test_supervisors_see_the_dead_antenna_first_and_what_it_silences(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    text = await get(served, "/reseau")
    assert "Antennes : 1 hors ligne, 1 dégradée, 1 en ligne." in text
    assert "Château d'eau Hors ligne" in text
    assert "Capteurs que personne d'autre n'entend : Mareuville (1)." in text
    assert text.index("Château d'eau") < text.index("Église")
    assert "Mairie" not in text.split("Réception des messages")[0]
    assert "Mairie" in await get(served, "/reseau?vue=toutes")
    await get(served, "/reseau?vue=autres", status=400)

    one = await get(served, "/reseau/antennes/00000000000000a1")
    assert "Si elle tombe, 1 capteur sur 1 devient muet" in one
    assert "SF12" in one
    mairie = await get(served, "/reseau/antennes/00000000000000a3")
    assert "868.0 - 868.60 MHz" in mairie
    await get(served, "/reseau/antennes/nowhere", status=404)


async def test_a_sensor_s_page_says_what_is_wrong_and_why(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    silent = await get(served, f"/reseau/capteurs/{2:016x}")
    assert "L'antenne Silencieux depuis" in silent
    assert "1 antenne qui l'entend ne répond plus." in silent
    fine = await get(served, f"/reseau/capteurs/{1:016x}")
    assert "(1 perdue avant)" in fine
    assert "Connexion (join) acceptée" in fine
    await get(served, f"/reseau/capteurs/{99:016x}", status=404)
    await get(served, "/reseau/capteurs/nothing", status=404)


async def test_what_frames_say_is_for_who_may_read_it(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    assert "0102030405" in await get(served, f"/reseau/capteurs/{1:016x}")
    cookie = await api_world.sign_in(served.connection, ("supervisor", None), email="reseau@example.fr")
    async with ClientSession(served.http._base_url, cookies=cookie) as http:
        async with http.get(f"/reseau/capteurs/{1:016x}") as answer:
            html = await answer.text()
        assert answer.status == 200
        assert "0102030405" not in html
        assert "Mairie" in html
    viewer = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="mairie@example.fr")
    async with ClientSession(served.http._base_url, cookies=viewer) as http:
        for path in ("/reseau", "/reseau/parc", "/reseau/couverture", "/reseau/securite", "/reseau/parc/piles.csv"):
            async with http.get(path) as answer:
                assert answer.status == 403, path
        async with http.get(f"/reseau/capteurs/{1:016x}") as answer:
            assert answer.status == 200
            assert "Mairie" not in (await answer.text()).split("<main")[1].split("Lieu")[0]
            assert "00000000000000a3" not in await answer.text()
        async with http.get(f"/reseau/capteurs/{5:016x}") as answer:
            assert answer.status == 404  # of another tenant


async def test_the_fleet_has_a_tour_list_and_causes_of_silence(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    text = await get(served, "/reseau/parc")
    assert "5 capteurs, dont 2 muets ; 1 piles à changer dans les 60 jours." in text
    assert "Antenne (1)" in text
    assert "Jamais entendu (1)" in text
    assert "Acme TH" in text
    assert "Air, classe de CM2" in await get(served, "/reseau/parc?commune=mareuville")
    assert "Aucun capteur muet." in await get(served, "/reseau/parc?cause=battery")
    async with served.http.get("/reseau/parc/piles.csv") as answer:
        lines = (await answer.text()).removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("collectivité;site;point;latitude")
    assert len(lines) == 2
    async with served.http.get("/reseau/parc/muets.csv") as answer:
        assert len((await answer.text()).splitlines()) == 3


async def test_coverage_is_drawn_and_told_beside_a_plan(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    text = await get(served, "/reseau/couverture")
    assert "2 capteurs entendus ; 50 % ne le sont que par une seule antenne." in text
    await served.connection.execute("UPDATE tenants SET insee = '80999' WHERE slug = 'mareuville'")
    plan = {
        "type": "FeatureCollection",
        "features": [
            {"properties": {"insee": "80999", "indoor_sf12": 0.873, "redundancy": 1.94, "delivery": 0.912}},
            {"properties": {"insee": "80001"}},
        ],
    }
    for part in ("cells", "communes", "antennas"):
        await served.connection.execute(
            "INSERT INTO coverage_plans VALUES ('essai', $1, now(), $2)", part, json.dumps(plan)
        )
    text = await get(served, "/reseau/couverture")
    assert "87,3 % 1,9 91,2 %" in text
    assert "École Jules-Verne" in await get(served, "/reseau/couverture?commune=mareuville")
    async with served.http.get("/reseau/couverture/plans/essai/communes") as answer:
        assert answer.content_type == "application/geo+json"
        assert (await answer.json(content_type=None)) == plan
    await get(served, "/reseau/couverture/plans/autre/communes", status=404)


async def test_oddities_are_shown_and_unknown_devices_ignored(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    text = await get(served, "/reseau/securite")
    assert "OTAA · DevNonce has already been used" in text
    assert "70b3d500000000ff" in text
    path = "/reseau/securite/inconnus/70b3d500000000ff"
    async with served.http.post(f"{path}/ignorer") as answer:
        assert answer.status == 200
        assert "Capteurs ignorés" in await answer.text()
    assert "Aucun capteur inconnu." in await get(served, "/reseau/securite")
    async with served.http.post(f"{path}/montrer") as answer:
        assert answer.status == 200
    assert "Aucun capteur inconnu." not in await get(served, "/reseau/securite")
    async with served.http.post(f"{path}/vendre") as answer:
        assert answer.status == 404


async def test_a_network_without_anything_says_so(served: Served) -> None:
    assert "Aucune antenne n'a encore été entendue." in await get(served, "/reseau")
    assert "Aucun capteur n'est déclaré." in await get(served, "/reseau/parc")
    assert "Aucune réception n'est encore connue." in await get(served, "/reseau/couverture")
    assert "Aucune plainte" in await get(served, "/reseau/securite")
