"""What every page has around it: the menu, the bar of a phone, the account, the language."""

from browser_looks import tab_to
from browser_watch import Served, sign_in
from playwright.async_api import Browser, Page, expect

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


async def test_without_network_a_page_says_so_and_nothing_of_anybody_is_kept(
    browser: Browser, standing: Served
) -> None:
    async with await browser.new_context(locale="fr-FR") as context:
        await sign_in(context, standing)
        page = await context.new_page()
        await page.goto(standing.address + PATH)
        await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await page.wait_for_function("navigator.serviceWorker.controller !== null")
        await page.reload()
        kept = await page.evaluate(
            """async () => {
              const found = [];
              for (const name of await caches.keys())
                for (const one of await (await caches.open(name)).keys()) found.push(new URL(one.url).pathname);
              return found;
            }"""
        )
        assert "/hors-ligne" in kept
        assert all(path == "/hors-ligne" or path.startswith("/static/") for path in kept)
        held = await page.evaluate("caches.match('/hors-ligne').then((answer) => answer.text())")
        assert "Camille Roux" not in held
        await context.set_offline(True)
        await page.goto(standing.address + PATH)
        await expect(page.locator("h1")).to_have_text("Pas de réseau")
