"""The pages of a site and of a point as a person meets them, in a real browser."""

import re
from datetime import timedelta
from typing import Any

import pytest
from api_world import NOW, Sensor, speak
from browser_looks import tab_to
from browser_watch import Served, sign_in, watch
from playwright.async_api import Browser, Page, expect

from api.pages import words
from api.pages.static import address
from api.pages.texts import texts
from api.units import Written


async def open_live(page: Page, served: Served, path: str) -> None:
    await page.goto(served.address + path)
    await expect(page.locator("#live")).to_have_text("Mise à jour en direct")


async def site_of(served: Served, sensor: Sensor) -> str:
    site_id = await served.connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", sensor.point_id)
    return f"/t/mareuville/sites/{site_id}"


def point_of(sensor: Sensor, query: str = "") -> str:
    return f"/t/mareuville/points/{sensor.point_id}{query}"


def card(page: Page, name: str) -> Any:
    return page.locator(".card", has=page.get_by_role("heading", name=name))


async def test_a_value_changes_without_a_reload_and_is_announced(page: Page, served: Served) -> None:
    await open_live(page, served, await site_of(served, served.world.air))
    await page.evaluate("window.same = true")
    air = card(page, "Air, classe de CM2")
    await speak(served.connection, served.world.air, {"temperature": 31.25, "humidity": 61}, NOW + timedelta(minutes=1))
    await expect(air.locator(".main")).to_have_text("31,3\u00a0°C")
    await expect(air.locator(".others data").first).to_have_text("61\u00a0%")
    await expect(page.locator("#announcement")).to_have_text("2 mesures mises à jour")
    await speak(served.connection, served.world.door, {"open": 1.0}, NOW + timedelta(minutes=1))  # of another site
    await expect(page.locator("#summary")).to_contain_text("Tout va bien")
    assert await page.evaluate("window.same")


async def test_what_begins_to_be_measured_appears(page: Page, served: Served) -> None:
    await open_live(page, served, await site_of(served, served.world.silent))
    await page.evaluate("window.same = true")
    await page.get_by_role("link", name="Porte des archives").focus()
    await speak(served.connection, served.world.silent, {"co2": 812.0}, NOW)
    await expect(card(page, "Sonde neuve").locator(".main")).to_have_text("812\u00a0ppm")
    await expect(page.get_by_role("link", name="Porte des archives")).to_be_focused()
    assert await page.evaluate("window.same")


async def test_time_passes(page: Page, served: Served) -> None:
    await page.clock.install(time=NOW - timedelta(days=400))  # this machine's clock is wrong: the server's counts
    await open_live(page, served, await site_of(served, served.world.air))
    state = card(page, "Air, classe de CM2").locator(".state")
    await expect(state).to_contain_text("à l'instant")
    await page.clock.fast_forward(3 * 60 * 1000 + 10_000)
    await expect(state).to_contain_text("il y a 3 minutes")
    await page.clock.fast_forward(90 * 60 * 1000)
    await expect(state).to_have_text(re.compile(r"Sans nouvelles\s*·\s*il y a 1 heure"))
    await expect(page.locator("#summary")).to_contain_text("1 point à regarder sur 2")


async def test_the_chart_follows_its_table_and_both_the_measurements(page: Page, served: Served) -> None:
    await open_live(page, served, point_of(served.world.air))
    await expect(page.locator("#rows tr")).to_have_count(38)
    served.clock.now = NOW + timedelta(minutes=30)
    await speak(served.connection, served.world.air, {"temperature": 12.5}, NOW + timedelta(minutes=29))
    await expect(page.locator("#rows tr td").first).to_have_text("12,5\u00a0°C")
    assert await drawn(page) == await tabled(page)
    assert await tabled(page) == await measured(page, served, "every=raw")


async def drawn(page: Page) -> list[list[float]]:
    """Return (time, value) of what the chart holds, holes left out."""
    found: list[list[float]] = await page.evaluate(
        """() => {
          const plot = window.plots.at(-1);
          return plot.data[0].map((at, i) => [at, plot.data.at(-1)[i]]).filter(([, value]) => value !== null);
        }"""
    )
    return found


async def tabled(page: Page) -> list[list[float]]:
    found: list[list[float]] = await page.evaluate(
        """() => [...document.querySelectorAll("#rows tr")].reverse()
          .filter((row) => row.querySelector("[data-value]"))
          .map((row) => [Number(row.dataset.at), Number(row.querySelector("[data-value]").dataset.value)])"""
    )
    return found


async def measured(page: Page, served: Served, query: str) -> list[list[float]]:
    """Return the same from the API."""
    found: list[list[float]] = await page.evaluate(
        """async ([address, from, to]) => {
          const answer = await fetch(`${address}&from=${from}&to=${to}`);
          return (await answer.json()).items.map((item) => [Date.parse(item.measured_at) / 1000, item.value]);
        }""",
        [
            f"/api/v1/points/{served.world.air.point_id}/series?tenant=mareuville&quantity=temperature&{query}",
            (served.clock() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            served.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
        ],
    )
    return found


@pytest.mark.parametrize("range_", ["24h", "7d", "30d", "1y"])
async def test_every_drawing_holds_the_numbers_of_its_table(reading: Page, standing: Served, range_: str) -> None:
    for sensor, compare in ((standing.world.air, ""), (standing.world.power, "&compare=year")):
        await open_live(reading, standing, point_of(sensor, f"?range={range_}{compare}"))
        await expect(reading.locator("#chart canvas")).to_be_visible()
        held, told = await columns(reading)
        assert held == told
        assert len(told) == {("24h", ""): 1, ("24h", "&compare=year"): 2}.get((range_, compare), 2 if compare else 3)


async def columns(page: Page) -> tuple[list[Any], list[Any]]:
    """Return all numbers of the chart and of its table by the role of the column, holes as None."""
    held: list[Any] = await page.evaluate(
        """() => {
          const order = ["low", "high", "previous", "level"];
          const roles = [...document.querySelectorAll("#evolution th[data-role]")].map((head) => head.dataset.role);
          const plot = window.plots.at(-1);
          const drawn = [...roles].sort((one, other) => order.indexOf(one) - order.indexOf(other))
            .map((role, place) => [role, [...plot.data[place + 1]]]).sort();
          const rows = [...document.querySelectorAll("#rows tr")].reverse();
          const told = roles.map((role, place) => [role, rows.map((row) => {
            const cell = row.querySelectorAll("td[data-value]")[place];
            return cell?.dataset.value ? Number(cell.dataset.value) : null;
          })]).sort();
          return [drawn, told];
        }"""
    )
    return held[0], held[1]


async def test_a_hole_is_a_hole_in_the_chart(page: Page, served: Served) -> None:
    await open_live(page, served, point_of(served.world.air))
    await expect(page.locator("#rows .gap")).to_have_text(re.compile("Donnée absente pendant 6 heures"))
    assert await page.evaluate("window.plots.at(-1).data[1].filter((value) => value === null).length") == 1
    assert await page.evaluate("window.plots.at(-1).series[1].spanGaps") is False


async def test_pointing_at_the_chart_says_the_row_of_the_table(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.air))
    box = await reading.locator("#chart .u-over").bounding_box()
    assert box is not None
    await reading.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    row = [await cell.inner_text() for cell in await reading.locator("#rows tr").first.locator("th, td").all()]
    await expect(reading.locator("#pointed")).to_have_text(" · ".join(row))


async def test_drawing_out_a_part_shows_it_and_the_address_follows(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.air, "?range=7d&quantity=co2"))
    await reading.evaluate("window.same = true")
    box = await reading.locator("#chart .u-over").bounding_box()
    assert box is not None
    await reading.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    await reading.mouse.down()
    await reading.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20, steps=4)
    await reading.mouse.up()
    await expect(reading).to_have_url(re.compile(r"quantity=co2&from=2025-11-19T\d\d.*&to=2025-11-\d\dT"))
    await expect(reading.locator("#evolution-title")).to_have_text("CO2")
    await reading.get_by_role("link", name="Revenir aux 24 dernières heures").click()
    await expect(reading.locator("#evolution-summary")).to_contain_text("Ces 24 dernières heures")
    assert await reading.evaluate("window.same")


async def test_a_chart_is_moved_along_by_keyboard_alone(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.air, "?range=7d&quantity=co2"))
    await reading.evaluate("window.same = true")
    for name, period in (
        ("Avant", "from=2025-11-09T13.*&to=2025-11-15T23"),
        ("Agrandir", "from=2025-11-11T03.*&to=2025-11-14T08"),
        ("Réduire", "from=2025-11-09T13.*&to=2025-11-15T23"),
    ):
        await tab_to(reading, name)
        await reading.keyboard.press("Enter")
        await expect(reading).to_have_url(re.compile(f"quantity=co2&{period}"))
        await expect(reading.get_by_role("link", name=name, exact=True)).to_be_focused()
        held, told = await columns(reading)
        assert held == told
    for _ in range(2):
        await reading.keyboard.press("Shift+Tab")
    await expect(reading.get_by_role("link", name="Après")).to_be_focused()
    await reading.keyboard.press("Enter")
    await expect(reading).to_have_url(re.compile("quantity=co2&from=2025-11-15T23.*&to=2025-11-22T09"))
    await expect(reading.locator("[data-move=later]")).to_have_count(0)
    await expect(reading.locator("#evolution-title")).to_have_text("CO2")
    assert await reading.evaluate("window.same")


async def test_a_site_says_what_is_to_be_looked_at_once_it_is_live(reading: Page, standing: Served) -> None:
    site_id = standing.world.school  # type: ignore[attr-defined]
    await open_live(reading, standing, f"/t/mareuville/sites/{site_id}")
    await expect(reading.locator("#summary")).to_have_text("1 point à regarder.")
    await expect(reading.locator("#summary")).to_have_attribute("data-status", "watch")


async def test_levels_and_alerts_are_drawn_and_told(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.air, "?quantity=co2&range=7d"))
    await expect(reading.locator("[data-mark=level]")).to_have_text("CO2 en classe\u00a0: 1\u202f000\u00a0ppm")
    await expect(reading.locator("#events li")).to_contain_text("CO2 en classe depuis le ven. 21 nov.")
    assert await reading.evaluate("window.plots.at(-1).scales.y.max") > 1000


async def test_a_replaced_meter_goes_on_and_is_told(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.water, "?range=1y"))
    await expect(reading.locator("#events")).to_contain_text("Capteur mis en place")
    history = reading.get_by_role("region", name="Capteurs de ce point")
    await expect(history).to_contain_text("Depuis le 16 septembre 2025")
    await expect(history).to_contain_text("Jusqu'au 16 septembre 2025")


async def test_choosing_changes_the_page_in_place_and_the_address_follows(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.air))
    await reading.evaluate("window.same = true")
    await reading.get_by_role("link", name="CO2").click()
    await expect(reading.locator("#evolution-title")).to_have_text("CO2")
    await reading.get_by_role("link", name="7 jours").click()
    await expect(reading.locator("#evolution-summary")).to_contain_text("Ces 7 derniers jours")
    await expect(reading.get_by_role("link", name="7 jours")).to_be_focused()
    await expect(reading).to_have_url(re.compile("quantity=co2&channel=0&range=7d"))
    await reading.get_by_text("Dates", exact=True).click()
    await reading.get_by_label("Du", exact=True).fill("2025-11-03")
    await reading.get_by_label("Au", exact=True).fill("2025-11-09")
    await reading.get_by_role("button", name="Afficher").click()
    await expect(reading.locator("#evolution-summary")).to_contain_text("Du lun. 3 nov. au dim. 9 nov.")
    await reading.go_back()
    await expect(reading.locator("#evolution-summary")).to_contain_text("Ces 7 derniers jours")
    await reading.go_back()
    await expect(reading.locator("#evolution-summary")).to_contain_text("Ces 24 dernières heures")
    assert await reading.evaluate("window.same")


async def test_scripts_and_server_say_the_same_words(reading: Page, standing: Served) -> None:
    await reading.goto(standing.address + "/t/mareuville")
    numbers = [0.0, -0.04, 0.05, 1.25, 2.5, -2.5, 999.995, 1234.5, -1234567.891, 1e9]
    decimals = [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5), (0, 3)]
    ages = [-3, 0, 59, 60, 119, 3599, 3600, 7200, 86399, 86400, 2 * 86400, 45 * 86400, 364 * 86400, 800 * 86400]
    for language in ("fr", "en"):
        catalogue = texts(language)
        said = await reading.evaluate(
            """async ([module, entries, language, numbers, decimals, ages]) => {
              const { Words } = await import(module);
              const words = new Words(entries, language);
              return [
                decimals.map(([least, most]) => numbers.map((number) => words.number(number, least, most))),
                ages.map((age) => words.age(age)),
              ];
            }""",
            [address("js/words.js"), catalogue.subset("age."), language, numbers, decimals, ages],
        )
        assert said == [
            [[words.number(number, Written("", *pair), catalogue) for number in numbers] for pair in decimals],
            [words.age(age, catalogue) for age in ages],
        ]


async def test_the_page_says_when_it_is_cut_off(browser: Browser, served: Served) -> None:
    async with await browser.new_context(locale="fr-FR", service_workers="block") as context:
        await sign_in(context, served)
        page = await watch(context, [])
        refused = False

        async def cut(route: Any) -> None:
            await (route.fulfill(status=503) if refused else route.continue_())

        await page.route("**/api/v1/live**", cut)
        await page.clock.install()
        refused = True
        await page.goto(served.address + point_of(served.world.air))
        await expect(page.locator("#live")).to_have_text("Connexion perdue, nouvel essai en cours")
        refused = False
        await page.clock.fast_forward(5_000)
        await expect(page.locator("#live")).to_have_text("Mise à jour en direct")


async def test_everything_can_be_read_without_scripts(browser: Browser, standing: Served) -> None:
    async with await browser.new_context(locale="fr-FR", java_script_enabled=False) as context:
        await sign_in(context, standing)
        page = await context.new_page()
        await page.goto(f"{standing.address}/t/mareuville")
        await page.get_by_role("link", name="École Jules-Verne", exact=True).click()
        await page.get_by_role("link", name="Eau froide", exact=True).click()
        await page.get_by_role("link", name="Mois").click()
        assert await page.locator("#rows tr").count() >= 30


async def test_the_keyboard_is_enough(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}/t/mareuville")
    await reading.keyboard.press("Tab")
    await expect(reading.get_by_role("link", name="Aller au contenu")).to_be_focused()
    await reading.keyboard.press("Enter")
    await expect(reading.locator("#content")).to_be_focused()
    await tab_to(reading, "École Jules-Verne")
    await reading.keyboard.press("Enter")
    await expect(reading.locator("h1")).to_have_text("École Jules-Verne")
    await tab_to(reading, "Électricité générale")
    await reading.keyboard.press("Enter")
    await expect(reading.locator("h1")).to_have_text("Électricité générale")
    await tab_to(reading, "Mois")
    await reading.keyboard.press("Enter")
    await expect(reading.locator("#evolution-summary")).to_contain_text("Ces 30 derniers jours")
    await tab_to(reading, "Les mêmes chiffres, du plus récent au plus ancien")
    await reading.keyboard.press("End")
    await expect(reading.locator("#rows tr").last).to_be_in_viewport()


async def test_a_year_is_drawn_at_once(reading: Page, standing: Served) -> None:
    await open_live(reading, standing, point_of(standing.world.air, "?range=1y&compare=year"))
    durations = await reading.evaluate("performance.getEntriesByName('chart').map((one) => one.duration)")
    assert min(durations) < 100
