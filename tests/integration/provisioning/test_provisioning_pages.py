"""The pages of network servers over the application: declared, asked, tried again, taken back, brought into line."""

import csv
import io
import re
from typing import Any

import aiohttp
import pytest
from chirpstack_server import APPLICATION, OTHER_PROFILE, PROFILE, TOKEN, ChirpStackServer, Code, device
from provisioning_world import AIR, APP_KEY, JOIN_EUI, NWK_KEY, Desk

SERVER = "/t/mareuville/serveur-reseau"
ORDERS = f"{SERVER}/ordres"
GAPS = f"{SERVER}/ecarts"
NEW = "70b3d5e75e00f00d"


async def get(desk: Desk, path: str, status: int = 200) -> str:
    async with desk.served.http.get(path, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, path
        return plain(await answer.text())


async def post(desk: Desk, path: str, *pairs: tuple[str, str], status: int = 200, **fields: str) -> str:
    data = aiohttp.FormData([*pairs, *fields.items()])
    async with desk.served.http.post(path, data=data, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, (path, await answer.text())
        return plain(await answer.text())


def plain(html: str) -> str:
    return html.replace("\u00a0", " ").replace("\u202f", " ").replace("&#39;", "'")


def form(address: str, **other: str) -> dict[str, str]:
    given = {"kind": "chirpstack", "address": address, "application": APPLICATION, "token": TOKEN}
    return given | {"model_0": "acme-th", "profile_0": PROFILE} | other


@pytest.fixture
async def ready(desk: Desk, chirpstack: ChirpStackServer) -> Desk:
    await desk.configure(chirpstack.address, APPLICATION, TOKEN, PROFILE)
    return desk


async def test_a_server_is_declared_and_tested_and_its_token_is_never_shown(
    desk: Desk, chirpstack: ChirpStackServer
) -> None:
    assert "Aucun serveur de réseau n'est déclaré." in await get(desk, "/reseau/serveurs")
    assert 'href="/t/mareuville/serveur-reseau"' in await get(desk, "/reseau/serveurs?q=mareu")
    page = await post(desk, SERVER, status=422, **form("chirpstack:8080"))
    assert "L'adresse est https://nom" in page
    assert TOKEN not in page
    page = await post(desk, SERVER, status=422, **form(chirpstack.address, token=""))
    assert "demande sa clé d'API" in page
    page = await post(desk, SERVER, **form(chirpstack.address, token="faux-jeton"))
    assert "Demandé" in page
    await desk.work()
    page = await get(desk, SERVER)
    assert "La clé d'API n'est pas acceptée" in page
    await post(desk, SERVER, **form(chirpstack.address))
    await desk.later(minutes=1)
    page = await get(desk, SERVER)
    assert "Lu, la liaison fonctionne." in page
    assert PROFILE in page
    assert TOKEN not in page
    await post(desk, SERVER, **form(chirpstack.address, token="", profile_0=OTHER_PROFILE))  # the token stays
    await post(desk, f"{SERVER}/essai")
    await desk.work()
    page = await get(desk, SERVER)
    assert OTHER_PROFILE in page
    assert "Aucun incident" in page
    assert "Mareuville" in await get(desk, "/reseau/serveurs")
    assert "C'est supprimé." in await post(desk, f"{SERVER}/oubli")
    actions = await desk.served.connection.fetch("SELECT DISTINCT action FROM audit WHERE action LIKE 'network%'")
    assert {"network_server.set", "network_server.tested", "network_server.removed"} <= {one[0] for one in actions}
    assert TOKEN not in str(await desk.served.connection.fetch("SELECT * FROM audit"))


async def installed(desk: Desk, status: int = 200, **fields: str) -> str:
    where = f"/mettre-en-service/{NEW}?tenant=mareuville&site=nouveau&join={JOIN_EUI}"
    assert "L'enregistrer sur le serveur de réseau" in await get(desk, where)
    given = {"site_name": "Gymnase", "point_name": "Air", "model_id": "acme-th", "register": "1", "join_eui": JOIN_EUI}
    return await post(desk, where, status=status, **(given | fields))


async def test_a_sensor_is_put_in_service_with_its_keys_and_its_page_says_how_far_it_is(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    page = await installed(ready, 422, app_key=APP_KEY[:-1])
    assert "L'AppKey a 32 chiffres" in page
    assert APP_KEY[:-1] not in page
    assert chirpstack.devices == {}
    await installed(ready, app_key=" ".join(APP_KEY[at : at + 2] for at in range(0, 32, 2)).upper())
    here = f"/t/mareuville/mises-en-service/{NEW}"
    assert "Enregistrer : Demandé" in await get(ready, here)
    await ready.work()
    assert chirpstack.devices[NEW].join_eui == JOIN_EUI
    assert chirpstack.keys[NEW].nwk_key == APP_KEY
    page = await get(ready, here)
    assert "Enregistré, clés transmises." in page
    assert APP_KEY not in page
    await post(ready, f"{here}/serveur-reseau", app_key=APP_KEY, nwk_key=NWK_KEY, keep_keys="1")
    await ready.work()
    assert chirpstack.keys[NEW].nwk_key == NWK_KEY
    assert await ready.served.connection.fetchval("SELECT count(*) FROM device_keys") == 2
    assert "Rien n'a été demandé" in await post(ready, f"{here}/serveur-reseau", app_key="abc")
    await post(ready, f"{here}/retrait", deprovision="1")
    await ready.work()
    assert chirpstack.devices == {}
    assert "Retiré." in await get(ready, here)


async def test_an_order_is_refused_in_words_tried_again_with_its_keys_and_taken_back(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    chirpstack.fail("Create", NEW, Code.INVALID_ARGUMENT)
    await installed(ready, app_key=APP_KEY)
    await ready.work()
    page = await get(ready, f"{ORDERS}?etat=failed")
    assert "Le serveur de réseau refuse" in page
    assert "Retaper les clés" in page
    number = int((re.search(r"/ordres/(\d+)", page) or [0, 0])[1])
    assert await ready.secrets() == 0
    assert "retapez-les" in await post(ready, f"{ORDERS}/{number}/reprise", status=422)
    await post(ready, f"{ORDERS}/reprise")  # all at once: this one waits for its keys
    assert (await ready.orders())[0]["state"] == "failed"
    await post(ready, f"{ORDERS}/{number}/reprise", join_eui="", app_key=APP_KEY, nwk_key="")
    await ready.work()
    assert chirpstack.keys[NEW].nwk_key == APP_KEY
    assert "Enregistré, clés transmises." in await get(ready, f"{ORDERS}/{number}")
    refused = await ready.ask("POST", f"network-orders/{number}/retry", 409)
    assert refused["why"] == "over"

    chirpstack.fail("Get", AIR, Code.UNAVAILABLE)
    chirpstack.fail("Create", AIR, Code.UNAVAILABLE)
    await ready.put(AIR, app_key=APP_KEY)
    await ready.work()
    assert "Pas encore : nouvel essai" in await get(ready, ORDERS)
    (waiting,) = [one for one in await ready.orders() if one["state"] == "waiting"]
    assert await ready.secrets() == 1
    assert "Annulé" in await post(ready, f"{ORDERS}/{waiting['id']}/annulation")
    assert await ready.secrets() == 0
    assert (await ready.ask("POST", f"network-orders/{waiting['id']}/cancellation", 409))["why"] == "over"
    assert (await ready.ask("POST", f"network-orders/{waiting['id']}/retry", 409))["why"] == "keys"
    await ready.ask("POST", f"network-orders/{waiting['id']}/retry", 201, app_key=APP_KEY)
    await ready.put(AIR)
    assert (await ready.ask("POST", f"network-orders/{waiting['id']}/retry", 409))["why"] == "later"
    await post(ready, f"{ORDERS}/annulation")
    assert {one["state"] for one in await ready.orders()} == {"done", "cancelled"}
    await ready.later(hours=1)
    assert AIR not in chirpstack.devices


def seen(plan: str) -> str:
    found = re.search('name="seen" value="([0-9a-f]{64})"', plan)
    assert found is not None
    return found[1]


async def test_what_differs_is_brought_into_line_either_way_after_a_dry_run(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    stranger, renamed = f"{77:016x}", f"{3:016x}"
    chirpstack.devices |= {
        stranger: device(stranger, "Étrangère"),
        renamed: device(renamed, "Autre nom"),
        AIR: device(AIR, "Vieux nom"),
    }
    assert "jamais été lu" in await get(ready, GAPS)
    await post(ready, f"{GAPS}/lecture")
    await ready.work()
    page = await get(ready, GAPS)
    for words in ("inconnu de Samara", "absent du serveur", "Vieux nom"):
        assert words in page
    assert "Choisissez au moins un capteur" in await post(ready, f"{GAPS}/plan", right="here", status=422)
    plan = await post(ready, f"{GAPS}/plan", ("device", AIR), ("device", stranger), right="here")
    assert "Serait mis à jour." in plan
    assert "1 capteur serait supprimé du serveur de réseau, avec ses clés." in plan
    assert set(chirpstack.devices) == {stranger, renamed, AIR}  # nothing is done
    alone = await post(ready, f"{GAPS}/plan", ("device", AIR), right="here")
    for other in (seen(plan), "", "x"):  # another plan, or none
        told = await post(ready, f"{GAPS}/application", ("device", AIR), right="here", seen=other, status=422)
        assert "a changé depuis" in told
    assert len(await ready.orders()) == 1  # to read what is there
    await post(ready, f"{GAPS}/application", ("device", AIR), right="here", seen=seen(alone))
    await ready.work()
    assert chirpstack.devices[AIR].name == "Air, classe de CM2"
    assert stranger in chirpstack.devices
    plan = await post(ready, f"{GAPS}/plan", everything="all", right="there")
    for words in ("Serait déclaré dans Samara.", "Samara ne supprime pas", "Samara reprendrait : nom"):
        assert words in plan
    await post(ready, f"{GAPS}/application", everything="all", right="there", seen=seen(plan))
    name = "SELECT name FROM devices WHERE dev_eui = $1"
    assert await ready.served.connection.fetchval(name, stranger) == "Étrangère"
    assert await ready.served.connection.fetchval(name, renamed) == "Autre nom"
    assert "inconnu de Samara" not in await get(ready, GAPS)
    await post(ready, f"{GAPS}/application", right="nowhere", status=400)


def rows(count: int, **keys: str) -> bytes:
    lines = ["DevEUI;Nom;Modèle;Lieu;Point;AppEUI;AppKey"]
    for number in range(1, count + 1):
        eui = f"70b3d5e75e{number:06x}"
        lines.append(f"{eui};Sonde {number};acme-th;École;Air {number};{JOIN_EUI};{keys.get(eui, f'{number:032x}')}")
    return "\n".join(lines).encode()


async def send(desk: Desk, content: bytes) -> tuple[str, str]:
    data = aiohttp.FormData()
    data.add_field("file", io.BytesIO(content), filename="liste.csv")
    async with desk.served.http.post("/t/mareuville/import", data=data, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == 200
        return answer.url.path, plain(await answer.text())


async def count(desk: Desk, statement: str) -> Any:
    return await desk.served.connection.fetchval(statement)


async def test_a_list_with_keys_says_what_would_be_done_does_it_and_gives_back_what_was_refused(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    chirpstack.fail("Create", "70b3d5e75e000002", Code.INVALID_ARGUMENT)
    chirpstack.fail("CreateKeys", "70b3d5e75e000003", Code.UNAVAILABLE)
    path, page = await send(ready, rows(4))
    assert "Elles sont chiffrées" in page
    assert "Serait enregistré, ses clés seraient transmises." in page
    whole = await get(ready, f"{path}?simuler=1")
    assert "Seraient enregistrés</dt><dd>4" in whole
    assert await count(ready, "SELECT count(*) FROM import_keys") == 4
    assert await count(ready, "SELECT count(*) FROM network_orders") == 0
    kept = str(await ready.served.connection.fetch("SELECT * FROM import_rows")) + page + whole
    assert f"{1:032x}" not in kept
    page = await post(ready, f"{path}/prise", registers="1", keep_keys="1")
    assert "En attente</dt><dd>4" in page
    assert await count(ready, "SELECT count(*) FROM import_keys") == 0
    assert await ready.secrets() == 4
    await ready.work()
    page = await get(ready, path)
    assert "Faites</dt><dd>2" in page
    assert "Refusées par le serveur</dt><dd>1" in page
    await ready.later(seconds=10)
    assert {eui: keys.nwk_key for eui, keys in chirpstack.keys.items()} == {
        f"70b3d5e75e{number:06x}": f"{number:032x}" for number in (1, 3, 4)
    }
    assert chirpstack.devices["70b3d5e75e000001"].join_eui == JOIN_EUI
    assert await count(ready, "SELECT count(*) FROM device_keys") == 4

    async with ready.served.http.get(f"{path}/echecs.csv", headers={"Accept-Language": "fr"}) as answer:
        failed = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig")), delimiter=";"))
    assert [one[0] for one in failed[1:]] == ["70b3d5e75e000002"]
    assert failed[1][6] == ""  # keys are never given back
    assert "Le serveur de réseau refuse" in failed[1][7]
    failed[1][6] = f"{2:032x}"
    held = io.StringIO()
    csv.writer(held, delimiter=";").writerows(failed)
    created = chirpstack.calls["Create"]
    path, _ = await send(ready, held.getvalue().encode())
    await post(ready, f"{path}/prise", registers="1")
    await ready.work()
    assert chirpstack.keys["70b3d5e75e000002"].nwk_key == f"{2:032x}"
    assert chirpstack.calls["Create"] == created + 1
    orders = await count(ready, "SELECT count(*) FROM network_orders")
    path, page = await send(ready, b"DevEUI;Nom\n" + b"\n".join(b"70b3d5e75e%06x;Sonde %d" % (n, n) for n in (1, 2, 3)))
    assert "Rien : il y est tel quel." in page
    await post(ready, f"{path}/prise", registers="1")
    assert await count(ready, "SELECT count(*) FROM network_orders") == orders  # nothing is asked twice


async def test_keys_of_a_list_are_gone_without_a_server_when_it_is_dropped_and_in_time(
    ready: Desk, chirpstack: ChirpStackServer
) -> None:
    path, _ = await send(ready, rows(2))
    await post(ready, f"{path}/oubli")
    assert await count(ready, "SELECT count(*) FROM import_keys") == 0
    path, _ = await send(ready, rows(2))
    await ready.served.connection.execute("DELETE FROM import_keys WHERE place = 0")  # as after two days
    page = await post(ready, f"{path}/prise", registers="1")
    assert "La clé a été effacée entre-temps" in page
    assert await count(ready, "SELECT count(*) FROM network_orders") == 1
    path, _ = await send(ready, rows(3))
    await post(ready, f"{path}/prise")  # not wanted there
    assert await count(ready, "SELECT count(*) FROM import_keys") == 0
    assert await count(ready, "SELECT count(*) FROM network_orders") == 1
    await post(ready, f"{SERVER}/oubli")
    _, page = await send(ready, rows(2))
    assert "Elles n'ont pas été gardées." in page
    assert await count(ready, "SELECT count(*) FROM import_keys") == 0
    assert chirpstack.devices == {}
