"""Read all the pages of what the store gives page by page."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from store.reading.pages import Page

_Item = TypeVar("_Item")


async def everything(read: Callable[[int | None], Awaitable[Page[_Item]]]) -> list[_Item]:
    """Return the items of all pages. `read` is given what the page before said comes next, None at first."""
    found: list[_Item] = []
    after: int | None = None
    while True:
        page = await read(after)
        found += page.items
        if page.after is None:
            return found
        after = page.after
