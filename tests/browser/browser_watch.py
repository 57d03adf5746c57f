"""Pages that note what they complain about, over the application and a filled database."""

import re
from typing import Final, NamedTuple

import api_world
import asyncpg
from playwright.async_api import BrowserContext, Page

# Before anything of the page runs: note what the policy refuses, and the charts that are drawn.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
window.plots = [];
Object.defineProperty(window, "uPlot", {
  configurable: true,
  set(original) {
    const construct = (target, args) => { const plot = new target(...args); window.plots.push(plot); return plot; };
    Object.defineProperty(window, "uPlot", { value: new Proxy(original, { construct }), writable: true });
  },
});
"""

STREAMS: Final = re.compile("/live|/reseau/en-direct")  # leaving a page ends them: no failure
_LEFT = "net::ERR_ABORTED"  # whoever leaves a page before all has come
_OWN = "Service Worker registration blocked by Playwright"  # which it was asked to


class Served(NamedTuple):
    """The application over a filled database."""

    address: str
    world: api_world.World
    connection: asyncpg.Connection
    clock: api_world.Clock
    cookie: dict[str, str]  # of somebody who is signed in


async def watch(context: BrowserContext, complaints: list[str]) -> Page:
    """Open a page that notes what it complains about."""
    context.set_default_timeout(10_000)
    page = await context.new_page()
    await page.add_init_script(WATCH)
    page.on(
        "console", lambda message: complaints.append(f"console: {message.text}") if _OWN not in message.text else None
    )
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on(
        "requestfailed",
        lambda request: (
            None if request.failure == _LEFT else complaints.append(f"failed: {request.url} {request.failure}")
        ),
    )
    return page


async def sign_in(context: BrowserContext, served: Served) -> None:
    """Give the browser a session."""
    (name, value), *_ = served.cookie.items()
    await context.add_cookies([{"name": name, "value": value, "url": served.address}])


async def violations(page: Page) -> list[str]:
    return list(await page.evaluate("window.violations"))
