"""The page of what is odd, /reseau/securite: counters, joins refused, unknown devices, traffic of others."""

from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from api.access import INSTALL, SUPERVISE, account_of, require
from api.context import CLOCK, reader, writer
from api.pages import network_words, rendering
from api.pages.forms import form
from api.pages.navigation import Entry
from api.pages.network_words import Cell
from api.pages.texts import Texts
from api.parameters import Asked, DevEui, of_path
from domain.complaints import KINDS, kind_of
from store.access import audit
from store.supervision import security
from store.supervision.security import Complaint, Reset, Traffic

PATH: Final = "/reseau/securite"
IGNORE: Final = f"{PATH}/inconnus/{{dev_eui}}/{{what}}"
_WEEK: Final = timedelta(days=7)
_LEAST_RESETS: Final = 2
_LISTED: Final = 20
_MOST: Final = 2_000
_BUSIEST: Final = 20


class UnknownPath(Asked):
    """One DevEUI that is nobody's, and what is done with it."""

    dev_eui: DevEui
    what: str


@require(SUPERVISE)
async def show(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    may_install = INSTALL in account_of(request).permissions
    async with reader(request) as connection:
        resets = await security.resets(connection, _LEAST_RESETS, _LISTED)
        complaints = await security.complaints(connection, now - _WEEK, _LISTED, _MOST)
        unknown = await security.unknown(connection, _LISTED, _MOST)
        ignored = await security.ignored(connection, _LISTED)
        traffic = await security.traffic(connection, yesterday, _BUSIEST)
    return rendering.html(
        request,
        "securite.html",
        here="securite",
        resets=[_reset(one, texts) for one in resets],
        complaints=[_complaint(one, now, texts) for one in complaints],
        meanings=[
            (texts(f"net.complaint.{kind}"), texts(f"net.meaning.{kind}"))
            for kind in KINDS
            if any(kind_of(one.code, one.description) == kind for one in complaints)
        ],
        unknown=[
            {
                "dev_eui": one.dev_eui,
                "words": texts.plural("net.unknown_heard", one.times, ago=network_words.ago(one.last_at, now, texts)),
                "adopt": f"/mettre-en-service/{one.dev_eui}" if may_install else "",
                "action": f"{PATH}/inconnus/{one.dev_eui}/ignorer",
            }
            for one in unknown
        ],
        may_install=may_install,
        ignored=[
            {
                "dev_eui": one.dev_eui,
                "words": texts("net.ignored_by", who=one.ignored_by, ago=network_words.ago(one.ignored_at, now, texts)),
                "action": f"{PATH}/inconnus/{one.dev_eui}/montrer",
            }
            for one in ignored
        ],
        traffic=[_traffic(one, texts) for one in traffic],
        day=network_words.day(yesterday, texts),
    )


def _reset(one: Reset, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name or one.dev_eui, "href": f"/reseau/capteurs/{one.dev_eui}"},
        one.tenant,
        network_words.count(one.resets, texts),
        network_words.count(one.heard, texts),
    ]


def _complaint(one: Complaint, now: datetime, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name or one.dev_eui, "href": f"/reseau/capteurs/{one.dev_eui}"},
        one.tenant,
        texts(f"net.complaint.{kind_of(one.code, one.description)}"),
        " · ".join(part for part in (one.code, one.description) if part),
        network_words.count(one.times, texts),
        network_words.ago(one.last_at, now, texts),
    ]


def _traffic(one: Traffic, texts: Texts) -> tuple[str, ...]:
    foreign = max(one.intact - one.ours, 0)
    return (
        one.name or one.gateway_eui,
        network_words.count(one.intact, texts),
        network_words.count(one.ours, texts),
        network_words.count(foreign, texts),
        network_words.share(foreign, one.intact, texts),
    )


@require(SUPERVISE)
async def decide(request: web.Request) -> web.Response:
    """Show an unknown device no more (`ignorer`), or again (`montrer`)."""
    await form(request)
    asked = of_path(request, UnknownPath)
    if asked.what not in {"ignorer", "montrer"}:
        raise web.HTTPNotFound
    async with writer(request) as connection:
        if asked.what == "ignorer":
            await security.ignore(connection, asked.dev_eui, account_of(request).email)
        else:
            await security.heed(connection, asked.dev_eui)
        word = "unknown.ignored" if asked.what == "ignorer" else "unknown.heeded"
        await audit.append_own(connection, word, subject=asked.dev_eui)
    return rendering.onward(PATH, done="saved")


ROUTES: Final = (web.get(PATH, show), web.post(IGNORE, decide))
NAVIGATION: Final = (Entry("securite", PATH, "key", 130, needs=SUPERVISE),)
