"""The first page of a commune, the list of its sites, and the communes of an EPCI."""

import re

import api_world
from browser_watch import Served
from playwright.async_api import Page, expect


async def test_a_secretary_understands_the_month_in_words(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}/t/mareuville")
    await expect(reading.locator("h1")).to_have_text("Bonjour, Mairie de Mareuville")
    await expect(reading.locator(".lead")).to_have_text("1 point à regarder.")
    power = reading.locator(".tile", has=reading.get_by_role("heading", name="Électricité"))
    await expect(power.locator(".figure")).to_have_text(re.compile(r"^2\u202f\d{3}\u00a0kWh$"))
    await expect(power).to_contain_text(re.compile("\u2212[45]\u00a0% par rapport à novembre 2024"))
    water = reading.locator(".tile", has=reading.get_by_role("heading", name="Eau"))
    await expect(water).to_contain_text("Nettement en hausse")
    alert = reading.get_by_role("region", name="À regarder")
    await expect(alert).to_contain_text(re.compile("CO2.*1\u202f250\u00a0ppm.*À faire.*Vérifier", re.DOTALL))
    await alert.get_by_role("link").click()
    await expect(reading.locator("h1")).to_have_text("Air, classe de CM2")


async def test_the_map_says_what_the_list_says(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}/t/mareuville")
    await expect(reading.locator("#map .pin")).to_have_count(3)
    await reading.locator("#map .pin[title^='Station de pompage']").focus()
    await reading.keyboard.press("Enter")
    await expect(reading.locator("h1")).to_have_text("Station de pompage")


async def test_search_is_everywhere(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}/t/mareuville/sites")
    await reading.get_by_label("Un site, un point de mesure").fill("pompage")
    await reading.keyboard.press("Enter")
    await expect(reading.get_by_role("status")).to_have_text("1 résultat pour «\u00a0pompage\u00a0»")
    await reading.get_by_role("link", name="Station de pompage").click()
    await expect(reading.locator("h1")).to_have_text("Station de pompage")


async def test_an_epci_sees_its_communes_and_a_commune_does_not(reading: Page, standing: Served) -> None:
    cookie = await api_world.sign_in(standing.connection, ("viewer", standing.world.epci_id), email="epci@example.fr")
    (name, value), *_ = cookie.items()
    await reading.context.add_cookies([{"name": name, "value": value, "url": standing.address}])
    await reading.goto(f"{standing.address}/t/val-de-selle/communes?sort=incidents")
    rows = reading.locator("main table tbody tr")
    await expect(rows).to_have_count(4)
    await expect(rows.first).to_contain_text(re.compile(r"Mairie de Mareuville.*kWh.*m³", re.DOTALL))
    await reading.goto(f"{standing.address}/t/val-de-selle/communes?sort=water_volume")
    await expect(rows.first).to_contain_text(re.compile(r"Mareuville.*m³", re.DOTALL))
    await reading.goto(f"{standing.address}/t/val-de-selle/communes?sort=active_energy_import")
    uses = [one.partition("kWh")[0] for one in await rows.locator("td:nth-of-type(4)").all_inner_texts()]
    counts = [float(re.sub(r"[^0-9]", "", one) or 0) for one in uses]
    assert counts == sorted(counts, reverse=True)
    await expect(reading.get_by_role("navigation", name="Menu").get_by_role("link", name="Communes")).to_be_attached()
    await reading.goto(f"{standing.address}/t/mareuville")
    await expect(reading.get_by_role("link", name="Communes")).to_have_count(0)


async def test_an_epci_compares_the_communes_that_agreed(reading: Page, standing: Served) -> None:
    cookie = await api_world.sign_in(
        standing.connection, ("viewer", standing.world.epci_id), email="compare@example.fr"
    )
    (name, value), *_ = cookie.items()
    await reading.context.add_cookies([{"name": name, "value": value, "url": standing.address}])
    await reading.goto(f"{standing.address}/t/val-de-selle/communes")
    await reading.get_by_role("link", name="Comparer par habitant et par m²").click()
    await expect(reading.locator(".lead")).to_contain_text(re.compile("Parmi 3 communes.*utilise le moins"))
    rows = reading.locator("main table tbody tr")
    ranked = [re.sub(r"\s+", " ", text) for text in await rows.all_inner_texts()]
    places = [await rows.nth(number).locator("td").first.inner_text() for number in range(3)]
    assert places == ["1", "2", "3"], ranked
    assert "Mareuville" in ranked[2]
    assert "1 bâtiment sur 2" in ranked[2]  # the floor of the town hall is not told
    await expect(reading.get_by_text("1 commune n'a pas donné son accord")).to_be_visible()
    await expect(reading.get_by_text("Sansaccord")).to_have_count(0)
    await reading.goto(f"{standing.address}/t/val-de-selle/communes/comparaison?sujet=eau")
    await expect(reading.get_by_text("Trop peu de communes pour un classement")).to_be_visible()
