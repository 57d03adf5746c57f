"""Uplinks decoded again by JavaScript codecs: a codec bound late, mended, taken away, put in quarantine."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from codecs_world import FIELDS, GOOD, MENDED, NOON, STUCK, bound, deliver, in_force
from ingest_support import declare, ingesting

from decoders.javascript.mapping import Field
from decoders.registry import Registry
from domain.times import EARLIEST
from ingest.redecode.portion import CodecBusyError
from ingest.redecode.run import Asked, Report, apply, show
from ingest.redecode.tally import ADDED, CHANGED
from store.codecs import Binding, bind_device, bind_model, quarantined, retire, unbind, versions
from store.parameters import change_parameters

A = "a" * 16
PULSES, COUNTED = bytes.fromhex("00009508311100012345ffffffff0000000001000009"), 74565  # Enless TX PULSE
EVERYTHING = Asked(A, None, EARLIEST, None)
LATER = NOON + timedelta(days=1)


@pytest.fixture
async def connection(any_database: str, tmp_path: Path) -> AsyncIterator[asyncpg.Connection]:
    """A database with two uplinks that the network server decoded, and one that it did not."""
    await declare(any_database, {A: None})
    async with ingesting(any_database, tmp_path) as ingest:
        for f_cnt, payload in enumerate((b"\xc8\x07", b"\x64\x08", b"\x01")):
            await deliver(ingest, A, f_cnt, payload)
    connection = await asyncpg.connect(any_database, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


async def again(dsn: str, asked: Asked = EVERYTHING) -> Report:
    return await apply(
        dsn, asked, registry=Registry.load(), now=LATER, asked_by="t", reason="r", on_progress=lambda _: None
    )


async def state(connection: asyncpg.Connection) -> tuple[list[Any], list[Any]]:
    uplinks = await connection.fetch(
        "SELECT outcome, version, object ->> 'mystery' AS said FROM uplinks LEFT JOIN decoders USING (decoder_id)"
        " ORDER BY f_cnt"
    )
    readings = await connection.fetch("SELECT name, value FROM measurements JOIN quantities USING (quantity_id)")
    return [tuple(one) for one in uplinks], sorted(tuple(one) for one in readings)


async def test_a_codec_mends_the_past_and_another_takes_over(any_database: str, connection: asyncpg.Connection) -> None:
    first = await bound(connection, "acme", GOOD, A)
    shown = await show(any_database, EVERYTHING, registry=Registry.load(), now=LATER,
                       on_progress=lambda _: None)  # fmt: skip
    report = await again(any_database)
    assert report.tally == shown.tally
    assert report.record
    assert (report.tally.readings(ADDED), report.record.decoder_version) == (2, first)
    uplinks, readings = await state(connection)
    assert uplinks == [("decoded", first, "7"), ("decoded", first, "8"), ("malformed", first, None)]
    assert ("temperature", 20.0) in readings

    second = await in_force(connection, "acme", MENDED)
    assert (await again(any_database)).tally.readings(CHANGED) == 2
    mapped = await in_force(connection, "acme", MENDED, fields=(*FIELDS, Field("mystery", "pulse_count")))
    assert (await again(any_database)).tally.readings(ADDED) == 2
    assert len({first, second, mapped}) == 3
    uplinks, readings = await state(connection)
    assert {version for _, version, _ in uplinks} == {mapped}
    assert {name for name, _ in readings} >= {"temperature", "pulse_count"}

    for one in await versions(connection, 1, "acme"):
        if one.state == "active":
            await retire(connection, one)
    await again(any_database)
    uplinks, readings = await state(connection)
    assert uplinks[:2] == [("no_decoder", None, None)] * 2  # the codec's own answer is nobody else's
    assert {name for name, _ in readings} <= {"ns:network"}


async def test_a_model_that_only_a_codec_knows_is_decoded_again(
    any_database: str, connection: asyncpg.Connection
) -> None:
    await in_force(connection, "acme", GOOD)
    await bind_model(connection, 1, "acme", "acme-sm1")
    await connection.execute("UPDATE devices SET model_id = 'acme-sm1'")
    report = await again(any_database, Asked(None, "acme-sm1", EARLIEST, None))
    assert report.tally.outcomes["foreign", "decoded"] == 2


async def test_a_parameter_given_late_is_applied_to_the_past(
    any_database: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await in_force(connection, "acme", GOOD, fields=(Field("mystery", "pulse_count"),))
    await bind_device(connection, 1, "acme", A)
    await change_parameters(connection, A, {"pulse_weight": "10", "pulse_unit": "L"}, ())
    await again(any_database)
    _, readings = await state(connection)
    assert [value for name, value in readings if name == "water_volume"] == [0.07, 0.08]
    await unbind(connection, 1, Binding("acme", A, None))
    await connection.execute("INSERT INTO models VALUES ('enless-600-036', 'D', 'S') ON CONFLICT DO NOTHING")
    await connection.execute("UPDATE devices SET model_id = 'enless-600-036'")
    async with ingesting(any_database, tmp_path) as ingest:
        await deliver(ingest, A, 9, PULSES)
    _, readings = await state(connection)
    assert ("water_volume", COUNTED * 0.01) in readings
    await change_parameters(connection, A, {"pulse_weight": "1"}, ())
    await again(any_database)
    _, readings = await state(connection)
    assert ("water_volume", COUNTED * 0.001) in readings


async def test_what_a_codec_in_quarantine_decoded_stays(any_database: str, connection: asyncpg.Connection) -> None:
    await bound(connection, "acme", GOOD, A)
    await again(any_database)
    before = await state(connection)
    await in_force(connection, "acme", STUCK)
    for _ in range(2):  # its third kill puts it away; from then on nobody tries
        with pytest.raises(CodecBusyError, match="acme"):
            await again(any_database)
        (stuck,) = await quarantined(connection)
        assert stuck.kills == 3
        assert await state(connection) == before
