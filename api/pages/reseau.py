"""The page of the network, /reseau: which antennas work, the worst first, and how ingest does."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Final

from aiohttp import web

from api.access import SUPERVISE, require
from api.context import CLOCK, reader
from api.pages import antennas_view, en_direct, ingest_view, network_words, rendering
from api.pages.ingest_view import Ingest
from api.pages.navigation import Entry
from api.pages.texts import Texts
from store.supervision import antennas, ingest_health

PATH: Final = "/reseau"
_LISTED: Final = 40
_MODELS: Final = 15
_RATE_OVER: Final = timedelta(minutes=10)
_MOST_PAGES: Final = 1000
_WORKERS: Final = 50
_WORKERS_OF: Final = timedelta(days=1)


@require(SUPERVISE)
async def show(request: web.Request) -> web.Response:
    """Answer the list; `vue` is `toutes` for all antennas, `page` one of its pages."""
    query = rendering.query(request, "vue", "page")
    everything = query.choice("vue", ("inquietantes", "toutes"), "inquietantes") == "toutes"
    page = query.integer("page", low=1, high=_MOST_PAGES) or 1
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        found = await antennas.antennas(connection, antennas_view.first_hour(now))
        judged = antennas_view.worst_first(found, now)
        wanted = [pair for pair in judged if everything or pair[1].name != antennas_view.ONLINE]
        listed = wanted[(page - 1) * _LISTED : page * _LISTED]
        served = await antennas.served(connection, [one.gateway_id for one, _ in listed])
        rounds = await ingest_health.rounds(connection, now - _RATE_OVER)
        outcomes = await ingest_health.outcomes(connection, now.astimezone(UTC).date())
        quarantined = await ingest_health.quarantined(connection, ingest_view.MOST_QUARANTINED)
        undecoded = await ingest_health.undecoded(connection, _MODELS)
        workers = await ingest_health.workers(connection, now - _WORKERS_OF, _WORKERS)
    serving = antennas_view.by_gateway(served)
    return rendering.html(
        request,
        "reseau.html",
        here="reseau",
        summary=antennas_view.summary(judged, texts),
        tally=_tally(antennas_view.tally(judged), texts),
        views=[
            {"href": "?vue=inquietantes", "label": texts("net.view_worrying"), "chosen": not everything},
            {"href": "?vue=toutes", "label": texts("net.view_all"), "chosen": everything},
        ],
        lines=[antennas_view.line(one, is_so, serving.get(one.gateway_id, []), now, texts) for one, is_so in listed],
        is_empty=not judged,
        previous=rendering.address(request, page=page - 1) if page > 1 else "",
        following=rendering.address(request, page=page + 1) if len(wanted) > page * _LISTED else "",
        frames=await en_direct.newest(request),
        live=en_direct.PATH,
        ingest=ingest_view.figures(Ingest(rounds, workers, outcomes, quarantined), now, texts),
        processes=ingest_view.processes(workers, now, texts),
        quarantine=[
            (texts(f"net.reason.{name}"), network_words.count(many, texts)) for name, many in quarantined.items()
        ],
        undecoded=[ingest_view.undecoded(one, texts) for one in undecoded],
    )


def _tally(counted: Mapping[str, int], texts: Texts) -> list[dict[str, str]]:
    return [
        {"kind": antennas_view.KINDS[name], "words": texts(f"net.state.{name}"), "count": str(counted[name])}
        for name in antennas_view.ORDER
    ]


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("reseau", PATH, "antenna", 100, needs=SUPERVISE, handy=True),)
