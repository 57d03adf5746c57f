"""Network servers and loans on the pages: a key that is typed reaches the server, and stays on no phone."""

import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import api_world
import pytest
from browser_looks import look
from browser_watch import Served, sign_in, violations, watch
from playwright.async_api import Browser, Page, expect

sys.path.append(str(Path(__file__).parents[1] / "integration" / "provisioning"))
from chirpstack_server import APPLICATION, PROFILE, TOKEN, ChirpStackServer, Code, device, serving

from alerting.provisioning import servers
from alerting.provisioning.door import door
from alerting.provisioning.settings import ProvisioningSettings
from alerting.provisioning.worker import Office, work_once
from deploy.embedded.postgres import role_dsn
from store.access.roles import PROVISIONING
from store.pool import open_pool

EUI = "70b3d5e75e00f00d"
KEY = "00112233445566778899aabbccddeeff"
SERVER = "/t/mareuville/serveur-reseau"
GENEROUS_MS = 30_000
# A page looks every three seconds how far an order is; here sooner.
SOONER = "const later = setTimeout; window.setTimeout = (run, ms, ...more) => later(run, ms / 20, ...more);"
# All that a browser keeps for the pages: the two storages, every database, every cache.
KEPT = """async () => {
  const kept = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((resolve, reject) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    for (const store of base.objectStoreNames) {
      kept.push(await new Promise((resolve, reject) => {
        const asked = base.transaction(store).objectStore(store).getAll();
        asked.onsuccess = () => resolve(JSON.stringify(asked.result));
        asked.onerror = () => reject(asked.error);
      }));
    }
    base.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      kept.push(request.url);
      if (!new URL(request.url).pathname.startsWith("/static/")) kept.push(await (await cache.match(request)).text());
    }
  }
  return kept.join("\\n").toLowerCase();
}"""


class Desk(NamedTuple):
    """A network server, and the worker that speaks to it."""

    chirpstack: ChirpStackServer
    office: Office

    async def work(self) -> None:
        while await work_once(self.office):
            pass


@pytest.fixture
async def desk(served: Served, territory: api_world.Territory) -> AsyncIterator[Desk]:
    async with serving() as chirpstack:
        pool = await open_pool(role_dsn(territory.dsn, PROVISIONING), size=4, application="test")
        settings = ProvisioningSettings(servers=(chirpstack.address,), timeout_s=5)
        told = Counter[tuple[str, str]]()
        office = Office(
            pool, api_world.KEYRING, servers.load(), door(settings), settings.timeout_s, served.clock,
            lambda act, outcome: told.update([(act, outcome)]),
        )  # fmt: skip
        yield Desk(chirpstack, office)
        await pool.close()


@pytest.fixture
async def phone(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """A phone whose service workers work, an administrator signed in."""
    complaints: list[str] = []
    async with await browser.new_context(locale="fr-FR", viewport={"width": 360, "height": 740}) as context:
        await sign_in(context, served)
        page = await watch(context, complaints)
        yield page
        assert await violations(page) == []
    expected = ("ERR_INTERNET_DISCONNECTED", "ERR_ABORTED", "status of 422")  # what the test provokes
    assert [one for one in complaints if not any(part in one for part in expected)] == []


async def declared(page: Page, served: Served, desk: Desk) -> None:
    await page.add_init_script(SOONER)
    await page.goto(served.address + SERVER)
    await page.get_by_label("Adresse").fill(desk.chirpstack.address)
    await page.get_by_label("Application").fill(APPLICATION)
    await page.get_by_label("Clé d'API").fill(TOKEN)
    await page.get_by_label("Modèle").first.select_option("acme-th")
    await page.get_by_label("Profil", exact=True).first.fill(PROFILE)
    await page.get_by_role("button", name="Enregistrer et tester").click()
    await page.get_by_text("Demandé").wait_for()
    await desk.work()
    await page.locator("#orders").get_by_text("Lu, la liaison fonctionne.").wait_for(timeout=GENEROUS_MS)  # by itself
    assert TOKEN not in await page.content()


async def test_a_key_typed_on_a_phone_reaches_the_network_server_and_stays_nowhere_else(
    phone: Page, served: Served, desk: Desk
) -> None:
    page = phone
    await declared(page, served, desk)
    await page.goto(f"{served.address}/mettre-en-service")
    await page.wait_for_function("() => localStorage.getItem('samara.tenants') !== null", timeout=GENEROUS_MS)
    await page.wait_for_function("() => navigator.serviceWorker.controller?.state === 'activated'")
    await page.goto(f"{served.address}/mettre-en-service/{EUI}?tenant=mareuville&site=nouveau")
    await page.get_by_label("Nom du lieu").fill("Gymnase")
    await page.get_by_label("Nom du point").fill("Air")
    await page.get_by_label("Modèle du capteur").select_option("acme-th")
    await page.get_by_label("AppKey").fill(KEY[:-1])
    await page.get_by_role("button", name="Mettre en place").click()
    await page.get_by_role("alert").get_by_text("L'AppKey a 32 chiffres").wait_for()
    await expect(page.get_by_label("AppKey")).to_have_value("")
    await page.get_by_label("AppKey").fill(KEY)
    await page.get_by_role("button", name="Mettre en place").click()
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_text("Enregistrer : Demandé").wait_for()
    await desk.work()
    await page.get_by_text("Enregistré, clés transmises.").wait_for(timeout=GENEROUS_MS)  # by itself
    assert desk.chirpstack.devices[EUI].application_id == APPLICATION
    assert desk.chirpstack.keys[EUI].nwk_key == KEY
    await page.goto(f"{served.address}/mettre-en-service/{EUI}?tenant=mareuville&site=nouveau")
    await expect(page.get_by_label("AppKey")).to_have_value("")
    assert KEY[:-1] not in await page.evaluate(KEPT)

    await page.goto(f"{served.address}/mettre-en-service")
    await page.context.set_offline(True)
    await page.goto(f"{served.address}/mettre-en-service")
    later = page.locator("#later")
    await later.get_by_text("Les clés (AppKey) ne se notent pas ici").wait_for()
    await later.get_by_label("Code ou DevEUI").fill(f"DevEUI: 70B3D5E75E00BEEF, AppKey: {KEY.upper()}")
    await later.get_by_label("Collectivité").fill("Mareuville")
    await later.get_by_label("Nom du lieu").fill("Gymnase")
    await later.get_by_label("Nom du point").fill("Eau")
    await later.get_by_role("button", name="Garder sur ce téléphone").click()
    await page.get_by_text("En attente de réseau.").wait_for()
    kept = await page.evaluate(KEPT)
    assert "70b3d5e75e00beef" in kept
    assert KEY not in kept
    await page.context.set_offline(False)
    await page.get_by_role("link", name="Clés à taper").click(timeout=GENEROUS_MS)
    await page.get_by_text("ses clés sont à taper maintenant").wait_for()
    await page.get_by_text("L'enregistrer sur le serveur de réseau, avec ses clés").click()
    await page.get_by_label("AppKey").fill(KEY)
    await page.get_by_label("JoinEUI").fill("0011223344556677")
    await page.get_by_role("button", name="Enregistrer là-bas").click()
    await page.get_by_text("L'enregistrement est demandé.").wait_for()


async def test_a_list_whose_middle_is_refused_is_mended_and_both_sides_are_brought_into_line(
    page: Page, served: Served, desk: Desk, axe: str
) -> None:
    await declared(page, served, desk)
    desk.chirpstack.fail("Create", f"{EUI[:-1]}2", Code.INVALID_ARGUMENT)
    lines = [f"{EUI[:-1]}{n};acme-th;Gymnase;Air {n};{n:032x}" for n in range(1, 6)]
    content = "\n".join(["DevEUI;Modèle;Lieu;Point;AppKey", *lines]).encode()
    await page.goto(f"{served.address}/t/mareuville/import")
    file = {"name": "clés.csv", "mimeType": "text/csv", "buffer": content}
    await page.get_by_label("Fichier").set_input_files(file)  # type: ignore[arg-type] # a file made here
    await page.get_by_role("button", name="Lire le fichier").click()
    await page.get_by_role("link", name="Simuler toute la liste").click()
    await page.get_by_role("heading", name="Ce qui serait fait sur le serveur de réseau").wait_for()
    address = page.url.partition("?")[0].removeprefix(served.address)
    await look(page, served, "import-cles", f"{address}?simuler=1", axe)
    assert desk.chirpstack.devices == {}
    await page.get_by_role("button", name="Importer les 5 lignes").click()
    await page.get_by_text("Toutes les lignes ont été vues.").wait_for()
    await desk.work()
    link = page.get_by_role("link", name="Fichier de ce que le serveur a refusé")
    await link.wait_for(timeout=GENEROUS_MS)  # by itself
    assert len(desk.chirpstack.keys) == 4
    held = await page.context.request.get(served.address + (await link.get_attribute("href") or ""))
    failed = (await held.body()).decode("utf-8-sig").splitlines()
    assert len(failed) == 2
    mended = failed[1].replace("Air 2;", f"Air 2;{2:032x}")
    created = desk.chirpstack.calls["Create"]
    await page.goto(f"{served.address}/t/mareuville/import")
    file |= {"buffer": f"{failed[0]}\n{mended}\n".encode()}
    await page.get_by_label("Fichier").set_input_files(file)  # type: ignore[arg-type] # a file made here
    await page.get_by_role("button", name="Lire le fichier").click()
    await page.get_by_role("button", name="Importer la ligne").click()
    await page.get_by_text("Toutes les lignes ont été prises.").wait_for()
    await desk.work()
    assert {eui: keys.nwk_key for eui, keys in desk.chirpstack.keys.items()} == {
        f"{EUI[:-1]}{n}": f"{n:032x}" for n in range(1, 6)
    }
    assert desk.chirpstack.calls["Create"] == created + 1
    await _in_line(page, served, desk, axe)


async def _in_line(page: Page, served: Served, desk: Desk, axe: str) -> None:
    desk.chirpstack.devices[f"{7:016x}"] = device(f"{7:016x}", "Étrangère")
    await page.goto(f"{served.address}{SERVER}/ecarts")
    await page.get_by_role("button", name="Lire le serveur").click()
    await page.get_by_text("La lecture est demandée.").wait_for()
    await desk.work()
    await look(page, served, "ecarts", f"{SERVER}/ecarts", axe)
    await page.get_by_label("Étrangère").check()
    await page.get_by_role("button", name="Samara a raison").click()
    await page.get_by_text("1 capteur serait supprimé").wait_for()
    await page.get_by_role("button", name="Appliquer").click()
    await page.get_by_text("C'est demandé au serveur de réseau.").wait_for()
    await desk.work()
    assert f"{7:016x}" not in desk.chirpstack.devices
    await served.connection.execute("DELETE FROM network_orders WHERE state = 'done'")
    await page.get_by_role("link", name="Refusées (1)").click()
    await page.get_by_role("link", name="Retaper les clés").click()
    await page.get_by_role("heading", name="Réessayer").wait_for()


async def test_a_sensor_is_lent_and_given_back(page: Page, served: Served, axe: str) -> None:
    await served.connection.execute("DELETE FROM assignments WHERE device_id = 1")
    await page.goto(f"{served.address}/t/mareuville/stock/{1:016x}")
    due_on = f"{served.clock.now:%Y-%m-%d}"
    await page.get_by_label("Dernier jour du prêt").fill(due_on)
    await page.get_by_role("button", name="Prêter le capteur").click()
    await page.get_by_text("Le capteur est prêté.").wait_for()
    await served.connection.execute("UPDATE loans SET due_on = due_on - 1, lent_at = lent_at - interval '3 days'")
    await look(page, served, "stock-prets", "/stock", axe)
    await expect(page.get_by_text("1 capteur prêté aurait dû être rendu.")).to_be_visible()
    await page.get_by_role("button", name="Rendu").click()
    await page.get_by_text("Le capteur est rendu").wait_for()
