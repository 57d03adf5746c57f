"""What every page has around it: the menu, the bar of a phone, the account, the language."""

import pytest
from browser_looks import look, tab_to
from browser_watch import Served
from playwright.async_api import Page, expect

PATH = "/t/mareuville"


async def test_a_laptop_has_the_menu_beside_the_page(reading: Page, standing: Served) -> None:
    await reading.goto(standing.address + PATH)
    menu = reading.get_by_role("navigation", name="Menu")
    await expect(menu.get_by_role("link", name="Accueil")).to_have_attribute("aria-current", "page")
    await expect(reading.get_by_role("button", name="Menu")).to_be_hidden()


async def test_a_phone_opens_the_menu_from_its_bar(reading: Page, standing: Served) -> None:
    await reading.set_viewport_size({"width": 360, "height": 740})
    await reading.goto(standing.address + PATH)
    menu = reading.get_by_role("navigation", name="Menu")
    await expect(menu).to_be_hidden()
    await tab_to(reading, "Menu")
    await reading.keyboard.press("Enter")
    await expect(menu.get_by_role("link", name="Accueil")).to_be_visible()
    await reading.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await expect(reading.get_by_role("button", name="Menu")).to_be_focused()


async def test_the_language_chosen_stays(reading: Page, standing: Served) -> None:
    await reading.goto(standing.address + PATH)
    await reading.get_by_text("Votre compte et la langue").locator("..").click()
    await reading.get_by_role("link", name="English").click()
    await expect(reading.locator("html")).to_have_attribute("lang", "en")
    await reading.goto(standing.address + PATH)
    await expect(reading.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize(("name", "path"), [("accueil", PATH), ("compte", "/compte")])
async def test_every_page_fits_and_has_no_barrier(
    reading: Page, standing: Served, axe: str, name: str, path: str
) -> None:
    await look(reading, standing, name, path, axe)
