"""The page of the network, /reseau: which antennas work, the worst first, and how ingest does."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from api.access import SUPERVISE, require
from api.context import CLOCK, reader
from api.pages import antennas_view, network_words, rendering
from api.pages.navigation import Entry
from api.pages.texts import Texts
from store.supervision import antennas, ingest_health
from store.supervision.ingest_health import Round, Undecoded

PATH: Final = "/reseau"
_LISTED: Final = 40
_MODELS: Final = 15
_MOST_QUARANTINED: Final = 10_000
_RATE_OVER: Final = timedelta(minutes=10)
_MOST_PAGES: Final = 1000
_OUTCOMES: Final = ("stored", "duplicate", "quarantined", "ignored")


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
        quarantined = await ingest_health.quarantined(connection, _MOST_QUARANTINED)
        undecoded = await ingest_health.undecoded(connection, _MODELS)
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
        ingest=_ingest(rounds, outcomes, quarantined, now, texts),
        quarantine=[
            (texts(f"net.reason.{name}"), network_words.count(many, texts)) for name, many in quarantined.items()
        ],
        undecoded=[_undecoded(one, texts) for one in undecoded],
    )


def _tally(counted: Mapping[str, int], texts: Texts) -> list[dict[str, str]]:
    return [
        {"kind": antennas_view.KINDS[name], "words": texts(f"net.state.{name}"), "count": str(counted[name])}
        for name in antennas_view.ORDER
    ]


def _ingest(
    rounds: Sequence[Round], outcomes: Mapping[str, int], quarantined: Mapping[str, int], now: datetime, texts: Texts
) -> list[tuple[str, str]]:
    """Return the figures of ingest, each with its name."""
    facts = [(texts("net.ingest.rate"), _rate(rounds, texts))]
    if rounds:
        last = rounds[0]
        facts.append((texts("net.ingest.latency"), network_words.seconds(last.latency_p95_s, texts)))
        facts.append((texts("net.ingest.latency_median"), network_words.seconds(last.latency_p50_s, texts)))
    facts += [(texts(f"net.ingest.{name}"), network_words.count(outcomes.get(name, 0), texts)) for name in _OUTCOMES]
    held = sum(quarantined.values())
    said = network_words.count(held, texts)
    facts.append((texts("net.ingest.held"), texts("net.at_least", n=said) if held >= _MOST_QUARANTINED else said))
    if rounds:
        facts.append((texts("net.ingest.as_of"), network_words.ago(rounds[0].at, now, texts)))
    return facts


def _rate(rounds: Sequence[Round], texts: Texts) -> str:
    """Return messages a minute between two rounds; at midnight UTC the count begins again, and there is none."""
    if len(rounds) == 2 and rounds[0].at > rounds[1].at and rounds[0].received >= rounds[1].received:
        minutes = (rounds[0].at - rounds[1].at) / timedelta(minutes=1)
        return texts(
            "net.ingest.a_minute", n=network_words.count((rounds[0].received - rounds[1].received) / minutes, texts)
        )
    return network_words.NONE


def _undecoded(one: Undecoded, texts: Texts) -> tuple[str, ...]:
    name = f"{one.vendor} {one.name}" if one.name else (one.model_id or texts("net.no_model"))
    return (
        name,
        network_words.count(one.devices, texts),
        network_words.count(one.frames, texts),
        network_words.count(one.undecoded, texts),
        network_words.share(one.undecoded, one.frames, texts),
    )


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("reseau", PATH, "antenna", 100, needs=SUPERVISE, handy=True),)
