"""The pages of access and of one's own account, seen as their readers see them, and walked with the keyboard."""

from datetime import UTC, datetime

from browser_looks import tab_to
from browser_watch import Served
from playwright.async_api import Page, expect


async def test_a_key_is_made_with_the_keyboard_alone(page: Page, served: Served) -> None:
    served.clock.now = datetime.now(UTC)  # the database's own clock says which keys are in force
    await page.goto(f"{served.address}/compte/cles")
    await tab_to(page, "Nom")
    await page.keyboard.type("tableur")
    await tab_to(page, "lire les mesures")
    await page.keyboard.press("Space")
    await tab_to(page, "Créer une clé")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("smr_")
    await expect(page.get_by_role("row", name="tableur")).to_be_visible()
