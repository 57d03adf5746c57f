"""The page of a tenant as a person meets it, in a real browser."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from api_world import NOW, speak
from browser_watch import Served, sign_in, violations, watch
from playwright.async_api import Browser, Page, expect

from api.pages import words
from api.pages.static import address
from api.pages.texts import texts
from api.units import Written

PATH = "/t/mareuville"


async def open_live(page: Page, served: Served, query: str = "") -> None:
    await page.goto(served.address + PATH + query)
    await expect(page.locator("#live")).to_have_text("Mise à jour en direct")


def card(page: Page, name: str) -> Any:
    return page.locator(".card", has=page.get_by_role("heading", name=name))


async def test_a_value_changes_without_a_reload_and_is_announced(page: Page, served: Served) -> None:
    await open_live(page, served)
    await page.evaluate("window.same = true")
    air = card(page, "Air, classe de CM2")
    await speak(served.connection, served.world.air, {"temperature": 31.25, "humidity": 61}, NOW + timedelta(minutes=1))
    await expect(air.locator(".main")).to_have_text("31,3\u00a0°C")
    await expect(air.locator(".others data").first).to_have_text("61\u00a0%")
    await expect(page.locator("#announcement")).to_have_text("2 mesures mises à jour")
    await speak(served.connection, served.world.door, {"open": 1.0}, NOW + timedelta(minutes=1))
    door = card(page, "Porte des archives")
    await expect(door.locator(".main")).to_have_text("Ouvert")
    await expect(door.locator(".state")).to_have_text(re.compile(r"À jour\s*·\s*à l'instant"))
    await expect(page.locator("#summary")).to_have_text("1 point à regarder sur 4\u00a0: Sonde neuve.")
    assert await page.evaluate("window.same")


async def test_the_chart_follows_its_table_and_both_the_measurements(page: Page, served: Served) -> None:
    await open_live(page, served, f"?point={served.world.air.point_id}")
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


@pytest.mark.parametrize("range_", ["24h", "7d", "30d"])
async def test_every_drawing_holds_the_numbers_of_its_table(page: Page, served: Served, range_: str) -> None:
    for sensor in (served.world.air, served.world.water, served.world.door):
        await open_live(page, served, f"?point={sensor.point_id}&range={range_}")
        if await page.locator("#chart").count():
            await expect(page.locator("#chart canvas")).to_be_visible()
            assert await drawn(page) == await tabled(page) != []


async def test_a_hole_is_a_hole_in_the_chart(page: Page, served: Served) -> None:
    await open_live(page, served, f"?point={served.world.air.point_id}")
    await expect(page.locator("#rows .gap")).to_have_text(re.compile("Donnée absente pendant 6 heures"))
    assert await page.evaluate("window.plots.at(-1).data[1].filter((value) => value === null).length") == 1
    assert await page.evaluate("window.plots.at(-1).series[1].spanGaps") is False


async def test_pointing_at_the_chart_says_the_row_of_the_table(page: Page, served: Served) -> None:
    await open_live(page, served, f"?point={served.world.air.point_id}")
    box = await page.locator("#chart .u-over").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    row = [await cell.inner_text() for cell in await page.locator("#rows tr").first.locator("th, td").all()]
    await expect(page.locator("#pointed")).to_have_text(" · ".join(row))


async def test_choosing_changes_the_page_in_place_and_the_address_follows(page: Page, served: Served) -> None:
    await open_live(page, served)
    await page.evaluate("window.same = true")
    await page.get_by_role("link", name="Eau froide, chaufferie").click()
    title = page.locator("#evolution-title")
    await expect(title).to_have_text("Eau froide, chaufferie")
    await expect(title).to_be_focused()
    await expect(page).to_have_url(re.compile(f"point={served.world.water.point_id}&quantity=water_volume"))
    await page.get_by_role("link", name="7 jours").click()
    await expect(page.locator("#evolution-summary")).to_contain_text("Ces 7 derniers jours")
    await expect(page.get_by_role("link", name="7 jours")).to_be_focused()
    await expect(card(page, "Eau froide, chaufferie")).to_have_attribute("data-chosen", "")
    assert "range=7d" in (await page.get_by_role("link", name="Porte des archives").get_attribute("href") or "")
    await page.go_back()
    await expect(page.locator("#evolution-summary")).to_contain_text("Ces 24 dernières heures")
    await page.go_back()
    await expect(title).to_have_text("Air, classe de CM2")
    assert await page.evaluate("window.same")


async def test_what_begins_to_be_measured_appears(page: Page, served: Served) -> None:
    await open_live(page, served)
    await page.evaluate("window.same = true")
    await page.get_by_role("link", name="Porte des archives").focus()
    await speak(served.connection, served.world.silent, {"co2": 812.0}, NOW)
    await expect(card(page, "Sonde neuve").locator(".main")).to_have_text("812\u00a0ppm")
    await expect(page.get_by_role("link", name="Porte des archives")).to_be_focused()
    assert await page.evaluate("window.same")


async def test_time_passes(page: Page, served: Served) -> None:
    await page.clock.install(time=NOW - timedelta(days=400))  # this machine's clock is wrong: the server's counts
    await open_live(page, served)
    state = card(page, "Air, classe de CM2").locator(".state")
    await expect(state).to_contain_text("à l'instant")
    await page.clock.fast_forward(3 * 60 * 1000 + 10_000)
    await expect(state).to_contain_text("il y a 3 minutes")
    await page.clock.fast_forward(90 * 60 * 1000)
    await expect(state).to_have_text(re.compile(r"Sans nouvelles\s*·\s*il y a 1 heure"))
    await expect(page.locator("#summary")).to_contain_text("3 points à regarder sur 4")


async def test_scripts_and_server_say_the_same_words(page: Page, served: Served) -> None:
    await page.goto(served.address + PATH)
    numbers = [0.0, -0.04, 0.05, 1.25, 2.5, -2.5, 999.995, 1234.5, -1234567.891, 1e9]
    decimals = [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5), (0, 3)]
    ages = [-3, 0, 59, 60, 119, 3599, 3600, 7200, 86399, 86400, 2 * 86400, 45 * 86400, 364 * 86400, 800 * 86400]
    for language in ("fr", "en"):
        catalogue = texts(language)
        said = await page.evaluate(
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
    async with await browser.new_context(locale="fr-FR") as context:
        await sign_in(context, served)
        page = await watch(context, [])
        refused = False

        async def cut(route: Any) -> None:
            await (route.fulfill(status=503) if refused else route.continue_())

        await page.route("**/api/v1/live**", cut)
        await page.clock.install()
        refused = True
        await page.goto(served.address + PATH)
        await expect(page.locator("#live")).to_have_text("Connexion perdue, nouvel essai en cours")
        refused = False
        await page.clock.fast_forward(5_000)
        await expect(page.locator("#live")).to_have_text("Mise à jour en direct")


async def test_everything_can_be_read_without_scripts(browser: Browser, served: Served) -> None:
    async with await browser.new_context(locale="fr-FR", java_script_enabled=False) as context:
        await sign_in(context, served)
        page = await context.new_page()
        await page.goto(served.address + PATH)
        await page.get_by_role("link", name="Eau froide, chaufferie").click()
        await expect(page.locator("#evolution-title")).to_have_text("Eau froide, chaufferie")
        await page.get_by_role("link", name="30 jours").click()
        assert await page.locator("#rows tr").count() >= 30


async def test_the_keyboard_is_enough(page: Page, served: Served) -> None:
    await open_live(page, served)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#content")).to_be_focused()
    await reach(page, "Eau froide, chaufferie")
    await page.keyboard.press("Enter")
    await expect(page.locator("#evolution-title")).to_be_focused()
    await reach(page, "30 jours")
    await page.keyboard.press("Enter")
    await expect(page.locator("#evolution-summary")).to_contain_text("Ces 30 derniers jours")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("region", name=re.compile("mêmes chiffres"))).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.locator("#rows tr").last).to_be_in_viewport()


async def reach(page: Page, name: str) -> None:
    """Press Tab until a link has the focus; each stop on the way can be seen."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(
            """() => {
              const focused = document.activeElement;
              const ring = [focused, focused.closest(".card")].some((one) =>
                one && getComputedStyle(one).outlineStyle !== "none");
              return [focused.textContent.trim(), ring];
            }"""
        )
        assert focused[1], f"the focus on {focused[0]!r} cannot be seen"
        if focused[0] == name:
            return
    pytest.fail(f"no way to {name} by Tab")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_every_page_fits_and_has_no_barrier(
    browser: Browser, served: Served, axe: str, width: int, scheme: Any
) -> None:
    complaints: list[str] = []
    async with await browser.new_context(
        locale="fr-FR", viewport={"width": width, "height": 900}, color_scheme=scheme
    ) as context:
        await sign_in(context, served)
        page = await watch(context, complaints)
        paths = {"home": "/", "tenant": PATH, "week": f"{PATH}?range=7d&lang=en", "absent": "/t/absent"}
        for name, path in paths.items():
            await page.goto(served.address + path)
            if await page.locator("#page").count():
                await expect(page.locator("#live")).to_have_attribute("data-state", "on")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
            await picture(page, f"{name}-{width}-{scheme}")
            await page.evaluate(axe)
            found = await page.evaluate("axe.run().then((result) => result.violations)")
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], path
            assert await violations(page) == []
    assert [one for one in complaints if "/live" not in one and "404" not in one] == []


async def picture(page: Page, name: str) -> None:
    """Keep a screenshot where $SAMARA_SCREENSHOTS says."""
    directory = os.environ.get("SAMARA_SCREENSHOTS")
    if directory:
        await page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)
