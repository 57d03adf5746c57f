"""Rows packed for COPY, read back by PostgreSQL: whatever a frame says is what the tables then say."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Uplink
from store import packing, rows
from store.batch import AccountKey, Batch, Frame, Live, Measured, frame
from store.newest import newest_of_frame, newest_rows
from store.packing import Packed
from store.staging import LATEST_COLUMNS, MEASUREMENT_COLUMNS, RECEPTION_COLUMNS, UPLINK_COLUMNS, copy_rows

FRAMES = 300
INGESTED = datetime(2026, 3, 2, 12, 0, 0, 123456, UTC)
ACCOUNT = AccountKey(INGESTED.date(), 1, 1, "uplink")

times = st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - UTC is added
int2, int4, int8 = (st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (16, 32, 64))
positive = st.integers(1, 2**31 - 1)
floats = st.floats(allow_nan=False)
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
decibels = st.none() | st.floats(-1000, 1000, width=32)
readings = st.lists(
    st.tuples(int2, int2, floats | st.integers(-(2**53), 2**53)), max_size=8, unique_by=lambda one: one[:2]
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    received_at = draw(times)
    uplink = Uplink(
        dev_eui="00" * 8,
        received_at=received_at,
        deduplication_id="",
        dev_addr=draw(st.sampled_from(["", "0123abcd"])),
        f_cnt=draw(st.integers(0, 2**32 - 1)),
        f_port=draw(st.none() | st.integers(0, 255)),
        payload=draw(st.binary(max_size=242)),
        confirmed=draw(st.booleans()),
        adr=draw(st.booleans()),
        data_rate=draw(st.none() | int2),
        spreading_factor=draw(st.none() | int2),
        bandwidth_hz=draw(st.none() | int4),
        frequency_hz=draw(st.none() | int8),
    )
    said = draw(st.none() | st.just('{"a": 1}')), draw(text), draw(text), draw(st.none() | int4)
    object_json, detail, outcome, decoder_id = said
    found = rows.Found(draw(positive), draw(int2), decoder_id, outcome, detail, object_json)
    live = Live(*(map(tuple, zip(*told, strict=True)) if (told := draw(readings)) else ((), (), ())))
    past = [Measured(*what, at, value) for *what, value in draw(readings) for at in [draw(times)]]  # type: ignore[call-arg]
    hearings = draw(st.lists(st.tuples(positive, decibels, decibels, st.none() | int2), max_size=4))
    return frame(uplink, draw(int8), found, live, past, hearings, ACCOUNT)


def examples(count: int) -> list[Frame]:
    """Return drawn frames, each of its own device; always the same."""
    found: list[Frame] = []

    @settings(max_examples=count, database=None, derandomize=True, deadline=None)
    @given(frames())
    def draw(one: Frame) -> None:
        device_id = len(found) + 1
        found.append(one._replace(key=(device_id, *one.key[1:]), found=one.found._replace(device_id=device_id)))

    draw()
    return found


async def stored(
    connection: asyncpg.Connection, table: str, columns: tuple[str, ...], packed: list[bytes]
) -> list[Any]:
    """Return what PostgreSQL makes of packed rows, in their order."""
    await connection.execute(f"CREATE TEMP TABLE packed_{table} (LIKE {table})")
    await copy_rows(connection, f"packed_{table}", columns, packed)
    return [tuple(row) for row in await connection.fetch(f"SELECT {', '.join(columns)} FROM packed_{table}")]


async def test_postgresql_reads_what_the_frames_said(connection: asyncpg.Connection) -> None:
    told = examples(FRAMES)

    uplinks = await stored(connection, "uplinks", UPLINK_COLUMNS, packing.uplinks(told, rows.microseconds(INGESTED)))
    assert uplinks == [
        (
            *(one.uplink.received_at, one.key[2], INGESTED, one.uplink.f_cnt, one.found.device_id),
            *(one.uplink.dev_addr, one.uplink.payload, one.uplink.frequency_hz, one.found.decoder_id),
            *(one.uplink.bandwidth_hz, one.found.source_id, one.uplink.f_port, one.uplink.spreading_factor),
            *(one.uplink.data_rate, one.uplink.confirmed, one.uplink.adr, one.found.outcome, one.found.detail),
            one.found.object_json,
        )
        for one in told
    ]
    assert await stored(connection, "receptions", RECEPTION_COLUMNS, packing.receptions(told)) == [
        (one.uplink.received_at, one.key[2], one.found.device_id, *hearing) for one in told for hearing in one.hearings
    ]
    measurements = packing.live(told) + packing.historical(told)
    live = [
        (one.key[1], one.key[1], value, one.key[0], quantity_id, channel)
        for one in told
        for quantity_id, channel, value in zip(*one.live, strict=True)
    ]
    past = [
        (measured_at, one.key[1], value, one.key[0], quantity_id, channel)
        for one in told
        for quantity_id, channel, measured_at, value in one.past
    ]
    assert await stored(connection, "measurements", MEASUREMENT_COLUMNS, measurements) == live + past
    assert {one.layout.number == 0 for one in told} == {True, False}


def newest(told: list[Frame]) -> list[bytes]:
    return newest_rows([newest_of_frame(one) for one in told])


async def test_the_latest_are_what_the_newest_frames_said(connection: asyncpg.Connection) -> None:
    told = examples(FRAMES)
    latest = await stored(connection, "latest_frames", LATEST_COLUMNS, newest(told))
    expected: dict[tuple[int, int, int], tuple[datetime, float]] = {}
    for one in told:
        of_live = [
            (quantity_id, channel, one.key[1], value) for quantity_id, channel, value in zip(*one.live, strict=True)
        ]
        for quantity_id, channel, at, value in (*of_live, *one.past):
            series = one.key[0], quantity_id, channel
            if series not in expected or at > expected[series][0]:
                expected[series] = at, value
    found = {
        (device_id, quantity_id, channel): (measured_at, value)
        for device_id, _, measured_at, _, quantity_ids, channels, values in latest
        for quantity_id, channel, value in zip(quantity_ids, channels, values, strict=True)
    }
    assert found == expected


def test_of_frames_of_one_kind_the_newest_stays() -> None:
    first, *_ = (one for one in examples(FRAMES) if one.live.values and not one.past)
    later = first._replace(received_us=first.received_us + 1)
    for told in ([first, later], [later, first], [first, later, first]):
        assert newest(told) == newest([later])


def test_packed_in_parts_is_packed_at_once() -> None:
    told = examples(FRAMES)
    ingested_us = rows.microseconds(INGESTED)
    gateways = {number % 7: INGESTED + timedelta(seconds=number * 37 % 101) for number in range(FRAMES)}

    def packed(size: int) -> Packed:
        found = Packed()
        for at in range(0, FRAMES, size):
            part = Batch.empty(ingested_us)
            part.frames.extend(told[at : at + size])
            part.ignored[ACCOUNT] += len(part.frames)
            for number in range(at, at + size):
                part.hear(number % 7, INGESTED + timedelta(seconds=number * 37 % 101))
            found.add(part)
        return found

    whole, parts = packed(FRAMES), packed(60)
    assert vars(parts) == vars(whole)
    assert [one.key for one in whole.frames] == [one.key for one in told]
    assert whole.heard.keys() == gateways.keys()
    assert [one.uplink for one in whole.frames] == packing.uplinks(told, ingested_us)
    assert [one.past for one in whole.frames] == packing.historical(told)


def test_a_number_too_large_for_its_column_is_an_error_of_one_frame() -> None:
    """So that the writer finds the one by halving: see `ingest.writer`."""
    one = examples(1)[0]
    for broken in (
        one._replace(hearings=[(1, 1.0, 1.0, 2**15)]),
        one._replace(uplink=one.uplink._replace(f_cnt=2**63)),
    ):
        try:
            packing.receptions([broken])
            packing.uplinks([broken], 0)
        except struct.error:
            continue
        raise AssertionError(broken)
    assert one.received_us == (one.key[1] - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
