"""Look at a page as its readers do: on a phone, a tablet and a laptop, in light and in dark.

    await look(page, standing, "sites", "/t/mareuville/sites", axe)

fails when something overflows, when axe-core finds a barrier, when the page writes to the console or the content
security policy refuses something. SAMARA_SCREENSHOTS=DIRECTORY keeps a picture of each look, and lets axe-core judge
all six of them; without it, axe-core judges the phone in light and the laptop in dark.
"""

import os
from pathlib import Path
from typing import Any, Final, Literal, get_args

from browser_watch import Served, violations
from playwright.async_api import Page

WIDTHS: Final = (360, 768, 1440)
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
_ALWAYS: Final = {(360, "light"), (1440, "dark")}
_HEIGHT: Final = 900


async def look(page: Page, served: Served, name: str, path: str, axe: str, ready: str = "main h1") -> None:
    """Open a page, wait until `ready` can be seen, and look at it. `page` comes from the fixture, which watches it."""
    await page.goto(served.address + path)
    await page.locator(ready).first.wait_for()
    await page.evaluate(axe)
    for width in WIDTHS:
        for scheme in SCHEMES:
            await page.set_viewport_size({"width": width, "height": _HEIGHT})
            await page.emulate_media(color_scheme=scheme)
            await _judge(page, f"{name}-{width}-{scheme}", (width, scheme))
    assert await violations(page) == []


async def _judge(page: Page, name: str, form: tuple[int, Scheme]) -> None:
    wide: list[Any] = await page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert await page.evaluate("document.documentElement.scrollWidth") <= form[0], (name, wide[:5])
    squeezed: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll("main :is(dd, dt, td, tbody th, p, h1, h2, h3, label)")]
          .filter((one) => one.textContent.trim().length > 8)
          .filter((one) => one.offsetWidth > 1 && one.offsetWidth < 40 && one.offsetHeight > 100)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert squeezed == [], f"{name}: one letter a line: {squeezed}"
    directory = os.environ.get("SAMARA_SCREENSHOTS")
    if directory:
        await page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)
    if directory or form in _ALWAYS:
        found = await page.evaluate("axe.run().then((result) => result.violations)")
        told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert told == [], f"{name}: {told}"


async def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until a link, button or field of this name has the focus; each stop on the way can be seen."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        focused, seen = await page.evaluate(
            """() => {
              const one = document.activeElement;
              const rings = [one, ...["li", ".tile", ".card"].map((above) => one.closest(above))];
              const titled = document.getElementById(one.getAttribute("aria-labelledby"))?.textContent;
              const said = one.getAttribute("aria-label") ?? titled ?? one.labels?.[0]?.textContent ?? one.textContent;
              return [said.trim(), rings.some((ring) => ring && getComputedStyle(ring).outlineStyle !== "none")];
            }"""
        )
        assert seen, f"the focus on {focused!r} cannot be seen"
        if focused == name:
            return
    raise AssertionError(f"no way to {name!r} by Tab")
