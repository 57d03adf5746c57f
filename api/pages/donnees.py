"""What is kept of who asks, /compte/donnees: of each part how much, what for, for how long; and the file of it all."""

from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from api import signing
from api.access import SIGNED_IN, require
from api.context import reader
from api.pages import log_words, rendering, words
from api.pages.texts import Texts
from api.v1 import own_data as exported
from store.access.own_data import own_data

PATH: Final = "/compte/donnees"
PARTS: Final = (
    "account",
    "grants",
    "identities",
    "sessions",
    "keys",
    "links",
    "database_readers",
    "contacts",
    "reports",
    "installations",
    "remarks",
    "log",
)
_LOGGED: Final = 20


@require(SIGNED_IN)
async def show(request: web.Request) -> web.Response:
    """Answer what is kept of who asks, with the last entries of the log, and where the file of it all is."""
    rendering.query(request)
    await signing.refuse_stale(request)
    texts = rendering.catalogue_of(request)
    counts: Counter[str] = Counter()
    log: deque[Mapping[str, Any]] = deque(maxlen=_LOGGED)
    async with reader(request) as connection:
        async for one in own_data(connection):
            counts[one.part] += 1
            if one.part == "log":
                log.appendleft(one.said)
    return rendering.html(
        request,
        "donnees.html",
        parts=[(texts(f"donnees.{part}"), str(counts[part]), texts(f"donnees.{part}_why")) for part in PARTS],
        log=[_line(one, texts) for one in log],
        file=exported.PATH,
    )


def _line(entry: Mapping[str, Any], texts: Texts) -> tuple[str, str, str]:
    """Return an entry of the log in words: when, what, on what."""
    subject = " ".join(one for one in (entry["tenant"], entry["object"]) if one)
    return (
        words.moment(datetime.fromisoformat(entry["at"]), words.PARIS, "minute", texts),
        log_words.action(entry["action"], texts),
        log_words.about(subject, entry["detail"]),
    )


ROUTES: Final = (web.get(PATH, show),)
