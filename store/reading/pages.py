"""Keyset pagination: a page is what follows an id, and says the id that the next page follows."""

from typing import Final, Generic, NamedTuple, TypeVar

import asyncpg

Reader = asyncpg.Connection | asyncpg.Pool  # what a reading function takes: one connection, or any of a pool

MAX_LIMIT: Final = 1000

_Item = TypeVar("_Item")


class Page(NamedTuple, Generic[_Item]):
    """Some rows in the order of their ids. `after` asks for the next page; None when this is the last."""

    items: list[_Item]
    after: int | None


def page_of(items: list[_Item], ids: list[int], limit: int) -> Page[_Item]:
    """Return the page of rows read with `limit` + 1: the one too many says that there is more."""
    if len(items) <= limit:
        return Page(items=items, after=None)
    return Page(items=items[:limit], after=ids[limit - 1])


def checked_limit(limit: int) -> int:
    """Return the limit, refusing what is not between 1 and MAX_LIMIT with ValueError."""
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit {limit}: between 1 and {MAX_LIMIT}")
    return limit
