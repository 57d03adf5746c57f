"""The pages of access and of one's own account, seen as their readers see them, and walked with the keyboard."""

from datetime import UTC, datetime

from browser_looks import look, tab_to
from browser_watch import Served
from playwright.async_api import Browser, Page, expect

from store.access import audit
from store.access.accounts import add_account, grant


async def test_the_pages_of_access_and_account(page: Page, served: Served, axe: str) -> None:
    account_id = await add_account(served.connection, "un.nom.vraiment.long@communaute-de-communes.example.fr", "")
    assert account_id is not None
    await grant(served.connection, account_id, "manager", served.world.tenant_id, with_descendants=True)
    await audit.append(
        served.connection, "grant.given", actor="a@example.fr", tenant_id=served.world.tenant_id, detail={"role": "x"}
    )
    await look(page, served, "acces", "/t/mareuville/acces", axe)
    await look(page, served, "journal", "/t/mareuville/acces/journal", axe)
    await look(page, served, "compte", "/compte", axe)
    await look(page, served, "cles", "/compte/cles", axe)
    await look(page, served, "donnees", "/compte/donnees", axe)


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


async def test_the_door_has_no_barrier(browser: Browser, served: Served, axe: str) -> None:
    async with await browser.new_context(locale="fr-FR") as context:
        page = await context.new_page()
        await page.add_init_script("window.violations = []")
        await look(page, served, "connexion", "/connexion", axe)
