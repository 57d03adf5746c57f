"""The network between ingest and the database is cut during COMMIT: the batch is stored, and stored once."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from faults.figures import Figures
from faults.processes import Mosquitto
from faults.proxy import Passing, Proxy, Verdict, postgres_messages
from faults.territory import (
    Stopwatch,
    assert_kept,
    declare,
    gated,
    judged,
    load,
    port_of,
    publish,
    through,
    until_count,
)

FOUND_WITHIN_S = 15

# The server never sees the COMMIT, or commits and cannot say so; the connection is reset, or falls silent. Rows that
# stop half-way are the longest: the server still waits for them, and holds the locks of those that came.
Seen = Callable[[Passing], bool]
CUTS: dict[str, tuple[Seen, Verdict]] = {
    "before the server, reset": (lambda passing: passing.is_commit, Verdict.RESET),
    "before the server, silent": (lambda passing: passing.is_commit, Verdict.FREEZE),
    "after the commit, reset": (lambda passing: passing.is_committed, Verdict.RESET),
    "after the commit, silent": (lambda passing: passing.is_committed, Verdict.FREEZE),
    "within the rows, silent": (lambda passing: passing.upwards and passing.kind == b"d", Verdict.FREEZE),
}
SHORT = [(cut, 2) for cut in list(CUTS)[:4]]
FULL = [pytest.param(cut, 10, marks=pytest.mark.slow) for cut in CUTS]


@pytest.mark.parametrize(("cut", "spool_after_s"), [*SHORT, *FULL])
async def test_cut_during_commit(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, cut: str, spool_after_s: int
) -> None:
    seen, verdict = CUTS[cut]
    spec = load(400)
    await declare(database, spec)
    times = 0

    def cut_the_third(passing: Passing) -> Verdict:
        nonlocal times
        if seen(passing):
            times += 1
            if times == 3:
                watch.append(Stopwatch())
                return verdict
        return Verdict.PASS

    watch: list[Stopwatch] = []
    async with Proxy(port_of(database), postgres_messages) as proxy:
        bounds = {"spool_after_s": spool_after_s, "max_batch": 40}
        service = await ingest(through(database, proxy.port), mosquitto, **bounds).start()
        proxy.watch = cut_the_third
        await publish(spec, mosquitto.port, tmp_path / "ledger")
        await until_count(database, spec.uplinks)
        found_s = watch[0].seconds
        await service.until_metric("samara_store_up", 1)
        await service.stop()
    kept = await assert_kept(database, tmp_path / "ledger")
    figures.report(f"partition during COMMIT, {cut}", found_s=found_s, **kept)
    assert found_s <= FOUND_WITHIN_S


@pytest.mark.slow
async def test_a_silent_fleet_connection_is_noticed(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """The connection that hears of changed devices falls silent: a change made meanwhile is heard of all the same."""
    spec = load(300 * 10, devices=10)
    await declare(database, spec)
    async with Proxy(port_of(database), postgres_messages) as proxy:
        service = await ingest(through(database, proxy.port), mosquitto).start()
        async with gated(spec, mosquitto.port, tmp_path / "ledger") as gate:
            gate.let(1)
            await until_count(database, 256)
            proxy.freeze()
            silent = Stopwatch()
            connection = await asyncpg.connect(database)
            await connection.execute("UPDATE devices SET model_id = NULL")
            while not await connection.fetchval("SELECT count(*) FROM uplinks WHERE decoder_id IS NULL"):
                assert silent.seconds < 60
                gate.let(1)
                await asyncio.sleep(4)
            noticed_s = silent.seconds
            await connection.close()
        await until_count(database, spec.uplinks)
        await service.stop()
    verdicts = await judged(database, tmp_path / "ledger")
    figures.report("silent fleet connection", noticed_s=noticed_s, acknowledged_lost=verdicts[0].verdict.lost)
    assert verdicts[0].verdict.lost == 0
    assert noticed_s <= 45
