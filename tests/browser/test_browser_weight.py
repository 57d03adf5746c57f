"""What a first visit weighs, and when its first words are there."""

from statistics import median
from typing import Any, Final

import pytest
from browser_watch import Served
from playwright.async_api import Page

MOST_BYTES: Final = 150_000
MOST_MS: Final = 500.0
VISITS: Final = 5

# Resource Timing: headers and compressed bodies of whatever was fetched, from here or elsewhere.
FETCHED: Final = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((entry) => ({ name: entry.name, bytes: entry.transferSize }))"""
FIRST_PAINT: Final = """() => new Promise((resolve) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint");
  if (found.length) resolve(found[0].startTime);
}).observe({ type: "paint", buffered: true }))"""


async def test_a_first_visit_weighs_little_and_asks_nobody_else(reading: Page, standing: Served) -> None:
    await reading.goto(f"{standing.address}/t/mareuville", wait_until="networkidle")
    fetched: list[dict[str, Any]] = await reading.evaluate(FETCHED)
    assert {one["name"] for one in fetched if not one["name"].startswith(standing.address)} == set()
    assert len(fetched) > 3
    assert 10_000 < sum(one["bytes"] for one in fetched) < MOST_BYTES


@pytest.mark.slow
async def test_the_first_words_are_there_within_half_a_second(reading: Page, standing: Served) -> None:
    """On a machine that does nothing else; nothing is kept from one visit to the next."""
    session = await reading.context.new_cdp_session(reading)
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    times_ms = []
    for _ in range(VISITS):
        await reading.goto(f"{standing.address}/t/mareuville", wait_until="networkidle")
        times_ms.append(float(await reading.evaluate(FIRST_PAINT)))
    assert median(times_ms) < MOST_MS, times_ms
