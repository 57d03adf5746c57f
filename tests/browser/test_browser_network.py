"""The pages of the network's supervision, as a supervisor sees them, over a network with a dead antenna."""

import network_world
import pytest
from browser_looks import tab_to
from browser_watch import Served
from playwright.async_api import Page

from api.pages.antennas_view import HOURS


@pytest.fixture
async def network(served: Served) -> Served:
    await network_world.build(served.connection, served.world)
    await served.connection.execute(
        "INSERT INTO grants (account_id, role, tenant_id, with_descendants)"
        " SELECT account_id, 'supervisor', NULL, true FROM accounts"
    )
    return served


async def test_a_supervisor_finds_the_sensor_that_a_dead_antenna_silenced(network: Served, page: Page) -> None:
    await page.goto(f"{network.address}/reseau")
    assert await page.locator(".beats .heard").first.get_attribute("d") is not None
    assert f"0 h sur {HOURS} avec un état reçu" in (await page.inner_text("main")).replace("\u00a0", " ")
    await tab_to(page, "Château d'eau")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Capteurs qu'elle seule entend").wait_for()
    await page.get_by_role("link", name="Eau froide, chaufferie").click()
    await page.get_by_role("heading", name="Capteur, radio ou antenne ?").wait_for()
    assert "L'antenne" in await page.inner_text("main")
