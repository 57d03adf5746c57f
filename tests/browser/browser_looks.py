"""Look at a page as its readers do: on a phone, a tablet and a laptop, in light and in dark.

    await look(page, served, "sites", "/t/mareuville/sites", axe)

fails when something overflows or axe-core finds a barrier. What the page complains about is noted by `watch`. axe-core
judges the phone in light by all its rules and the laptop in dark by its colours. A thorough look (`make looks`) is six
looks, all of which axe-core judges, and one with wider spacing. With PAGE_PICTURES=DIRECTORY a picture of each is
kept there, and of a thorough one the paper.
"""

import os
from pathlib import Path
from typing import Any, Final, Literal, get_args

from browser_watch import Served, violations
from playwright.async_api import Page

WIDTHS: Final = (360, 768, 1440)
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
_HEIGHT: Final = 900
_RULES: Final = {(360, "light"): "", (1440, "dark"): "color-contrast"}  # of axe-core; "": all of them
# What passes is not told, and no rule that is on wants a page's style sheets fetched again.
_TELL: Final = "resultTypes: ['violations'], preload: false"

_SIZE: Final = "document.querySelectorAll('*').length"
_HUGE: Final = 4000  # elements: axe-core takes minutes of such a page, and judges two of its looks alone

# WCAG 2.1, 1.4.12: a reader may space text so much, and loses nothing.
_SPACED: Final = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
_CUT: Final = """() => [...document.querySelectorAll("main *")]
  .filter((one) => ["hidden", "clip"].includes(getComputedStyle(one).overflowY) && one.clientHeight > 2)
  .filter((one) => one.scrollHeight > one.clientHeight + 2 && !one.closest(".visually-hidden, svg, .map, .chart"))
  .map((one) => one.outerHTML.slice(0, 120))"""


async def look(
    page: Page, served: Served, name: str, path: str, axe: str, *, status: int = 200, thorough: bool = False
) -> None:
    """Open a page, wait until its title can be seen, and look at it. `page` comes from `watch`."""
    answer = await page.goto(served.address + path)
    assert answer is not None
    assert answer.status == status, path
    await page.locator("main h1").first.wait_for()
    await page.evaluate(axe)
    is_huge = await page.evaluate(_SIZE) > _HUGE
    for width in WIDTHS:
        for scheme in SCHEMES if thorough else [one for one in SCHEMES if (width, one) in _RULES] or SCHEMES[:1]:
            form = f"{name}-{width}-{scheme}"
            await page.set_viewport_size({"width": width, "height": _HEIGHT})
            await page.emulate_media(color_scheme=scheme)
            await _refuse_wide(page, form, width)
            if (width, scheme) in _RULES or (thorough and not is_huge):
                await _judge(page, form, "" if thorough and not is_huge else _RULES[width, scheme])
            await _keep(page, form)
    if thorough:
        await _judge_spaced(page, name)
        await _print(page, name)
    assert await violations(page) == []


async def _judge(page: Page, name: str, rules: str) -> None:
    options = f"{{ {_TELL}, runOnly: ['{rules}'] }}" if rules else f"{{ {_TELL} }}"
    found = await page.evaluate(f"axe.run(document, {options}).then((result) => result.violations)")
    told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    assert told == [], f"{name}: {told}"


async def _keep(page: Page, name: str) -> None:
    """Keep a picture, where pictures are kept."""
    if pictures := os.environ.get("PAGE_PICTURES"):
        await page.screenshot(path=Path(pictures) / f"{name}.jpg", type="jpeg", quality=70, full_page=True)


async def _refuse_wide(page: Page, name: str, width: int) -> None:
    wide: list[Any] = await page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, (name, wide[:5])
    squeezed: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll("main :is(dd, dt, td, tbody th, p, h1, h2, h3, label)")]
          .filter((one) => one.textContent.trim().length > 8)
          .filter((one) => one.offsetWidth > 1 && one.offsetWidth < 40 && one.offsetHeight > 100)
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert squeezed == [], f"{name}: one letter a line: {squeezed}"


async def _judge_spaced(page: Page, name: str) -> None:
    """Space the text as a reader may: nothing overflows, nothing is cut off."""
    await page.set_viewport_size({"width": WIDTHS[0], "height": _HEIGHT})
    await page.evaluate(
        """(rules) => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(rules);
          document.adoptedStyleSheets = [sheet];
        }""",
        _SPACED,
    )
    await _refuse_wide(page, f"{name}, spaced", WIDTHS[0])
    assert await page.evaluate(_CUT) == [], f"{name}, spaced"
    await page.evaluate("() => { document.adoptedStyleSheets = [] }")


async def _print(page: Page, name: str) -> None:
    """Keep what a printer would be sent, where pictures are kept."""
    if pictures := os.environ.get("PAGE_PICTURES"):
        await page.emulate_media(media="print", color_scheme="light")
        await page.pdf(path=Path(pictures) / f"{name}.pdf", format="A4", print_background=False)
        await page.emulate_media(media="screen")


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
