"""The keys of one's programs: /compte/cles."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from api import problems, signing
from api.access import PERMISSIONS, SIGNED_IN, require
from api.context import ACCOUNTS, CLOCK
from api.pages import rendering, words
from api.pages.compte import id_of
from api.pages.forms import form
from api.problems import ProblemError
from api.v1.keys import MadeKey, NewKey, make, revoke
from domain.errors import NotFoundError
from store.access import keys
from store.access.bearer import Account

PATH: Final = "/compte/cles"
END_PATH: Final = "/compte/cles/{id}/fin"
_DAYS: Final = ("30", "90", "365")
_FIELDS: Final = ("name", "tenant", "days", *PERMISSIONS)


@require(SIGNED_IN)
async def show(request: web.Request) -> web.Response:
    """Answer the keys in force, and the form that makes another."""
    return await _page(request, await signing.refuse_stale(request))


async def _page(request: web.Request, account: Account, *, made: MadeKey | None = None, said: str = "") -> web.Response:
    texts = rendering.catalogue_of(request)
    listed = [
        {
            "id": one.key_id,
            "name": one.name,
            "hint": one.hint,
            "permissions": ", ".join(texts(f"permission.{permission}") for permission in one.permissions),
            "tenant": one.tenant,
            "until": words.day(one.expires_at.astimezone(words.PARIS).date(), texts),
        }
        for one in await keys.keys_of(request.app[ACCOUNTS], account.account_id)
    ]
    answer = rendering.html(
        request,
        "cles.html",
        status=422 if said else 200,
        keys=listed,
        permissions=[one for one in PERMISSIONS if one in account.permissions],
        days=_DAYS,
        made=made,
        said=said,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require(SIGNED_IN)
async def create(request: web.Request) -> web.Response:
    """Make a key and show it, this once."""
    account = await signing.refuse_stale(request)
    given = await form(request, *_FIELDS)
    days = int(given["days"]) if given["days"] in _DAYS else 90
    try:
        wanted = NewKey.model_validate(
            {
                "name": given["name"].strip(),
                "permissions": [one for one in PERMISSIONS if given[one]],
                "tenant": given["tenant"].strip() or None,
                "expires_at": request.app[CLOCK]() + timedelta(days=days),
            }
        )
        made = await make(request, account, wanted)
    except ValueError:  # pydantic's is one
        return await _page(request, account, said="cles.incomplete")
    except NotFoundError:
        return await _page(request, account, said="cles.no_tenant")
    except ProblemError as error:
        if error.kind not in {problems.NO_SUCH_KEY, problems.CONFLICT}:
            raise
        return await _page(request, account, said="cles.refused")
    return await _page(request, account, made=made)


@require(SIGNED_IN)
async def end(request: web.Request) -> web.Response:
    """End a key at once."""
    account = signing.person_of(request)
    await form(request)
    await revoke(request, account, id_of(request))
    raise web.HTTPSeeOther(PATH)


ROUTES: Final = (web.get(PATH, show), web.post(PATH, create), web.post(END_PATH, end))
