"""The right of access (GDPR, article 15): everything that is kept of the person who asks, as one file."""

import json
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import hdrs, web

from api import problems, signing
from api.access import SIGNED_IN, require
from api.context import doorkeeper, reader
from api.endpoint import get
from store.access import audit
from store.access.own_data import Told, own_data

PATH: Final = "/api/v1/exports/account"
_AT_ONCE: Final = 64 * 1024


@require(SIGNED_IN)
async def export_account(request: web.Request) -> web.StreamResponse:
    """Send what is kept of who asks: account, roles, sessions, keys, contacts, what they did and what was done to them.

    For who signed in with a browser not long ago, not for keys. Secrets are kept as digests, and are not in it.
    """
    account = await signing.refuse_stale(request)
    async with doorkeeper(request) as connection:
        await audit.append(connection, "export.account", actor=account.email, account_id=account.account_id)
    answer = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: "application/json; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: 'attachment; filename="samara-account.json"',
            hdrs.CACHE_CONTROL: "private, no-store",
        }
    )
    async with reader(request) as connection:
        await answer.prepare(request)
        waiting: list[str] = []
        async for text in written(own_data(connection)):
            waiting.append(text)
            if sum(map(len, waiting)) > _AT_ONCE:
                await answer.write("".join(waiting).encode())
                waiting = []
        await answer.write("".join(waiting).encode())
    await answer.write_eof()
    return answer


async def written(told: AsyncIterator[Told]) -> AsyncIterator[str]:
    """Yield one JSON object, a piece at a time: a list for each part of which something is kept."""
    yield "{"
    part = ""
    async for one in told:
        yield ",\n" if one.part == part else f'{"]," if part else ""}\n"{one.part}": [\n'
        yield json.dumps(one.said, ensure_ascii=False)
        part = one.part
    yield "]}\n" if part else "}\n"


ROUTES: Final = (
    get(
        PATH,
        export_account,
        media=("application/json",),
        problems=(problems.FORBIDDEN, problems.SIGN_IN_AGAIN),
    ),
)
