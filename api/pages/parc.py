"""The page of the fleet, /reseau/parc: models, batteries to change, silent sensors by cause, completeness, files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from aiohttp import web

from api.access import SUPERVISE, require
from api.context import CLOCK, reader
from api.exports.delimited import attachment
from api.pages import network_words, rendering
from api.pages.navigation import Entry
from api.pages.network_words import NONE, Cell
from api.pages.texts import Texts
from domain.diagnosis import CAUSES
from store.supervision import fleets
from store.supervision.fleets import Battery, Day, Fleet, Silent

PATH: Final = "/reseau/parc"
BATTERIES: Final = f"{PATH}/piles.csv"
SILENT: Final = f"{PATH}/muets.csv"
_SOON: Final = timedelta(days=60)
_LATER: Final = timedelta(days=180)
_DAYS: Final = 30
_LISTED: Final = 50
_EXPORTED: Final = 200_000
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
        models=[_model(one, texts) for one in models],
        days=[_day(one, texts) for one in days],
        files=[
            {"href": BATTERIES, "label": texts("net.file_batteries")},
            {"href": SILENT, "label": texts("net.file_silent")},
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


@require(SUPERVISE)
async def batteries_file(request: web.Request) -> web.Response:
    """Answer the tour list: batteries that end within 180 days, commune by commune, site by site."""
    rendering.query(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        found = await fleets.batteries(connection, now.astimezone(UTC).date() + _LATER, None, _EXPORTED)
    columns = [
        "commune",
        "site",
        "point",
        "latitude",
        "longitude",
        "eui",
        "sensor",
        "model",
        "battery",
        "unit",
        "end",
        "urgent",
    ]
    rows = [
        (one.tenant, one.site, one.point, one.latitude_deg, one.longitude_deg, one.dev_eui, one.name, one.model,
         float(one.battery), "%" if one.kind == "level" else "V", one.end_on.isoformat(),
         texts("net.yes") if one.end_on < now.date() + _SOON else texts("net.no"))
        for one in found
    ]  # fmt: skip
    return attachment("piles.csv", [texts(f"net.column.{name}") for name in columns], rows)


@require(SUPERVISE)
async def silent_file(request: web.Request) -> web.Response:
    """Answer all silent sensors, with the likely cause."""
    rendering.query(request)
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        found = await fleets.silent(connection, None, None, _EXPORTED)
    columns = ["commune", "site", "eui", "sensor", "model", "since", "cause"]
    rows = [
        (one.tenant, one.site, one.dev_eui, one.name, one.model, one.since, texts(f"net.cause.{one.cause}"))
        for one in found
    ]
    return attachment("muets.csv", [texts(f"net.column.{name}") for name in columns], rows)


ROUTES: Final = (web.get(PATH, show), web.get(BATTERIES, batteries_file), web.get(SILENT, silent_file))
NAVIGATION: Final = (Entry("parc", PATH, "sheet", 120, needs=SUPERVISE, handy=True),)
