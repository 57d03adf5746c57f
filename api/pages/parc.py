"""The page of the fleet, /reseau/parc: models, batteries to change, silent sensors by cause, completeness, files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from aiohttp import web

from api.access import SUPERVISE, require
from api.context import CLOCK, reader
from api.pages import network_words, parc_fichiers, rendering
from api.pages.navigation import Entry
from api.pages.network_words import NONE, Cell
from api.pages.texts import Texts
from domain.diagnosis import CAUSES
from store.supervision import fleets
from store.supervision.fleets import Battery, Day, Fleet, Silent, Stuck

PATH: Final = "/reseau/parc"
_SOON: Final = timedelta(days=60)
_LATER: Final = timedelta(days=180)
_DAYS: Final = 30
_LISTED: Final = 25
_SLUG: Final = "a tenant's name in addresses"


@require(SUPERVISE)
async def show(request: web.Request) -> web.Response:
    """Answer the page; `commune` narrows the lists to one, `cause` the silent sensors to one cause."""
    query = rendering.query(request, "commune", "cause")
    slug = query.text("commune", _SLUG, default="") or None
    cause = query.choice("cause", ("", *CAUSES), "") or None
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    today = now.astimezone(UTC).date()
    async with reader(request) as connection:
        tenants = await fleets.by_tenant(connection)
        models = await fleets.by_model(connection)
        causes = await fleets.causes(connection)
        silent = await fleets.silent(connection, cause, slug, _LISTED)
        stuck = await fleets.stuck(connection, slug, _LISTED)
        batteries = await fleets.batteries(connection, today + _LATER, slug, _LISTED) if slug else []
        days = await fleets.days(connection, today - timedelta(days=_DAYS), today)
    urgent = sorted((one for one in tenants if one.battery_180), key=lambda one: (-one.battery_60, -one.battery_180))
    chosen = next((one.name for one in tenants if one.slug == slug), slug or "")
    return rendering.html(
        request,
        "parc.html",
        here="parc",
        summary=_summary(tenants, texts),
        is_empty=not tenants,
        chosen=chosen,
        whole=rendering.address(request, commune="") if slug else "",
        batteries=[_battery(one, now, texts) for one in batteries],
        to_change=[_to_change(one, texts) for one in urgent[:_LISTED]],
        more_to_change=len(urgent) > _LISTED,
        causes=[
            {
                "href": rendering.address(request, cause=name) + "#muets",
                "label": texts("net.cause_count", cause=texts(f"net.cause.{name or 'all'}"), n=many),
                "chosen": (cause or "") == name,
            }
            for name, many in [("", sum(causes.values())), *((name, causes.get(name, 0)) for name in CAUSES)]
        ],
        silent=[_silent(one, now, texts) for one in silent],
        more=len(silent) == _LISTED,
        stuck=[_stuck(one, texts) for one in stuck],
        more_stuck=len(stuck) == _LISTED,
        models=[_model(one, texts) for one in models],
        days=[_day(one, texts) for one in days],
        files=[
            {
                "label": texts(f"net.file.{what}"),
                "hrefs": {form: f"{PATH}/{what}.{form}" for form in parc_fichiers.FORMS},
            }
            for what in parc_fichiers.LISTS
        ],
    )


def _summary(tenants: Sequence[Fleet], texts: Texts) -> str:
    devices = sum(one.devices for one in tenants)
    return texts(
        "net.fleet_summary",
        devices=network_words.count(devices, texts),
        silent=network_words.count(sum(one.silent for one in tenants), texts),
        batteries=network_words.count(sum(one.battery_60 for one in tenants), texts),
    )


def _to_change(one: Fleet, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name, "href": f"?commune={quote(one.slug)}#piles"},
        network_words.count(one.devices, texts),
        network_words.count(one.battery_60, texts),
        network_words.count(one.battery_180, texts),
    ]


def _battery(one: Battery, now: datetime, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name or one.dev_eui, "href": f"/reseau/capteurs/{one.dev_eui}"},
        one.site or NONE,
        one.point or NONE,
        one.model or NONE,
        network_words.battery(one.kind, one.battery, texts),
        network_words.dated(one.end_on, now.date(), texts),
    ]


def _silent(one: Silent, now: datetime, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name or one.dev_eui, "href": f"/reseau/capteurs/{one.dev_eui}"},
        one.tenant,
        one.site or NONE,
        one.model or NONE,
        network_words.ago(one.since, now, texts),
        texts(f"net.cause.{one.cause}"),
    ]


def _stuck(one: Stuck, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name or one.dev_eui, "href": f"/reseau/capteurs/{one.dev_eui}"},
        one.tenant,
        one.model or NONE,
        network_words.decibels(one.margin_db, texts),
        network_words.share(one.sf12, one.heard, texts),
    ]


def _model(one: Fleet, texts: Texts) -> tuple[str, ...]:
    return (
        one.name or texts("net.no_model"),
        network_words.count(one.devices, texts),
        network_words.count(one.silent, texts),
        network_words.share(one.heard, one.heard + one.lost, texts),
        network_words.share(one.undecoded, one.heard, texts),
        network_words.count(one.stuck, texts),
        network_words.count(one.battery_60, texts),
    )


def _day(one: Day, texts: Texts) -> tuple[str, ...]:
    return (
        network_words.day(one.day, texts),
        network_words.count(one.frames, texts),
        network_words.count(one.expected, texts),
        network_words.share(min(one.frames, one.expected), one.expected, texts),
        network_words.share(one.undecoded, one.frames, texts),
    )


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("parc", PATH, "sheet", 120, needs=SUPERVISE, handy=True),)
