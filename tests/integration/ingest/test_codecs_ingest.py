"""JavaScript codecs on ingest's path: what is stored, what a change does, and what a hostile one does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from codecs_world import GOOD, MENDED, STUCK, bound, deliver, in_force
from ingest_support import declare, ingesting, until
from structlog.testing import capture_logs

from decoders.javascript import engine
from domain.errors import ConfigurationError
from ingest.codecs import Codecs
from store.bound_codecs import load_bound_codecs
from store.codecs import bind_device, bind_model, quarantine, quarantined, release, versions

A, B, C = "a" * 16, "b" * 16, "c" * 16


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    await declare(database, {A: None, B: None, C: "elsys-ers"})
    connection = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


async def uplinks(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    """Return (DevEUI, FCnt, outcome, version, object's keys) of what is stored."""
    rows = await connection.fetch("""
        SELECT dev_eui, f_cnt, outcome, version,
               ARRAY(SELECT jsonb_object_keys(coalesce(object, '{}')) ORDER BY 1) AS keys
          FROM uplinks JOIN devices USING (device_id) LEFT JOIN decoders USING (decoder_id) ORDER BY 1, 2
    """)
    return [tuple(row) for row in rows]


async def temperatures(connection: asyncpg.Connection, dev_eui: str) -> list[float]:
    rows = await connection.fetch(
        """
        SELECT value FROM measurements JOIN quantities USING (quantity_id) JOIN devices USING (device_id)
         WHERE quantities.name = 'temperature' AND dev_eui = $1 ORDER BY measured_at
        """,
        dev_eui,
    )
    return [row["value"] for row in rows]


async def test_a_codec_decodes_its_devices_and_nothing_of_its_answer_is_lost(
    database: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    version = await bound(connection, "acme", GOOD, A)
    await connection.execute("""UPDATE devices SET parameters = '{"weight": "2"}' WHERE dev_eui = $1""", A)
    async with ingesting(database, tmp_path) as ingest:
        await deliver(ingest, A, 1, b"\xc8\x07")
        await deliver(ingest, A, 2, b"\xc8")
        await deliver(ingest, A, 3, b"")
        await deliver(ingest, B, 1, b"\xc8\x07")
    assert await uplinks(connection) == [
        (A, 1, "decoded", version, ["mystery", "t", "text"]),
        (A, 2, "malformed", version, ["network"]),
        (A, 3, "empty", None, []),
        (B, 1, "foreign", None, ["network"]),
    ]
    assert await temperatures(connection, A) == [40.0]


async def test_a_change_is_followed_without_a_restart(
    database: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    async with ingesting(database, tmp_path) as ingest:
        await deliver(ingest, C, 0, b"\x01\x00\x64")
        assert ingest._codecs._pool is None  # no sandbox for those who need none
        first = await in_force(connection, "acme", GOOD)
        await bind_model(connection, 1, "acme", "elsys-ers")
        await until(lambda: _sees(ingest, first))
        await deliver(ingest, C, 1, b"\xc8\x07")
        second = await in_force(connection, "acme", MENDED)
        await until(lambda: _sees(ingest, second))
        await deliver(ingest, C, 2, b"\xc8\x07")
    found = {f_cnt: version for _, f_cnt, _, version, _ in await uplinks(connection)}
    assert (found[1], found[2]) == (first, second)
    assert found[0] not in (None, first, second)
    assert [one.state for one in await versions(connection, 1)] == ["active", "retired"]


async def _sees(ingest: Any, version: str) -> bool:
    found = ingest._known.codecs.of(3, 1, "elsys-ers")
    return found is not None and found.version == version


async def test_a_codec_that_kills_its_worker_is_put_away_and_its_neighbours_go_on(
    database: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await bound(connection, "stuck", STUCK, A)
    await bound(connection, "acme", GOOD, B)
    with capture_logs() as logs:
        async with ingesting(database, tmp_path) as ingest:
            for f_cnt in range(5):
                await asyncio.gather(deliver(ingest, A, f_cnt, b"\1"), deliver(ingest, B, f_cnt, b"\xc8\x07"))
            (stuck,) = await quarantined(connection)
            assert (stuck.name, stuck.kills) == ("stuck", 3)
            (told,) = await connection.fetch("SELECT kind, tenant_id, detail FROM supervision_events")
            assert tuple(told)[:2] == ("codec_quarantined", 1)
            assert told["detail"].startswith("codec stuck: 3 kills, ")
            await until(lambda: _count_quarantined(ingest, 1))
            assert ingest._metrics.codecs_quarantined.collect()[0].samples[0].value == 1  # type: ignore[attr-defined]
            await release(connection, stuck)
            await until(lambda: _count_quarantined(ingest, 0))
            await deliver(ingest, A, 9, b"\1")
    said = "SELECT detail FROM uplinks JOIN devices USING (device_id) WHERE dev_eui = $1 ORDER BY f_cnt"
    details = [one["detail"].partition(":")[0] for one in await connection.fetch(said, A)]
    assert details == ["killed"] * 3 + ["quarantined"] * 2 + ["killed"]
    assert {(outcome) for eui, _, outcome, _, _ in await uplinks(connection) if eui == B} == {"decoded"}
    told = [one for one in logs if one["event"] == "codec_quarantined"]
    assert [(one["codec"], one["kills"]) for one in told] == [("stuck", 3)]


async def _count_quarantined(ingest: Any, count: int) -> bool:
    return len(ingest._known.codecs.quarantined) == count


async def test_a_codec_of_the_tenant_above_serves_those_below_unless_they_have_their_own(
    database: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    below = await connection.fetchval(
        "INSERT INTO tenants (kind, slug, name, parent_id) VALUES ('commune', 'below', 'B', 1) RETURNING tenant_id"
    )
    await connection.execute("UPDATE devices SET tenant_id = $1, model_id = 'elsys-ers' WHERE dev_eui = $2", below, B)
    above = await in_force(connection, "acme", GOOD)
    await bind_model(connection, 1, "acme", "elsys-ers")
    async with ingesting(database, tmp_path) as ingest:
        await deliver(ingest, B, 1, b"\xc8\x07")
        await deliver(ingest, C, 1, b"\xc8\x07")
    own = await in_force(connection, "own", MENDED, tenant_id=below)
    await bind_model(connection, below, "own", "elsys-ers")
    async with ingesting(database, tmp_path) as ingest:
        await deliver(ingest, B, 2, b"\xc8\x07")
        await deliver(ingest, C, 2, b"\xc8\x07")
    found = {(eui, f_cnt): version for eui, f_cnt, _, version, _ in await uplinks(connection)}
    assert found == {(B, 1): above, (C, 1): above, (B, 2): own, (C, 2): above}


async def test_a_codec_binds_no_device_of_another_tenant(connection: asyncpg.Connection) -> None:
    other = await connection.fetchval(
        "INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'other', 'O') RETURNING tenant_id"
    )
    await in_force(connection, "theirs", GOOD, tenant_id=other)
    with pytest.raises(Exception, match="no device"):
        await bind_device(connection, other, "theirs", A)


def test_ingest_does_not_start_beside_the_unsafe_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.importlib.metadata, "version", lambda _name: "1.0")
    with pytest.raises(ConfigurationError, match="uninstall"):
        Codecs()


async def test_the_role_of_ingest_may_read_codecs_and_put_them_away(connection: asyncpg.Connection) -> None:
    await bound(connection, "acme", GOOD, A)
    sha256 = (await versions(connection, 1))[0].sha256
    await connection.execute("SET ROLE samara_ingest")
    codecs = await load_bound_codecs(connection)
    assert codecs.of(1, 1, None)
    assert await quarantine(connection, 1, sha256, 3, "ended") == ["acme"]
    assert (await load_bound_codecs(connection)).quarantined == {(1, sha256)}
