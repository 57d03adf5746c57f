"""A write that is sent again with the same Idempotency-Key is not done again: its answer is told again.

The key is kept in the transaction that writes, with the answer: either both are there or neither is. Whoever sends
the same key meanwhile waits for that transaction.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import asyncpg
from aiohttp import hdrs, web

from api.access import account_of
from api.context import CLOCK, writer
from api.problems import KEY_REUSED, ProblemError, invalid_parameter
from store import idempotency as store

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
PATTERN: Final = r"^[!-~]{1,200}$"
_KEY: Final = re.compile(PATTERN)
_REPEATED: Final = (hdrs.LOCATION, hdrs.ETAG)

Work = Callable[[asyncpg.Connection], Awaitable[web.Response]]


async def once(request: web.Request, body: bytes, work: Work) -> web.Response:
    """Do the work in a transaction and return its answer, or the answer of the first time.

    Raises ProblemError for a key that is not one or was used for another request, and what `work` raises: then
    nothing was written, and the key may be used again.
    """
    key = request.headers.get(HEADER)
    if key is not None and _KEY.match(key) is None:
        raise invalid_parameter(HEADER, "it is not accepted", "1 to 200 visible ASCII characters")
    async with writer(request) as connection:
        if key is None:
            return await work(connection)
        wanted = store.Key(str(account_of(request).account_id), key, _digest(request, body))
        kept = await store.claim(connection, wanted, request.app[CLOCK]())
        if kept is not None:
            return _again(kept, wanted)
        answer = await work(connection)
        headers = {str(name): answer.headers[name] for name in _REPEATED if name in answer.headers}
        assert isinstance(answer.body, bytes | None)
        await store.keep(connection, wanted, store.Answer(answer.status, headers, answer.body or b""))
        return answer


async def is_first_time(
    request: web.Request, connection: asyncpg.Connection, sheet: str, given: Mapping[str, str]
) -> bool:
    """Say whether a page's form is sent for the first time, and note it in the transaction of `connection`.

    `sheet` is new on each page that is drawn: a second click on the same button asks for nothing, another button of
    the same page for something else. A form without a sheet is always new.
    """
    if not sheet:
        return True
    said = hashlib.sha256(repr(sorted(given.items())).encode()).digest()
    wanted = store.Key(str(account_of(request).account_id), f"page {sheet[:64]} {said.hex()}", said)
    if await store.claim(connection, wanted, request.app[CLOCK]()) is not None:
        return False
    await store.keep(connection, wanted, store.Answer(web.HTTPSeeOther.status_code, {}, b""))
    return True


def _digest(request: web.Request, body: bytes) -> bytes:
    return hashlib.sha256(b"\0".join([request.method.encode(), request.raw_path.encode(), body])).digest()


def _again(kept: store.Kept, wanted: store.Key) -> web.Response:
    if kept.digest != wanted.digest:
        raise ProblemError(KEY_REUSED)
    answer = web.Response(status=kept.answer.status, headers={**kept.answer.headers, REPLAYED: "true"})
    if kept.answer.body:
        answer.body = kept.answer.body
        answer.content_type = "application/json"
    return answer
