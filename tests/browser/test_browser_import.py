"""A list of sensors is imported with a mouse, with a keyboard, on a phone."""

import re

from browser_looks import look, tab_to
from browser_watch import Served
from playwright.async_api import Page, expect

BASE = "/t/mareuville/import"


def listed(rows: int) -> bytes:
    lines = ["DevEUI;Nom du capteur;Modèle;Bâtiment;Mesure;Étage"]
    lines += [f"70b3d5e75e{n:06x};Sonde {n};acme-th;Collège {n // 20};Air, salle {n};{n % 3}" for n in range(rows)]
    lines[5] = "70b3d5e75e00000;Sonde;acme-th;Collège 0;Air, salle 4;"
    lines[6] = "70b3d5e75e0000ff;Sonde;Acme 9;Collège 0;Air, salle 5;"
    return "\n".join(lines).encode("cp1252")


async def test_the_stock_can_be_read_by_everybody(page: Page, served: Served, axe: str) -> None:
    await served.connection.execute("DELETE FROM assignments WHERE device_id = 1")
    await look(page, served, "stock", "/stock", axe)


async def test_a_list_is_looked_at_taken_and_what_is_refused_comes_back(page: Page, served: Served, axe: str) -> None:
    await page.goto(served.address + BASE)
    file = {"name": "capteurs 2026.csv", "mimeType": "text/csv", "buffer": listed(1500)}
    await page.get_by_label("Fichier").set_input_files(file)  # type: ignore[arg-type] # a file made here
    await tab_to(page, "Lire le fichier")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="capteurs 2026.csv").wait_for()
    await expect(page.get_by_label("Étage")).to_have_value("")
    await expect(page.get_by_label("Nom du capteur")).to_have_value("name")
    await page.get_by_text("2 lignes sur 1 500 ne pourront pas être prises.").wait_for()
    path = page.url.removeprefix(served.address)
    await page.evaluate(
        "window.seen = []; new MutationObserver(() => seen.push(document.querySelector('progress')?.value))"
        ".observe(document.querySelector('main'), { childList: true, subtree: true })"
    )
    await tab_to(page, "Importer les 1\u202f500 lignes")
    async with page.expect_response(re.compile(r"/prise$")):
        await page.keyboard.press("Enter")
    await page.wait_for_function("() => seen.includes(1000) || document.querySelector('#refused')")
    await page.get_by_role("heading", name="Lignes refusées").wait_for()
    await look(page, served, "import-resultat", path, axe)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="7", exact=True))
    await expect(row).to_contain_text("Modèle inconnu : Acme 9")
    link = await page.get_by_role("link", name="Fichier des lignes refusées").get_attribute("href")
    text = (await (await page.context.request.get(f"{served.address}{link}")).body()).decode("utf-8-sig")
    assert text.splitlines()[0] == "DevEUI;Nom du capteur;Modèle;Bâtiment;Mesure;Étage;Motif du refus"
    assert len(text.splitlines()) == 3
    assert await served.connection.fetchval("SELECT count(*) FROM devices WHERE dev_eui LIKE '70b3d5e75e%'") == 1498
