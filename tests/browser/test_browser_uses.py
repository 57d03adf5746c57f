"""The pages of energy, water and environment, as a person meets them."""

import re

from browser_watch import Served
from playwright.async_api import Page, expect

HOME = "/t/mareuville"


async def test_the_table_of_buildings_names_the_school_and_its_use(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}{HOME}/energie")
    await expect(reading.get_by_role("row", name=re.compile(r"École Jules-Verne [\d\s]+kWh"))).to_be_visible()
    await expect(reading.get_by_role("link", name="Télécharger pour OPERAT (CSV)")).to_be_visible()


async def test_prices_and_floors_are_kept_and_wrong_ones_are_refused_by_name(page: Page, served: Served) -> None:
    await page.goto(f"{served.address}{HOME}/energie/batiments")
    await page.get_by_label("Électricité, € par kWh").fill("0,21")
    await page.locator("form[action$='/prix'] button").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(page.get_by_label("Électricité, € par kWh")).to_have_value("0,21")
    building = page.locator("details.building").first
    await building.locator("summary").click()
    await building.get_by_label("Surface chauffée, m²").fill("beaucoup")
    await building.get_by_role("button").click()
    await expect(page.get_by_text("Écrivez un nombre positif")).to_be_visible()
    again = page.locator("details.building[open]")
    await again.get_by_label("Surface chauffée, m²").fill("1 250,5")
    await again.get_by_role("button").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.locator("details.building").first.locator("summary").click()
    await expect(page.locator("details.building").first.get_by_label("Surface chauffée, m²")).to_have_value("1250,5")


async def test_a_year_of_the_network_tells_its_yield(page: Page, served: Served) -> None:
    await page.goto(f"{served.address}{HOME}/eau/reseau")
    for label, value in (
        ("Volume produit, m³", "100 000"),
        ("Volume consommé autorisé, m³", "60 000"),
        ("Longueur du réseau, km", "20"),
    ):
        await page.get_by_label(label).fill(value)
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_text("Insuffisant")).to_be_visible()
    await expect(page.get_by_text("60 %")).to_be_visible()


async def test_a_report_opens_and_its_recipients_are_kept(page: Page, served: Served) -> None:
    await page.goto(f"{served.address}{HOME}/rapports")
    address = await page.get_by_role("link").filter(has_text="20").first.get_attribute("href")
    answer = await page.context.request.get(f"{served.address}{address}")
    assert answer.status in {200, 503}  # 503: a machine without Pango
    assert answer.headers["content-type"] in {"application/pdf", "text/html; charset=utf-8"}
    await page.get_by_label("Adresses, une par ligne").fill("pas une adresse")
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_text("n'est pas une adresse e-mail")).to_be_visible()
    await page.get_by_label("Adresses, une par ligne").fill("maire@example.fr")
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await expect(page.get_by_label("Adresses, une par ligne")).to_have_value("maire@example.fr")
