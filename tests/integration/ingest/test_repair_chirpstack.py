"""Holes in a real capture, filled from ChirpStack's own event log: the tables are those of a run without holes."""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ingest_support import Line, declare, fleet_of, ingesting, read_lines, source, until
from pydantic import SecretStr
from repair_event_log import START, a_log, log_events, said, up
from repair_world import clock, count, store_all, tables, week_of

from decoders.registry import Registry
from domain.errors import ConfigurationError
from ingest.repair.archive import ArchiveUnavailableError
from ingest.repair.opening import open_archive
from ingest.repair.run import Repair, Report, Source, Span
from ingest.settings import RepairSettings
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.replay import replay


def settings(dsn: str) -> RepairSettings:
    return RepairSettings(kind="chirpstack-postgresql", dsn=SecretStr(dsn))


async def no_sleep(_seconds: float) -> None:
    raise AssertionError("nothing waits here")


async def mend(dsn: str, log_dsn: str, span: Span, *, apply: bool) -> Report:
    async with open_archive(settings(log_dsn), clock=clock, sleep=no_sleep, max_message_bytes=262_144) as archive:
        return await Repair(dsn, Source("chirpstack", "chirpstack"), archive, clock=clock, apply=apply).run(span)


def holes_in(lines: Sequence[Line], share: float) -> set[int]:
    """Choose frames that counters tell are missing: between two others of their session."""
    sent: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, line in enumerate(lines):
        if "fCnt" in line.payload:
            sent[line.payload["deviceInfo"]["devEui"], line.payload["devAddr"]].append(at)
    chosen = set()
    randomness = random.Random(7)
    for numbers in sent.values():
        numbers.sort(key=lambda at: lines[at].payload["time"])
        counters = [lines[at].payload["fCnt"] for at in numbers]
        if all(a < b for a, b in pairwise(counters)):
            chosen |= {at for at in numbers[1:-1] if randomness.random() < share}
    return chosen


@pytest.fixture
async def capture(chirpstack_capture: Path) -> list[Line]:
    return [line for line in read_lines(chirpstack_capture) if line.topic.endswith("/up")]


async def test_a_capture_with_holes_is_made_whole(
    any_database: str,
    empty_database: str,
    fresh: Any,
    plain_template: str,
    capture: list[Line],
    registry: Registry,
    nats_broker: Any,
    tmp_path: Path,
) -> None:
    holes = holes_in(capture, 0.2)
    assert len(holes) > 500
    kept = [line for at, line in enumerate(capture) if at not in holes]
    fleet = fleet_of(capture, registry)
    await declare(any_database, fleet)
    published = tmp_path / "holed.ndjson"
    published.write_text("".join(json.dumps(line._asdict()) + "\n" for line in kept), encoding="utf-8")
    connection = await asyncpg.connect(any_database)

    async def stored() -> bool:
        return bool(await connection.fetchval("SELECT sum(messages) = $1 FROM ingest_accounts", len(kept)))

    async with ingesting(any_database, tmp_path, source(nats_broker)):
        address = BrokerAddress(host=nats_broker.host, port=nats_broker.port)
        await replay([str(published)], address, clock=SystemClock(), client_id="repair-replay")
        await until(stored)
    await connection.close()
    await log_events(empty_database, [line.payload for line in capture if "fCnt" in line.payload])
    since, before = week_of(datetime.fromisoformat(line.payload["time"]) for line in capture)

    before_us = await tables(any_database)
    seen = await mend(any_database, empty_database, Span(since, before), apply=False)
    assert (seen.found, seen.stored, seen.unreadable, seen.stopped) == (len(holes), 0, 0, "")
    assert await tables(any_database) == before_us

    done = await mend(any_database, empty_database, Span(since, before), apply=True)
    assert (done.found, done.stored, done.lost) == (len(holes), len(holes), seen.lost)
    assert done.left == done.lost - len(holes)

    # Nothing is left to be had, and nothing comes twice.
    again = await mend(any_database, empty_database, Span(since, before), apply=True)
    assert (again.lost, again.found, again.stored, again.left) == (done.left, 0, 0, done.left)

    async with fresh(plain_template) as whole:
        await declare(whole, fleet)
        await store_all(whole, "chirpstack", "chirpstack", capture)
        assert await tables(any_database) == await tables(whole)


SPAN = Span(START - timedelta(days=1), START + timedelta(days=1))


async def test_only_the_frames_of_gaps_are_stored(database: str, empty_database: str) -> None:
    ups = [up(number, f_cnt, 60 * f_cnt + number) for number in (1, 2) for f_cnt in range(8)]
    # Device 1 misses 2 and 3, and 7, of which nobody can know; device 2 nothing; device 3 is not in the log.
    await a_log(database, empty_database, ups, [0, 1, 4, 5, 6, *range(8, 16)])
    report = await mend(database, empty_database, SPAN, apply=True)
    assert list(report.devices) == [f"{1:016x}"]
    (one,) = report.devices.values()
    assert (one.gaps, one.lost, one.found, one.left, report.stored) == (1, 2, 2, 0, 2)
    assert (one.after, one.before) == (START + timedelta(minutes=61), START + timedelta(minutes=241))
    assert await count(database, "uplinks") == 15
    assert await count(database, "ingest_accounts WHERE worker = 'repair' AND outcome = 'stored'") == 1


async def test_the_span_and_the_device_bound_what_is_looked_at(database: str, empty_database: str) -> None:
    ups = [up(number, f_cnt, 60 * f_cnt) for number in (1, 2) for f_cnt in range(8)]
    await a_log(database, empty_database, ups, [at for at in range(16) if at % 8 not in {2, 5}])
    late = Span(START + timedelta(minutes=200), SPAN.until, f"{1:016x}")
    report = await mend(database, empty_database, late, apply=True)
    assert [(one.dev_eui, one.lost, one.found) for one in report.devices.values()] == [(f"{1:016x}", 1, 1)]


async def test_a_gap_that_begins_before_the_span_is_found(database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 60 * f_cnt) for f_cnt in range(4)]
    await a_log(database, empty_database, ups, [0, 3])
    report = await mend(database, empty_database, SPAN._replace(since=START + timedelta(minutes=100)), apply=True)
    assert (report.lost, report.stored, report.left) == (2, 2, 0)


async def test_a_row_with_the_time_of_a_wrong_clock_is_found_by_the_servers(database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 60 * f_cnt) for f_cnt in range(4)]
    ups[1]["time"] = "1980-01-06T00:00:10+00:00"
    await a_log(database, empty_database, ups, [0, 3])
    assert (await mend(database, empty_database, SPAN, apply=True)).left == 0


async def test_poison_rows_are_set_aside_and_the_rest_is_stored(database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 10 * f_cnt) for f_cnt in range(40)]
    ups[5] |= {"devAddr": "zzzzzzzz"}
    ups[9] |= {"rxInfo": {"gatewayId": 3}}
    ups[17] |= {"data": "AAAA" * 100}
    await a_log(database, empty_database, ups, [0, 39])
    report = await mend(database, empty_database, SPAN, apply=True)
    assert (report.lost, report.found, report.stored, report.unreadable, report.left) == (38, 35, 35, 3, 3)
    assert await count(database, "quarantine") == 3
    assert await count(database, "uplinks") == 37


async def test_an_uplink_that_came_meanwhile_is_refused_by_its_key(database: str, empty_database: str) -> None:
    """The live path and the repair may store the same uplink at once: its key is the same, so it is there once."""
    ups = [up(1, f_cnt, 60 * f_cnt) for f_cnt in range(4)]
    await a_log(database, empty_database, ups, [0, 3])
    assert (await mend(database, empty_database, SPAN, apply=True)).stored == 2
    await store_all(database, "chirpstack", "chirpstack", said(ups))
    assert await count(database, "uplinks") == 4
    connection = await asyncpg.connect(database)
    outcomes = await connection.fetch("SELECT outcome, sum(messages)::int FROM ingest_accounts GROUP BY 1 ORDER BY 1")
    await connection.close()
    assert [tuple(row) for row in outcomes] == [("duplicate", 4), ("stored", 4)]


async def test_what_another_network_server_told_is_not_asked_here(database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 60 * f_cnt) for f_cnt in range(4)]
    await declare(database, {f"{1:016x}": None})
    await store_all(database, "other", "chirpstack", said([ups[0], ups[3]]))
    await log_events(empty_database, ups)
    assert (await mend(database, empty_database, SPAN, apply=False)).devices == {}


async def test_the_log_is_never_written(empty_database: str) -> None:
    await log_events(empty_database, [])
    async with open_archive(settings(empty_database), clock=clock, sleep=no_sleep, max_message_bytes=1) as archive:
        connection = archive._connection  # type: ignore[attr-defined]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("DELETE FROM event_up")


async def test_what_is_wrong_with_the_log_is_said(database: str, empty_database: str) -> None:
    ups = [up(1, f_cnt, 60 * f_cnt) for f_cnt in range(4)]
    await declare(database, {f"{1:016x}": None})
    await store_all(database, "chirpstack", "chirpstack", said([ups[0], ups[3]]))
    with pytest.raises(ConfigurationError, match=r"event_up.*chirpstack.toml"):
        await mend(database, empty_database, SPAN, apply=True)
    with pytest.raises(ConfigurationError, match="lets us not in"):
        await mend(database, empty_database.replace("/test_", "/no_such_"), SPAN, apply=True)
    with pytest.raises(ConfigurationError, match="lets us not in"):
        await mend(database, "not a dsn", SPAN, apply=True)
    with pytest.raises(ArchiveUnavailableError, match="ChirpStack's database"):
        await mend(database, "postgresql://x@127.0.0.1:1/x", SPAN, apply=True)
