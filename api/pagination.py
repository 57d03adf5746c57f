"""Pages of a list, by a cursor that only this program reads: the id after which the next page begins."""

import base64
import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

from api import models
from api.parameters import MAX_ID, Paged
from api.problems import NO_SUCH_CURSOR, ProblemError
from store.reading.pages import MAX_LIMIT, Page

Record = TypeVar("Record")
Model = TypeVar("Model")

_CURSOR: Final = re.compile(r"([a-z]+)((?::-?[0-9]{1,19})+)", re.ASCII)
_UNCHANGED: Final = "Give the `next_cursor` of the page before, unchanged."


class Asked(NamedTuple):
    """Which page: at most `limit` records of those whose id is greater than `after` (None: from the first)."""

    after: int | None
    limit: int


def asked(query: Paged, collection: str) -> Asked:
    """Return which page of a collection the request wants; raise ProblemError for a cursor of another list."""
    return Asked(after=decode(collection, query.cursor) if query.cursor else None, limit=query.limit)


def answer(
    model: type[models.Page[Model]], collection: str, page: Page[Record], to_model: Callable[[Record], Model]
) -> models.Page[Model]:
    """Return a page of records as the API says it."""
    next_cursor = None if page.after is None else encode(collection, page.after)
    return model(items=[to_model(record) for record in page.items], next_cursor=next_cursor)


async def everything(read: Callable[..., Awaitable[Page[Record]]]) -> list[Record]:
    """Return all the records that a reading function of the store gives page by page."""
    found: list[Record] = []
    after: int | None = 0
    while after is not None:
        page = await read(after=after, limit=MAX_LIMIT)
        found += page.items
        after = page.after
    return found


def encode(collection: str, *numbers: int) -> str:
    """Return the cursor of what follows these numbers in a collection."""
    text = ":".join([collection, *map(str, numbers)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(collection: str, cursor: str) -> int:
    """Return the id that the cursor holds; raise ProblemError if it is not a cursor of this collection."""
    (last_id,) = numbers(collection, cursor, 1)
    if last_id < 0:
        raise ProblemError(NO_SUCH_CURSOR, _UNCHANGED)
    return min(last_id, MAX_ID)


def numbers(collection: str, cursor: str, count: int) -> list[int]:
    """Return the numbers that the cursor holds; raise ProblemError if it is not a cursor of this collection."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    match = _CURSOR.fullmatch(text)
    found = [] if match is None or match[1] != collection else [int(one) for one in match[2].split(":")[1:]]
    if len(found) != count:
        raise ProblemError(NO_SUCH_CURSOR, _UNCHANGED)
    return found
