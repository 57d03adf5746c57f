"""A technician puts a sensor in service with a phone: camera, place, position, first frame; and without a network."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO

import api_world
import pytest
import segno
from browser_looks import look, tab_to
from browser_watch import Served, sign_in, violations, watch
from playwright.async_api import Browser, Page, async_playwright, expect
from qr_film import camera, write_film

from domain.labels import crc16
from store.partitions import ensure_partitions, month_of

DEV_EUI = "70b3d5e75e00f00d"
BASE = f"LW:D0:0011223344556677:{DEV_EUI.upper()}:AABB1122:S42"
CODE = f"{BASE}:C{crc16(BASE.encode()):04X}"
NEXT_RELEASE = """async () => {
  const { installing } = await navigator.serviceWorker.register("/sw.js?v=next", { scope: "/" });
  await new Promise((resolve) => installing.addEventListener("statechange", () => {
    if (["activated", "redundant"].includes(installing.state)) resolve();
  }));
}"""
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
async def phone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser whose camera shows a film of a code."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium: not installed; apt-get install chromium")
    film = tmp_path_factory.mktemp("film") / "code.y4m"
    write_film(film, CODE)
    arguments = camera(film)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        await browser.close()


@pytest.fixture
async def technician(phone: Browser, served: Served) -> AsyncIterator[Page]:
    complaints: list[str] = []
    position = {"latitude": 49.9001, "longitude": 2.3001}
    async with await phone.new_context(
        locale="fr-FR", viewport=PHONE, geolocation=position, permissions=["camera", "geolocation"]
    ) as context:
        cookie = await api_world.sign_in(
            served.connection, ("technician", served.world.tenant_id), email="technicien@example.fr"
        )
        await sign_in(context, served._replace(cookie=cookie))
        page = await watch(context, complaints)
        yield page
        assert await violations(page) == []
    expected = ("ERR_INTERNET_DISCONNECTED", "ERR_ABORTED", "status of 409", "status of 422")  # what the tests provoke
    assert [one for one in complaints if not any(part in one for part in expected)] == []


async def heard(served: Served, dev_eui: str, snr_db: float) -> None:
    """Store a frame as ingest does: two antennas heard it."""
    connection, at = served.connection, served.clock.now + timedelta(seconds=5)
    device_id = await connection.fetchval("SELECT device_id FROM devices WHERE dev_eui = $1", dev_eui)
    for relation in ("uplinks", "receptions"):
        await ensure_partitions(connection, relation, {month_of(at)})
    source = await connection.fetchval("INSERT INTO sources (name) VALUES ('tests') RETURNING source_id")
    await connection.execute(
        "INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,"
        " dev_addr, outcome, detail, payload, spreading_factor)"
        " VALUES ($1, 1, $1, 0, $2, $3, false, true, '', 'decoded', '', '', 7)",
        at,
        device_id,
        source,
    )
    for eui in ("025a4dfffe000001", "025a4dfffe000002"):
        gateway = await connection.fetchval("INSERT INTO gateways (gateway_eui) VALUES ($1) RETURNING gateway_id", eui)
        await connection.execute(
            "INSERT INTO receptions (received_at, uplink_key, device_id, gateway_id, rssi_dbm, snr_db)"
            " VALUES ($1, 1, $2, $3, -101, $4)",
            at,
            device_id,
            gateway,
            snr_db,
        )
    served.clock.now += timedelta(seconds=10)


async def test_a_code_is_scanned_and_the_sensor_is_in_service(technician: Page, served: Served, axe: str) -> None:
    page = technician
    await page.goto(f"{served.address}/mettre-en-service")
    await page.get_by_role("button", name="Lire le code avec la caméra").click()
    await page.wait_for_url("**/mettre-en-service/70b3d5e75e00f00d**")
    await page.get_by_role("button", name="Chercher autour de moi").click()
    await page.get_by_role("link", name="École Jules-Verne").first.click()
    await page.get_by_label("Nom du point").fill("Air, cantine")
    await page.get_by_label("Modèle du capteur").select_option("acme-th")
    await page.get_by_role("button", name="Mettre en place").click()
    await page.get_by_role("button", name="Prendre ma position").click()
    await expect(page.get_by_label("Latitude")).not_to_have_value("")
    await page.get_by_label("Remarque").fill("Derrière la porte")
    picture = BytesIO()
    segno.make("photo").save(picture, kind="png", scale=20)
    await page.get_by_label("Ajouter une photo").set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    await page.get_by_text("La photo est gardée.").wait_for()
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_role("heading", name="En attente de la première trame", level=1).wait_for()
    await expect(page.locator(".countdown")).to_contain_text("encore 3")
    await heard(served, DEV_EUI, 6.0)
    await page.get_by_role("heading", name="Capteur en service", level=1).wait_for()  # by itself
    text = await page.inner_text("main")
    assert "2 antennes le reçoivent" in text
    assert "14 dB au-dessus du minimum" in text
    assert "Derrière la porte" in text
    assert await page.locator("img.photo").evaluate("(one) => one.naturalWidth > 0")
    await look(page, served, "pose-en-service", f"/t/mareuville/mises-en-service/{DEV_EUI}", axe)
    await page.goto(f"{served.address}/mes-poses")
    await expect(page.get_by_role("rowheader", name="70B3 D5E7 5E00 F00D")).to_be_visible()


async def test_each_step_is_walked_by_keyboard_and_a_code_that_is_misread_is_said(
    technician: Page, served: Served, axe: str
) -> None:
    await technician.goto(f"{served.address}/etiquettes")
    await expect(technician.locator(".labels .qr")).to_have_count(6)
    await technician.goto(f"{served.address}/mettre-en-service")
    await tab_to(technician, "Code ou DevEUI")
    await technician.keyboard.type(CODE.replace("S42", "S43"))
    await technician.keyboard.press("Enter")
    await technician.get_by_role("alert").get_by_text("La somme de contrôle").wait_for()
    start = f"/mettre-en-service/{DEV_EUI}?tenant=mareuville&lat=49.9&lon=2.3"
    await technician.goto(f"{served.address}{start}&site=nouveau")
    await technician.get_by_label("Nom du lieu").fill("Gymnase")
    await technician.get_by_label("Nom du point").fill("Air")
    await technician.get_by_role("button", name="Mettre en place").click()
    await technician.get_by_role("heading", name="Position et photo", level=1).wait_for()
    here = f"/t/mareuville/mises-en-service/{DEV_EUI}"
    await look(technician, served, "pose-attente", here, axe)


async def test_a_photo_of_a_code_is_read(technician: Page, served: Served) -> None:
    picture = BytesIO()
    segno.make(CODE).save(picture, kind="png", scale=6)
    await technician.goto(f"{served.address}/mettre-en-service")
    await technician.get_by_label("Choisir une photo du code").set_input_files(
        {"name": "code.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    await technician.wait_for_url("**/mettre-en-service/70b3d5e75e00f00d**")


async def test_a_form_that_meets_no_network_keeps_what_was_written(technician: Page, served: Served) -> None:
    page = technician
    site = await served.connection.fetchval("SELECT site_id FROM sites WHERE name = 'Mairie'")
    await page.goto(f"{served.address}/mettre-en-service/{DEV_EUI}?tenant=mareuville&site={site}")
    await page.get_by_label("Nom du point").fill("Air, archives")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Mettre en place").click()
    await page.get_by_role("alert").get_by_text("rien n'est parti").wait_for()
    await expect(page.get_by_label("Nom du point")).to_have_value("Air, archives")
    await page.context.set_offline(False)
    await page.get_by_label("Nom du point").fill("Porte des archives")  # which another sensor measures
    await page.get_by_role("button", name="Mettre en place").click()
    await page.get_by_role("alert").get_by_text("mesure déjà ce point").wait_for()
    await page.get_by_label("Nom du point").fill("Air, archives")
    await page.get_by_role("button", name="Mettre en place").click()
    await page.get_by_role("heading", name="Position et photo", level=1).wait_for()

    await page.context.set_offline(True)
    await page.get_by_label("Remarque").fill("Clé en mairie")
    picture = BytesIO()
    segno.make("photo").save(picture, kind="png", scale=20)
    await page.get_by_label("Ajouter une photo").set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    await page.get_by_role("button", name="Renvoyer la photo").wait_for()
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_role("alert").get_by_text("rien n'est parti").wait_for()
    await page.context.set_offline(False)
    await page.get_by_text("La photo est gardée.").wait_for()  # by itself
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_role("heading", name="En attente de la première trame", level=1).wait_for()
    assert "Clé en mairie" in await page.inner_text("main")
    await page.context.set_offline(True)
    await page.get_by_text("Pas de réseau sur ce téléphone").wait_for()
    await page.context.set_offline(False)
    await page.get_by_text("Pas de réseau sur ce téléphone").wait_for(state="hidden")


async def test_what_is_installed_without_a_network_is_sent_later(technician: Page, served: Served) -> None:
    page = technician
    await page.goto(f"{served.address}/mettre-en-service")
    await page.wait_for_function("() => localStorage.getItem('samara.tenants') !== null")  # the last that is kept
    await page.wait_for_function("() => navigator.serviceWorker.controller?.state === 'activated'")
    await page.evaluate(NEXT_RELEASE)  # its worker drops what the one before kept, and nothing else
    await page.context.set_offline(True)
    await page.goto(f"{served.address}/mettre-en-service/{DEV_EUI}?tenant=mareuville")
    later = page.locator("#later")
    await expect(later.get_by_label("Code ou DevEUI")).to_have_value(DEV_EUI)
    await page.goto(f"{served.address}/mettre-en-service")
    await page.get_by_role("heading", name="Pas de réseau").wait_for()
    for label, value in (
        ("Code ou DevEUI", CODE),
        ("Collectivité", "Mareuville"),
        ("Nom du lieu", "Mairie"),
        ("Nom du point", "Porte des archives"),
    ):
        await later.get_by_label(label).fill(value)
    await later.get_by_role("button", name="Garder sur ce téléphone").click()
    await page.get_by_text("En attente de réseau.").wait_for()
    await page.context.set_offline(False)
    await page.get_by_text("un autre capteur mesure déjà ce point").wait_for()  # the conflict is shown
    assert await served.connection.fetchval("SELECT count(*) FROM installations") == 0
    await page.get_by_role("button", name="Remplacer l'autre capteur").click()
    await page.get_by_role("link", name=DEV_EUI).wait_for()
    row = await served.connection.fetchrow("SELECT act, former_dev_eui FROM installations")
    assert tuple(row or ()) == ("replaced", f"{3:016x}")
    await asyncio.wait_for(page.reload(), 10)
    assert await served.connection.fetchval("SELECT count(*) FROM installations") == 1
