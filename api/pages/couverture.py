"""The page of coverage, /reseau/couverture: where the network hears, and what was foretold."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from aiohttp import hdrs, web

from api.access import SUPERVISE, require
from api.context import reader
from api.pages import map_view, network_words, rendering
from api.pages.map_view import Place
from api.pages.navigation import Entry
from api.pages.network_words import FACTORS, NONE, Cell
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from store.supervision import coverage
from store.supervision.coverage import Covered, HeardSite, Mast, Reach

PATH: Final = "/reseau/couverture"
PART: Final = f"{PATH}/plans/{{name}}/{{part}}"
_WEAK_DB: Final = 5.0
_ALONE_BAD: Final = 0.5
_ALONE_WATCH: Final = 0.1
_LISTED: Final = 25
_MOST_PAGES: Final = 1000
_FEW: Final = 60  # antennas: more are drawn smaller
_SIZES: Final = ((100, 20.0), (10, 16.0), (0, 12.0))


class Foretold(NamedTuple):
    """What a plan says of a commune: shares from 0 to 1, and how many antennas hear it indoors."""

    indoor: float
    redundancy: float
    delivery: float


@require(SUPERVISE)
async def show(request: web.Request) -> web.Response:
    """Answer the map; `commune` shows the sites of one, `plan` which plan stands beside, `page` one of the pages."""
    query = rendering.query(request, "commune", "plan", "page")
    page = query.integer("page", low=1, high=_MOST_PAGES) or 1
    slug = query.text("commune", "a tenant's name in addresses", default="")
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        covered = await coverage.covered(connection)
        masts = await coverage.masts(connection)
        reaches = [] if slug else await coverage.reaches(connection, _LISTED, (page - 1) * _LISTED)
        sites = await coverage.heard_sites(connection, slug) if slug else []
        plans = await coverage.plans(connection)
        plan = query.text("plan", "the name of a plan", default=plans[0] if plans else "")
        told = await coverage.foretold(connection, plan) if plan in plans and not slug else []
        cells = await coverage.plan_drawing(connection, plan) if plan in plans else {}
    foretold = _by_insee(told)
    chosen = next((one.name for one in covered if one.slug == slug), "")
    ranked = sorted(covered, key=_worst_first)
    listed = ranked[(page - 1) * _LISTED : page * _LISTED]
    places = [*_places(sites, texts)] if slug else [*_communes(covered, texts)]
    shown = [*places, *_antennas(masts, places)]
    return rendering.html(
        request,
        "couverture.html",
        here="couverture",
        crumbs=[Crumb(texts("nav.couverture"), PATH)] if slug else [],
        summary=_summary(covered, texts),
        chosen=chosen,
        drawing=map_view.drawing(shown),
        foretold=map_view.drawing(shown, cells) if cells else None,
        plan=plan,
        sites=[_site(one, texts) for one in sites],
        communes=[_commune(one, foretold.get(one.insee or ""), bool(plan), texts) for one in listed],
        previous=rendering.address(request, page=page - 1) if page > 1 else "",
        following=rendering.address(request, page=page + 1) if len(ranked) > page * _LISTED else "",
        columns=[texts(f"net.{name}") for name in ("commune", "devices", "alone_share", "antennas", "best_margin")]
        + ([texts(f"net.plan.{name}") for name in Foretold._fields] if plan else []),
        reaches=[_reach(one, texts) for one in reaches],
        factors=[f"SF{factor}" for factor in FACTORS],
        plans=[
            {"href": rendering.address(request, plan=name), "label": name, "chosen": name == plan} for name in plans
        ],
        parts=[
            {"href": f"{PATH}/plans/{quote(plan, safe='')}/{part}", "label": texts(f"net.part.{part}")}
            for part in coverage.PARTS
        ]
        if plan
        else [],
    )


def kind_of(placed: int, alone: int, margin_db: float | None) -> str:
    """Return how well devices are heard: one antenna only, or little margin, is worth a look."""
    if not placed:
        return "none"
    if alone > _ALONE_BAD * placed or (margin_db is not None and margin_db < 0):
        return "bad"
    if alone > _ALONE_WATCH * placed or (margin_db is not None and margin_db < _WEAK_DB):
        return "watch"
    return "good"


def _worst_first(one: Covered) -> tuple[float, int, str]:
    """Order by the share that one antenna alone hears, then by how many devices that is."""
    return (-one.alone / one.placed if one.placed else 0.0, -one.devices, one.name)


def _summary(covered: Sequence[Covered], texts: Texts) -> str:
    placed, alone = sum(one.placed for one in covered), sum(one.alone for one in covered)
    if not placed:
        return texts("net.coverage_none")
    return texts(
        "net.coverage_summary",
        placed=network_words.count(placed, texts),
        share=network_words.share(alone, placed, texts),
    )


def _communes(covered: Sequence[Covered], texts: Texts) -> list[Place]:
    return [
        Place(
            one.latitude_deg,
            one.longitude_deg,
            kind_of(one.placed, one.alone, one.margin_db),
            next(size for least, size in _SIZES if one.devices >= least),
            texts("net.mark", name=one.name, devices=one.devices, alone=one.alone),
        )
        for one in covered
        if one.latitude_deg is not None and one.longitude_deg is not None
    ]


def _places(sites: Sequence[HeardSite], texts: Texts) -> list[Place]:
    return [
        Place(
            one.latitude_deg,
            one.longitude_deg,
            kind_of(one.placed, one.alone, one.margin_db),
            _SIZES[1][1],
            texts("net.mark", name=one.name, devices=one.devices, alone=one.alone),
        )
        for one in sites
        if one.latitude_deg is not None and one.longitude_deg is not None
    ]


def _antennas(masts: Sequence[Mast], places: Sequence[Place]) -> list[Place]:
    """Return antennas; beside the sites of one commune only those that are not far from it."""
    size = _SIZES[1][1] if len(masts) <= _FEW else _SIZES[1][1] / 2
    stand = [
        Place(one.latitude_deg, one.longitude_deg, map_view.ANTENNA, size, one.name or one.gateway_eui) for one in masts
    ]
    if not places:
        return stand
    around = 0.15
    south, north = (edge(one.latitude_deg for one in places) for edge in (min, max))
    west, east = (edge(one.longitude_deg for one in places) for edge in (min, max))
    return [
        one
        for one in stand
        if south - around < one.latitude_deg < north + around and west - around < one.longitude_deg < east + around
    ]


def _by_insee(told: Sequence[Mapping[str, Any]]) -> dict[str, Foretold]:
    """Return what a plan says by INSEE code; a feature that lacks a figure says nothing."""
    found = {}
    for one in told:
        figures = [one.get(name) for name in ("indoor_sf12", "redundancy", "delivery")]
        if all(isinstance(figure, int | float) for figure in figures):
            found[str(one.get("insee", ""))] = Foretold(*(float(figure) for figure in figures if figure is not None))
    return found


def _commune(one: Covered, told: Foretold | None, beside: bool, texts: Texts) -> list[Cell]:  # noqa: FBT001
    row: list[Cell] = [
        {"text": one.name, "href": f"?commune={quote(one.slug)}"},
        network_words.count(one.devices, texts),
        network_words.share(one.alone, one.placed, texts),
        network_words.count(one.antennas, texts),
        network_words.decibels(one.margin_db, texts),
    ]
    if beside and told is None:
        row += [NONE, NONE, NONE]
    elif told is not None:
        row += [
            network_words.share(told.indoor, 1, texts),
            f"{told.redundancy:.1f}".replace(".", texts("number.decimal")),
            network_words.share(told.delivery, 1, texts),
        ]
    return row


def _site(one: HeardSite, texts: Texts) -> list[Cell]:
    kind = kind_of(one.placed, one.alone, one.margin_db)
    return [
        one.name,
        {"text": texts(f"net.heard_kind.{kind}"), "status": kind},
        network_words.count(one.devices, texts),
        network_words.count(one.alone, texts),
        network_words.decibels(one.margin_db, texts),
    ]


def _reach(one: Reach, texts: Texts) -> list[Cell]:
    total = sum(one.frames)
    return [
        {"text": one.name or one.gateway_eui, "href": f"/reseau/antennes/{quote(one.gateway_eui, safe='')}"},
        network_words.count(one.tenants, texts),
        network_words.count(one.devices, texts),
        network_words.count(one.alone, texts),
        network_words.decibels(one.margin_db, texts),
        *(network_words.share(frames, total, texts) for frames in one.frames),
    ]


@require(SUPERVISE)
async def plan(request: web.Request) -> web.Response:
    """Answer one part of a plan, as GeoJSON."""
    rendering.query(request)
    async with reader(request) as connection:
        found = await coverage.plan_part(connection, request.match_info["name"], request.match_info["part"])
    answer = web.Response(
        text=found, content_type="application/geo+json", headers={hdrs.CACHE_CONTROL: "private, no-cache"}
    )
    answer.enable_compression()
    return answer


ROUTES: Final = (web.get(PATH, show), web.get(PART, plan))
NAVIGATION: Final = (Entry("couverture", PATH, "map", 110, needs=SUPERVISE, handy=True),)
