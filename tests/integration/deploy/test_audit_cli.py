"""The audit log, written by the application and meddled with by whoever owns its tables."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from cli_runner import Samara

from store.access import audit
from store.access.audit import Entry, TamperedError, head_of, verified

ENTRIES = 6


async def written(dsn: str) -> list[Entry]:
    connection = await asyncpg.connect(dsn)
    try:
        for number in range(ENTRIES):
            await audit.append(
                connection, "grant.given", actor=f"somebody {number}", subject="é\x1f", detail={"n": number}
            )
        return [entry async for entry in audit.entries(connection)]
    finally:
        await connection.close()


async def told(entries: list[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry


async def test_what_was_changed_deleted_or_put_in_another_order_is_found(database: str) -> None:
    log = await written(database)
    assert await verified(told(log)) == log[-1]
    assert await verified(told([])) is None
    for at in range(ENTRIES):
        for change in (
            {"actor": "somebody else"},
            {"action": "grant.taken"},
            {"tenant_id": 1},
            {"account_id": 1},
            {"object": "é"},
            {"detail": "{}"},
            {"at": log[at - 1].at},
            {"digest": log[at - 1].digest},
        ):
            with pytest.raises(TamperedError):
                await verified(told([*log[:at], log[at]._replace(**change), *log[at + 1 :]]))
        if at < ENTRIES - 1:
            with pytest.raises(TamperedError, match="missing"):
                await verified(told([*log[:at], *log[at + 1 :]]))
            with pytest.raises(TamperedError):  # the next takes its number
                await verified(told([*log[:at], log[at + 1]._replace(entry_id=at + 1)]))
            swapped = [*log[:at], log[at + 1], log[at], *log[at + 2 :]]
            with pytest.raises(TamperedError):
                await verified(told(swapped))


async def test_a_cut_tail_is_found_by_what_was_noted(database: str) -> None:
    log = await written(database)
    head = head_of(log[-1])
    assert await verified(told(log[:-1])) == log[-2]  # by itself it looks whole
    with pytest.raises(TamperedError, match="cut"):
        await verified(told(log[:-1]), head)
    anew: list[Entry] = []  # written from its beginning, each entry sealed as it should be
    for entry in log:
        changed = entry._replace(actor="nobody")
        anew.append(changed._replace(digest=audit.sealed(anew[-1].digest if anew else b"", changed)))
    assert await verified(told(anew)) == anew[-1]
    with pytest.raises(TamperedError):
        await verified(told(anew), head)
    assert await verified(told(log), head_of(log[2])) == log[-1]


async def test_the_command_finds_what_the_owner_of_the_tables_did(database: str, tmp_path: Path) -> None:
    await written(database)
    samara, note = Samara(tmp_path, DATABASE__DSN=database), tmp_path / "head"

    async def verify(code: int) -> str:
        done = await asyncio.to_thread(samara, "audit", "verify", "--note", note, code=code)
        return done.stderr

    await verify(0)
    assert note.read_text().startswith(f"{ENTRIES}:")
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("DELETE FROM audit WHERE entry_id = $1", ENTRIES)
        assert "cut before it" in await verify(1)
        note.unlink()
        await connection.execute("UPDATE audit SET actor = 'x' WHERE entry_id = 2")
        assert "entry 2" in await verify(1)
        assert not note.exists()
    finally:
        await connection.close()
