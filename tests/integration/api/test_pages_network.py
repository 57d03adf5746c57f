"""The pages of the network's supervision: what a supervisor reads there, and what nobody else does."""

import asyncio
import io
import json
import re
import zipfile
from datetime import timedelta

import api_world
import network_world
from aiohttp import ClientResponse, ClientSession
from api_served import Served

from store.ingest_workers import WorkerState, tell_worker
from store.supervision.coverage import keep_plan


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
    for eui, status in ((network_world.HALL, 200), ("nowhere", 404)):
        async with served.http.post(f"/reseau/antennes/{eui}", data={"name": " Clocher\x07 "}) as answer:
            assert answer.status == status
    assert "Clocher" in await get(served, "/reseau?vue=toutes")
    said = "SELECT object, detail::jsonb ->> 'name' FROM audit WHERE action = 'gateway.named'"
    assert [tuple(row) for row in await served.connection.fetch(said)] == [(network_world.HALL, "Clocher")]


async def test_ingest_processes_say_how_they_do(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    assert "Processus de réception" not in await get(served, "/reseau")
    now = api_world.NOW
    for state in (
        WorkerState("ingest-1", now - timedelta(seconds=8), 3, 1200, 0, []),
        WorkerState("ingest-2", now - timedelta(seconds=5), 9, 3000, 2_500_000, ["chirpstack"]),
        WorkerState("ingest-3", now - timedelta(minutes=5), 0, 0, 0, []),
        WorkerState("ingest-3", now - timedelta(minutes=4), 1, 0, 0, []),
    ):
        await tell_worker(served.connection, state, 5)
    text = await get(served, "/reseau")
    assert "File d'attente 13 messages" in text
    assert "Réserve sur disque 2,5 Mo" in text
    assert "ingest-1 Reçoit et enregistre à l'instant 3 0 ko" in text
    assert "ingest-2 N'entend pas chirpstack" in text
    assert "ingest-3 Ne dit plus rien il y a 4 minutes 1" in text


async def test_frames_are_told_to_supervisors_as_they_are_stored(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    assert "Rien ces dernières minutes" in await get(served, "/reseau")
    async with served.http.get("/reseau/en-direct", headers={"Accept-Language": "fr"}) as stream:
        assert await event(stream) == []
        await served.connection.execute(
            "INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,"
            " dev_addr, outcome, detail, payload, spreading_factor)"
            " VALUES ($1, 999, $1, 77, $2, 1, false, true, 'a', 'decoded', '', '\\x01', 9)",
            api_world.NOW - timedelta(seconds=3), served.world.door.device_id,
        )  # fmt: skip
        await served.connection.execute("SELECT pg_notify('samara_committed', $1)", str(served.world.door.device_id))
        (frame,) = await event(stream)
        assert frame["name"] == "Porte des archives"
        assert frame["at"] == "09:59:57"
        assert frame["said"].replace("\u00a0", " ") == "Mareuville · FCnt 77 · SF9 · décodée"
    assert "FCnt 77" in await get(served, "/reseau")
    viewer = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="mairie@example.fr")
    async with (
        ClientSession(served.http._base_url, cookies=viewer) as http,
        http.get("/reseau/en-direct") as answer,
    ):
        assert answer.status == 403


async def event(stream: ClientResponse) -> list[dict[str, str]]:
    async with asyncio.timeout(30):
        while not (line := await stream.content.readline()).startswith(b"data: "):
            assert line, "the stream ended"
    found: list[dict[str, str]] = json.loads(line.removeprefix(b"data: "))
    return found


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
    assert "Capteurs : 5, dont muets : 2. Piles à changer dans les 60 jours : 1." in text
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
    async with served.http.get("/reseau/parc/capteurs.csv", headers={"Accept-Language": "fr"}) as answer:
        fleet = (await answer.text()).removeprefix("\ufeff").splitlines()
    assert len(fleet) == 6
    assert any("Eau froide, chaufferie" in line and line.endswith(";Antenne") for line in fleet), fleet
    async with served.http.get("/reseau/parc/capteurs.xlsx") as answer:
        assert answer.content_type.endswith("spreadsheetml.sheet")
        held = zipfile.ZipFile(io.BytesIO(await answer.read()))
        assert held.read("xl/worksheets/sheet1.xml").count(b"<row ") == 6
    await get(served, "/reseau/parc/capteurs.ods", status=404)
    assert await served.connection.fetchval("SELECT count(*) FROM audit WHERE action = 'export.fleet'") == 4


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
    assert "Prévu : essai" not in text  # without a drawing: it was imported before there were any
    ring = [[2.2, 49.8], [2.4, 49.8], [2.4, 50.0], [2.2, 50.0], [2.2, 49.8]]
    cell = {"geometry": {"coordinates": [ring]}, "properties": {"indoor_sf12": 0.95, "redundancy": 2.4}}
    parts = {"cells": json.dumps({"features": [cell]}), "communes": json.dumps(plan)}
    await keep_plan(served.connection, "essai", parts, api_world.NOW)
    assert "Prévu : essai" in await get(served, "/reseau/couverture")
    async with served.http.get("/reseau/couverture") as answer:
        html = await answer.text()
    assert re.search(r'class="area good" d="M[-0-9. ]+h[0-9.]+v[0-9.]+h-[0-9.]+z"', html)
    async with served.http.get("/reseau/couverture/plans/essai/communes") as answer:
        assert answer.content_type == "application/geo+json"
        assert (await answer.json(content_type=None)) == plan
    await get(served, "/reseau/couverture/plans/autre/communes", status=404)


async def test_oddities_are_shown_and_unknown_devices_ignored(served: Served) -> None:
    await network_world.build(served.connection, served.world)
    text = await get(served, "/reseau/securite")
    assert "DevNonce réutilisé OTAA · DevNonce has already been used" in text
    assert "recommence ses DevNonce" in text
    assert "70b3d500000000ff" in text
    async with served.http.get("/reseau/securite") as answer:
        assert 'href="/mettre-en-service/70b3d500000000ff"' in await answer.text()
    path = "/reseau/securite/inconnus/70b3d500000000ff"
    async with served.http.post(f"{path}/ignorer") as answer:
        assert answer.status == 200
        assert "Capteurs ignorés" in await answer.text()
    assert "Ignoré par somebody@example.fr" in await get(served, "/reseau/securite")
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
