"""The pages of alerts, rules and contacts, as a town hall sees them."""

from browser_looks import tab_to
from browser_watch import Served
from playwright.async_api import Page

ALERT = "/t/mareuville/alertes"


async def test_an_alert_is_told_in_words_and_reached_by_keyboard(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}{ALERT}")
    text = (await reading.inner_text("main")).replace("\u00a0", " ").replace("\u202f", " ")
    assert "1 alerte en cours." in text
    assert "CO2 : 1 250 ppm (seuil 1 000 ppm)." in text
    await tab_to(reading, "CO2 en classe (École Jules-Verne, Air, classe de CM2)")
    await reading.keyboard.press("Enter")
    await reading.get_by_role("heading", name="Que faire ?").wait_for()


async def test_the_sentence_follows_the_form(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}/t/mareuville/regles/nouvelle?sorte=threshold")
    await reading.get_by_label("Grandeur mesurée").select_option("co2")
    await reading.get_by_label("Au-dessus de", exact=True).fill("1 500")
    await reading.get_by_label("Depuis au moins", exact=True).fill("20")
    said = reading.locator("output.said", has_text="20")
    await said.wait_for()
    text = (await said.inner_text()).replace("\u00a0", " ").replace("\u202f", " ")
    assert text == "Prévenir si le CO2 dépasse 1 500 ppm pendant 20 minutes."
