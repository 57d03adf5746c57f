"""A tenant moves to another installation on the same broker amid a load, judged by the ledger."""

import asyncio
import json
import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.embedded.postgres import role_dsn
from deploy.tenant_archive import Here
from deploy.tenant_move import Move, MoveError
from faults.figures import Figures
from faults.processes import Mosquitto
from faults.territory import assert_kept, count, declare, gated, load, publish, until_count
from store.access.roles import INGEST

OTHERS = 0x025A_3000_0000_0000
URL = "https://oise.example.fr"
RULE = """
WITH rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity, enabled, backtest_version)
  SELECT tenant_id, 'Silence', 'silent_sensor', '{}', '{"everything": true}', 'warning', true, 1 FROM tenants
   WHERE slug = $1 RETURNING tenant_id, rule_id
)
INSERT INTO contacts (tenant_id, name, channel, target) SELECT tenant_id, 'Astreinte', 'email', '{}' FROM rule
"""


async def moving(stack: AsyncExitStack, here: str, there: str, slug: str, folder: Path) -> Move:
    connections = []
    for dsn in (here, here, there, there):
        connections.append(await asyncpg.connect(dsn, server_settings={"timezone": "UTC"}))
        stack.push_async_callback(connections[-1].close)
    return Move(Here(*connections[:2]), Here(*connections[2:]), slug, folder, lambda: datetime.now(UTC))


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_tenant_moves_amid_the_load(
    fresh: Any, plain_template: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Both installations hear everything; each keeps what is its own before, during and after."""
    leaving, staying = load(4_000, name="leaving"), load(2_000, name="staying", first_dev_eui=OTHERS)
    books = tmp_path / "leaving", tmp_path / "staying"
    async with fresh(plain_template) as here, fresh(plain_template) as there, AsyncExitStack() as stack:
        await declare(here, leaving)
        await declare(here, staying)
        owner = await asyncpg.connect(here)
        await owner.execute(RULE, leaving.name)
        await owner.close()
        services = [
            await ingest(
                dsn,
                mosquitto,
                worker=worker,
                neighbours=json.dumps([{"name": "other", "dsn": role_dsn(neighbour, INGEST)}]),
            ).start()
            for worker, dsn, neighbour in (("here", here, there), ("there", there, here))
        ]
        move = await moving(stack, here, there, leaving.name, tmp_path)
        async with gated(leaving, mosquitto.port, books[0]) as gate:
            background = asyncio.create_task(publish(staying, mosquitto.port, books[1], client_id="staying"))
            gate.let(6)
            await until_count(here, 1_000)
            gate.let(6)
            moved = await move.run("oise", URL)
            gate.open()
        await background
        await until_count(there, leaving.uplinks)
        await until_count(here, leaving.uplinks + staying.uplinks)
        with pytest.raises(MoveError, match="wait an hour"):
            await move.forget(at_once=False)
        await move.forget(at_once=True)
        kept = await assert_kept(there, books[0])
        await assert_kept(here, books[1])
        assert await count(there) == leaving.uplinks
        assert await count(here) == staying.uplinks
        for dsn in (here, there):
            assert await count(dsn, "quarantine") == 0
        assert await ask(here, "SELECT count(*) FROM rules") == await ask(here, "SELECT count(*) FROM contacts") == 0
        assert await ask(there, "SELECT count(*) FROM rules WHERE enabled") == 1
        assert await ask(there, "SELECT count(*) FROM contacts") == 1
        assert await ask(here, "SELECT url FROM placements WHERE moved_at IS NOT NULL") == URL
        again = load(400, name="again", first_dev_eui=leaving.first_dev_eui, devices=leaving.devices)
        await publish(again, mosquitto.port, tmp_path / "again")
        await until_count(there, leaving.uplinks + again.uplinks)
        assert await count(here) == staying.uplinks
        assert await count(here, "quarantine") == 0
        with pytest.raises(MoveError, match=f"is at {URL} since"):
            await move.run("oise", URL)
        await asyncio.gather(*(one.stop() for one in services))
    figures.report("a tenant moved amid the load", alerting_paused_s=moved.pause_s, **kept)


async def test_a_move_that_was_interrupted_goes_on(fresh: Any, plain_template: str, tmp_path: Path) -> None:
    """Killed after the other side had everything: run again, nothing is there twice."""
    spec = load(10, name="leaving", devices=5)
    async with fresh(plain_template) as here, fresh(plain_template) as there, AsyncExitStack() as stack:
        await declare(here, spec)
        owner = await asyncpg.connect(here)
        await owner.execute(RULE, spec.name)
        await owner.close()
        move = await moving(stack, here, there, spec.name, tmp_path)
        with pytest.raises(asyncpg.UndefinedFunctionError):
            await broken(move, here)
        assert await ask(there, "SELECT count(*) FROM rules") == 1
        with pytest.raises(MoveError, match="on its way to oise"):
            await move.run("aisne", URL)
        await move.run("oise", URL)
        assert await ask(there, "SELECT count(*) FROM rules") == await ask(there, "SELECT count(*) FROM contacts") == 1
        assert await ask(here, "SELECT count(*) FROM rules") == 0
        assert await ask(there, "SELECT count(*) FROM devices") == spec.devices
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - in a coroutine


async def broken(move: Move, here: str) -> None:
    """Run a move that dies when the other side has committed, before this one has: it cannot note it."""
    owner = await asyncpg.connect(here)
    try:
        await owner.execute("ALTER FUNCTION audit_append RENAME TO audit_append_away")
        await move.run("oise", URL)
    finally:
        await owner.execute("ALTER FUNCTION audit_append_away RENAME TO audit_append")
        await owner.close()
