"""The spool's disk is full; a bit of it flips."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from faults.figures import Figures
from faults.processes import Mosquitto, small_disk
from faults.proxy import Proxy
from faults.territory import (
    Stopwatch,
    assert_kept,
    count,
    declare,
    judged,
    load,
    port_of,
    publish,
    through,
    until,
    until_count,
)

RECOVERED_WITHIN_S = 60
DISK_MB = 4
ONE_READING = 256  # messages of 1.2 kB that a socket's buffer of 256 KiB brings at once, beyond a bound


@pytest.mark.parametrize("mended", ["database", pytest.param("disk", marks=pytest.mark.slow)])
async def test_spool_disk_full(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, mended: str
) -> None:
    """No database, and a disk with room for a part: ingest stops acknowledging, says so, and resumes by itself."""
    spec, bound = load(6_000), 500
    await declare(database, spec)
    with small_disk(tmp_path / "disk", DISK_MB) as disk:
        async with Proxy(port_of(database)) as proxy:
            bounds = {"max_unacknowledged": bound, "max_batch": 50}
            service = await ingest(through(database, proxy.port), mosquitto, data_dir=disk.path, **bounds).start()
            await until_count(database, 0)
            proxy.refusing = True
            proxy.reset()
            if mended == "disk":
                disk.fill()
            at_rest_mb = service.forget_peak()
            publishing = asyncio.create_task(publish(spec, mosquitto.port, tmp_path / "ledger"))
            await service.until_metric("samara_spool_full", 1)
            await publishing  # the broker keeps what we do not take
            alerted = await service.until_logged("spool_full")
            held = (await service.metrics())["samara_held_messages"]
            recovery = Stopwatch()
            if mended == "disk":  # the database is still away: the spool takes what there is room for, then it returns
                disk.make_room()
                await service.until_metric("samara_spooled_total", 500)
                recovered_s = recovery.seconds
                proxy.refusing = False
            else:
                proxy.refusing = False
            await until_count(database, spec.uplinks)
            recovery_s = recovered_s if mended == "disk" else recovery.seconds
            metrics = await service.metrics()
            growth_mb = service.peak_mb() - at_rest_mb
            kept = await assert_kept(database, tmp_path / "ledger")
            await service.stop()
    figures.report(
        f"spool disk full, room made by the {mended}",
        recovery_s=recovery_s,
        corrupt_bytes=int(metrics["samara_spool_damaged_bytes_total"]),
        held=held,
        rss_growth_mb=growth_mb,
        **kept,
    )
    assert alerted["level"] == "error"
    assert held <= bound + ONE_READING
    assert metrics["samara_spool_damaged_bytes_total"] == 0
    assert recovery_s <= RECOVERED_WITHIN_S


@pytest.mark.parametrize("flips", [1, pytest.param(100, marks=pytest.mark.slow)])
async def test_bits_flipped_in_the_spool(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, flips: int
) -> None:
    """Each flipped bit costs the record that it lies in, and no other."""
    spec, chance = load(3_000), random.Random(flips)
    await declare(database, spec)
    async with Proxy(port_of(database)) as proxy:
        service = await ingest(through(database, proxy.port), mosquitto).start()
        proxy.refusing = True
        proxy.reset()
        await publish(spec, mosquitto.port, tmp_path / "ledger")
        await service.until_metric("samara_spooled_total", spec.uplinks)
        service.kill()
        damaged = _flip(service.data_dir, flips, chance)
        proxy.refusing = False
        await service.start()
        await until_count(database, spec.uplinks - damaged)
        await until(lambda: _is_empty(service))
        [found] = await judged(database, tmp_path / "ledger")
        await service.stop()
    figures.report(
        f"{flips} bits flipped in the spool",
        records_hit=damaged,
        records_lost=found.verdict.lost,
        stored_duplicates=found.same_key,
    )
    assert found.verdict.lost == damaged
    assert found.verdict.duplicated + found.verdict.altered + found.verdict.unexpected + found.same_key == 0
    assert await count(database) == spec.uplinks - damaged


def _flip(data_dir: Path, flips: int, chance: random.Random) -> int:
    """Flip so many bits of the spool's segments; return how many records they lie in."""
    [segment, *_] = sorted(data_dir.rglob("*.spool"))
    data = bytearray(segment.read_bytes())
    starts, at = [], 0
    while at < len(data):
        starts.append(at)
        at += 12 + int.from_bytes(data[at + 4 : at + 8], "big")
    hit = chance.sample(range(len(starts)), flips)
    for number in hit:
        end = starts[number + 1] if number + 1 < len(starts) else len(data)
        place = chance.randrange(starts[number], end)
        data[place] ^= 1 << chance.randrange(8)
    segment.write_bytes(data)
    return len(hit)


async def _is_empty(service: Any) -> bool:
    return bool((await service.metrics())["samara_spool_bytes"] == 0)
