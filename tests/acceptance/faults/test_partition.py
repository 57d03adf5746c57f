"""The network between ingest and the database is cut during COMMIT: the batch is stored, and stored once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults.figures import Figures
from faults.processes import Mosquitto
from faults.proxy import Passing, Proxy, Verdict, postgres_messages
from faults.territory import Stopwatch, assert_kept, declare, load, port_of, publish, through, until_count

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
