"""Decoded again, a database holds what it would hold had the decoder been right from the beginning."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from redecode_world import (
    END,
    EUIS,
    HOUR,
    MODEL,
    NEW,
    OLD,
    START,
    Asked,
    Ingesting,
    Sent,
    State,
    applied,
    declare,
    hourly_indexes,
    ingested,
    registry_of,
    settle,
    shown,
    state,
)
from redecode_world import sent as sent_by

from decoders.registry import Registry
from domain.errors import NotFoundError
from domain.readings import Reading
from ingest.redecode.portion import Size
from ingest.redecode.tally import ADDED, CHANGED, REMOVED, Tally
from store.maintenance.retention import set_retention
from store.migrate import has_timescale
from store.redecoding_record import progress

WHOLE = Size(devices=2, uplinks=100_000)

Right = Callable[..., Awaitable[State]]


@pytest.fixture
def sent() -> list[Sent]:
    return sent_by(random.Random(1))


@pytest.fixture
async def connection(any_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(any_database, server_settings={"timezone": "UTC"})
    await declare(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def right(fresh: Any, plain_template: str) -> AsyncIterator[Right]:
    """Give a function that stores what was sent with the right decoder elsewhere, and says what is there then."""
    async with fresh(plain_template) as dsn:
        connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})

        async def stored(told: Sequence[Sent], registry: Registry = NEW) -> State:
            await declare(connection)
            await ingested(connection, registry, told)
            await settle(connection)
            return await state(connection)

        yield stored
        await connection.close()


async def compress(connection: asyncpg.Connection) -> None:
    """Keep in columns what there is, where there are columns."""
    if await has_timescale(connection):
        for relation in ("uplinks", "measurements"):
            await connection.execute(
                "SELECT compress_chunk(chunk) FROM show_chunks($1::text::regclass) AS chunk", relation
            )


async def assert_latest_is_newest(connection: asyncpg.Connection) -> None:
    newest = await connection.fetch(
        "SELECT DISTINCT ON (1, 2, 3) device_id, quantity_id, channel, value, measured_at "
        "FROM measurements ORDER BY 1, 2, 3, measured_at DESC"
    )
    latest = await connection.fetch("SELECT device_id, quantity_id, channel, value, measured_at FROM latest")
    assert {tuple(row) for row in latest} == {tuple(row) for row in newest}


@pytest.mark.parametrize(("before", "after"), [(OLD, NEW), (NEW, OLD)])
async def test_decoded_again_is_as_if_decoded_right(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent], right: Right, before: Registry, after: Registry
) -> None:
    """One way indexes go to an earlier hour, the other way to a later one, over the edge of what is done at once."""
    await ingested(connection, before, sent)
    await settle(connection)
    await compress(connection)

    report = await applied(any_database, registry=after)

    await settle(connection)
    assert await state(connection) == await right(sent, after)
    await assert_latest_is_newest(connection)
    assert report.tally.uplinks == len(sent)
    assert all(report.tally.readings(kind) > 100 for kind in (ADDED, CHANGED, REMOVED))
    assert report.tally.refused["temperature", "implausible"] > 10
    again = (await applied(any_database, registry=after)).tally
    assert [again.readings(kind) for kind in (ADDED, CHANGED, REMOVED)] == [0, 0, 0]


async def test_what_a_later_frame_told_passes_to_the_frame_that_tells_it_now(
    any_database: str, connection: asyncpg.Connection, right: Right
) -> None:
    """Every index moves an hour on, to where the next frame's stood: at the edge of a stretch, that one is not seen."""
    told = hourly_indexes(100)
    await ingested(connection, NEW, told)
    await settle(connection)

    await applied(any_database, registry=OLD)

    await settle(connection)
    assert await state(connection) == await right(told, OLD)


async def test_rules_are_evaluated_again_from_the_earliest_correction(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    await ingested(connection, OLD, sent)
    await connection.execute("INSERT INTO watched_tenants VALUES (1)")
    everything = "SELECT device_id, measured_at, received_at, quantity_id, channel, value FROM measurements"
    earliest = """
        SELECT device_id, min(since)
          FROM arrivals, unnest(device_ids, measured_since) AS one (device_id, since)
         GROUP BY 1
    """
    before = {tuple(row) for row in await connection.fetch(everything)}

    await applied(any_database)

    changed = before ^ {tuple(row) for row in await connection.fetch(everything)}
    expected: dict[int, datetime] = {}
    for device_id, at, *_ in changed:
        expected[device_id] = min(at, expected.get(device_id, at))
    assert len(expected) == len(EUIS)
    assert dict(map(tuple, await connection.fetch(earliest))) == expected

    await connection.execute("DELETE FROM arrivals")
    await applied(any_database)
    assert await connection.fetchval("SELECT count(*) FROM arrivals") == 0


async def test_twin_stays_a_twin_and_measures_nothing(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    await ingested(connection, OLD, sent)
    await settle(connection)
    twins = await connection.fetch("SELECT device_id, received_at, decoder_id FROM uplinks WHERE outcome = 'twin'")
    assert len(twins) > 100

    await applied(any_database)

    assert twins == await connection.fetch(
        "SELECT device_id, received_at, decoder_id FROM uplinks WHERE outcome = 'twin'"
    )
    assert not await connection.fetchval(
        "SELECT count(*) FROM measurements JOIN uplinks USING (device_id, received_at) WHERE outcome = 'twin'"
    )


async def test_showing_says_what_applying_does_and_changes_nothing(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    await ingested(connection, OLD, sent)
    await settle(connection)
    before = await state(connection)

    seen = await shown(any_database, size=WHOLE)

    assert seen.record is None
    assert await state(connection) == before
    assert not await progress(connection, 9)
    assert not await connection.fetchval("SELECT count(*) FROM changed_hours")
    done = await applied(any_database, size=WHOLE)
    assert seen.tally[:4] == done.tally[:4]


async def test_nobody_is_told_of_the_past(any_database: str, connection: asyncpg.Connection, sent: list[Sent]) -> None:
    await ingested(connection, OLD, sent[:500])
    heard: list[object] = []

    def hear(*told: object) -> None:
        heard.append(told)

    await connection.add_listener("samara_committed", hear)

    await applied(any_database)

    await connection.fetchval("SELECT 1")  # a notification comes before the next answer
    await connection.remove_listener("samara_committed", hear)
    assert heard == []


async def test_record_says_who_why_and_what(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    await ingested(connection, OLD, sent)

    report = await applied(any_database, asked_by="marie", reason="hundredths, not tenths")

    (one,) = await progress(connection, 9)
    assert one.record[2:9] == ("marie", "hundredths, not tenths", None, MODEL.id, "new", START, END)
    assert one.record.finished_at is not None
    assert (one.devices, one.done, one.uplinks) == (len(EUIS), len(EUIS), len(sent))
    counted = [report.tally.readings(kind) for kind in (ADDED, REMOVED, CHANGED)]
    assert [one.added, one.removed, one.changed] == counted
    assert one.refused == report.tally.refused.total()


class StopError(Exception):
    pass


async def test_stopped_it_goes_on_where_it_was(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent], right: Right
) -> None:
    await ingested(connection, OLD, sent)
    await settle(connection)

    def stop(tally: Tally) -> None:
        if tally.uplinks > len(sent) / 3:
            raise StopError

    with pytest.raises(StopError):
        await applied(any_database, on_progress=stop)
    (record,) = await progress(connection, 9)
    assert len(sent) / 4 < record.uplinks < len(sent)

    report = await applied(any_database, reason="somebody else's words")

    assert report.went_on
    assert report.tally.uplinks <= len(sent) - record.uplinks  # a commit may have been on its way when it was stopped
    (ended,) = await progress(connection, 9)
    assert (ended.record.reason, ended.uplinks) == ("mended", len(sent))
    await settle(connection)
    assert await state(connection) == await right(sent)


async def test_ingest_goes_on_meanwhile(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent], right: Right
) -> None:
    """Frames that tell the same past, frames told again, frames that come late: all while their past is rewritten."""
    middle = len(sent) // 2
    await ingested(connection, OLD, sent[:middle])
    other = await asyncpg.connect(any_database, server_settings={"timezone": "UTC"})
    ingest = await Ingesting.over(other, NEW)
    stored = 0

    async def go_on() -> None:
        nonlocal stored
        for at in range(middle, len(sent), 20):
            stored += (await ingest.store(sent[at : at + 20])).stored
            stored += (await ingest.store(sent[at - middle : at - middle + 20])).stored

    await asyncio.gather(go_on(), applied(any_database))

    await other.close()
    assert stored == len(sent) - middle
    await applied(any_database, Asked(None, MODEL.id, START, END - HOUR))  # what was read before it was late
    await settle(connection)
    assert await state(connection) == await right(sent)


async def test_one_device_and_one_span(any_database: str, connection: asyncpg.Connection, sent: list[Sent]) -> None:
    await ingested(connection, OLD, sent)
    since, until = START + 24 * HOUR, START + 48 * HOUR

    report = await applied(any_database, Asked(EUIS[2], None, since, until))

    chosen = [one for one in sent if one.uplink.dev_eui == EUIS[2] and since <= one.uplink.received_at < until]
    assert report.tally.uplinks == len(chosen) > 20
    rows = await connection.fetch(
        "SELECT received_at FROM uplinks JOIN decoders USING (decoder_id) WHERE version = 'new' ORDER BY received_at"
    )
    assert [row["received_at"] for row in rows] == [one.uplink.received_at for one in chosen]


async def test_what_lost_its_latest_frame_shows_an_older_one(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    """The new decoder refuses alarms: where the span begins late, the last alarm before it is the latest again."""
    await ingested(connection, OLD, [one for one in sent if one.source == "first"])

    await applied(any_database, Asked(None, MODEL.id, START + 240 * HOUR, END))

    await assert_latest_is_newest(connection)
    assert await connection.fetchval(
        "SELECT count(*) FROM latest JOIN quantities USING (quantity_id) WHERE name = 'alarm'"
    ) == len(EUIS)


async def test_foreign_readings_give_way_to_a_decoder(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent], right: Right
) -> None:
    await connection.execute("UPDATE devices SET model_id = NULL")
    await ingested(connection, NEW, sent)
    await settle(connection)
    assert {row[1] for row in (await state(connection)).measurements} == {"ns:raw", "ns:kind"}
    await connection.execute("UPDATE devices SET model_id = $1", MODEL.id)

    await applied(any_database)

    await settle(connection)
    assert await state(connection) == await right(sent)
    await assert_latest_is_newest(connection)


async def test_without_a_decoder_what_the_network_server_made_of_it_comes_back(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    await connection.execute("UPDATE devices SET model_id = NULL")
    await ingested(connection, NEW, sent[:400])
    foreign = await state(connection)
    await connection.execute("UPDATE devices SET model_id = $1", MODEL.id)
    await applied(any_database, Asked(EUIS[0], None, START, END))
    await connection.execute("UPDATE devices SET model_id = NULL")
    await connection.execute("DELETE FROM quantities WHERE name LIKE 'ns:%'")  # names are learnt again

    await applied(any_database, Asked(EUIS[0], None, START, END))

    mine = {row[1:] for row in foreign.measurements if row[0] == 1}
    again = await connection.fetch(
        "SELECT name, channel, measured_at, value FROM measurements JOIN quantities USING (quantity_id) "
        "WHERE device_id = 1"
    )
    assert {tuple(row) for row in again} == mine


async def test_what_is_no_longer_kept_does_not_come_back(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    await connection.execute("UPDATE devices SET model_id = NULL")
    bare = [one._replace(uplink=one.uplink._replace(decoded=None)) for one in sent]
    await ingested(connection, NEW, bare)
    await connection.execute("UPDATE devices SET model_id = $1", MODEL.id)
    await set_retention(connection, "measurements", 1)
    kept_from = START.replace(month=2, day=1, hour=0)

    await applied(any_database, now=START.replace(month=3, day=5))

    assert await connection.fetchval("SELECT min(measured_at) FROM measurements") >= kept_from
    assert await connection.fetchval("SELECT min(received_at) FROM uplinks WHERE outcome = 'decoded'") < kept_from


@pytest.mark.parametrize("asked", [Asked("ff" * 8, None, START, END), Asked(None, "nobody-nothing", START, END)])
async def test_what_is_not_there_is_said(any_database: str, connection: asyncpg.Connection, asked: Asked) -> None:
    assert connection
    with pytest.raises(NotFoundError, match="ff" if asked.dev_eui else "nobody-nothing"):
        await shown(any_database, asked)


async def test_a_broken_decoder_marks_its_uplinks_and_stops_nothing(
    any_database: str, connection: asyncpg.Connection, sent: list[Sent]
) -> None:
    broken: Registry = registry_of(lambda _payload, _port: [Reading("temperature", None)], "broken")  # type: ignore[arg-type]
    await ingested(connection, OLD, sent[:300])

    report = await applied(any_database, registry=broken)

    assert {after for _, after in report.tally.outcomes} == {"failed"}
    assert not await connection.fetchval("SELECT count(*) FROM measurements")
