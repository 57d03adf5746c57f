"""How ingest does, as supervisors read it: figures with their names, processes, models. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from api.pages import network_words
from api.pages.network_words import Cell
from api.pages.texts import Texts
from store.supervision.ingest_health import Round, Undecoded, Worker

MOST_QUARANTINED: Final = 2_000
_OUTCOMES: Final = ("stored", "duplicate", "quarantined", "ignored")
_MUTE_AFTER: Final = timedelta(minutes=1)  # a process says how it does every ten seconds


class Ingest(NamedTuple):
    """What the database knows of ingest."""

    rounds: Sequence[Round]
    workers: Sequence[Worker]
    outcomes: Mapping[str, int]
    quarantined: Mapping[str, int]


def figures(ingest: Ingest, now: datetime, texts: Texts) -> list[tuple[str, str]]:
    """Return the figures of ingest, each with its name."""
    rounds, workers, outcomes, quarantined = ingest
    facts = [(texts("net.ingest.rate"), _rate(rounds, texts))]
    if rounds:
        last = rounds[0]
        facts.append((texts("net.ingest.latency"), network_words.seconds(last.latency_p95_s, texts)))
        facts.append((texts("net.ingest.latency_median"), network_words.seconds(last.latency_p50_s, texts)))
    if workers:
        held = texts.plural("net.ingest.messages", sum(one.held for one in workers))
        facts.append((texts("net.ingest.queue"), held))
        facts.append((texts("net.ingest.spool"), network_words.octets(sum(one.spool_bytes for one in workers), texts)))
    facts += [(texts(f"net.ingest.{name}"), network_words.count(outcomes.get(name, 0), texts)) for name in _OUTCOMES]
    waiting = sum(quarantined.values())
    said = network_words.count(waiting, texts)
    facts.append((texts("net.ingest.held"), texts("net.at_least", n=said) if waiting >= MOST_QUARANTINED else said))
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


def processes(workers: Sequence[Worker], now: datetime, texts: Texts) -> list[list[Cell]]:
    """Return the table of ingest processes: one that says nothing any more, or does not hear a source, is told so."""
    return [
        [
            one.worker,
            _state(one, now, texts),
            network_words.ago(one.at, now, texts),
            network_words.count(one.held, texts),
            network_words.octets(one.spool_bytes, texts),
        ]
        for one in workers
    ]


def _state(one: Worker, now: datetime, texts: Texts) -> Cell:
    if now - one.at > _MUTE_AFTER:
        return {"text": texts("net.worker.mute"), "status": "bad"}
    if one.deaf:
        return {"text": texts("net.worker.deaf", sources=", ".join(one.deaf)), "status": "bad"}
    if one.spool_bytes:
        return {"text": texts("net.worker.spooling"), "status": "watch"}
    return {"text": texts("net.worker.fine"), "status": "good"}


def undecoded(one: Undecoded, texts: Texts) -> tuple[str, ...]:
    """Return a model with frames that gave no reading."""
    name = f"{one.vendor} {one.name}" if one.name else (one.model_id or texts("net.no_model"))
    return (
        name,
        network_words.count(one.devices, texts),
        network_words.count(one.frames, texts),
        network_words.count(one.undecoded, texts),
        network_words.share(one.undecoded, one.frames, texts),
    )
