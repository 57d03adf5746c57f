"""A load against a platform made of a dictionary: what it keeps is judged kept, each way to break it is counted."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from domain.errors import ConfigurationError, MessageError
from domain.events import Uplink
from ingest import lns
from simulators import scenarios
from simulators.clock import SystemClock
from simulators.load import ledger, run
from simulators.load.generate import Emission, generate
from simulators.load.judge import BROKEN_BY, StoredUplink, judge, told
from simulators.load.ledger import Fault, LedgerWriter
from simulators.load.spec import FORMATS, Faults, Format, LoadSpec, Outage, at_rate, read

NOW = datetime(2026, 1, 6, tzinfo=UTC)
EVERYTHING = read(scenarios.find("everything")).faults


def load(form: Format = "chirpstack-json", faults: Faults = EVERYTHING) -> LoadSpec:
    return LoadSpec(format=form, devices=200, uplinks_per_device=15, faults=faults, speed=None, stats_every_s=900)


def stored_by_a_good_platform(emissions: Iterable[Emission], form: str) -> tuple[list[StoredUplink], list[bytes]]:
    """What one keeps that stores each key once, and the messages that it sets aside."""
    server = lns.load()["thethingsstack" if form == "things-stack" else "chirpstack"]
    rows: dict[tuple[object, ...], StoredUplink] = {}
    set_aside: list[bytes] = []
    for emission in emissions:
        try:
            events = server.parse(emission.topic, emission.payload, NOW)
        except MessageError:
            set_aside.append(emission.payload)
            continue
        for one in events:
            if isinstance(one, Uplink):
                key = one.dev_eui, one.dev_addr, one.f_cnt, one.deduplication_id
                row = StoredUplink(one.dev_eui, one.dev_addr, one.f_cnt, one.received_at, one.payload, ingested_at=NOW)
                rows.setdefault(key, row)
    return list(rows.values()), set_aside


def written(spec: LoadSpec, path: Path) -> ledger.Ledger:
    with LedgerWriter(path, spec) as writer:
        entries = [one.entry for one in generate(spec) if one.entry is not None]
        writer.append(entries, int((NOW - timedelta(seconds=2)).timestamp() * 1000))
    return ledger.read(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_platform_that_keeps_its_promises_is_not_blamed(form: Format, tmp_path: Path) -> None:
    spec = load(form)
    account = written(spec, tmp_path / "ledger")
    stored, set_aside = stored_by_a_good_platform(generate(spec), form)
    verdict = judge(account, stored, quarantined=set_aside, late_after_s=3.0)
    assert not verdict.broken, told(verdict)
    assert verdict.expected > 2700
    assert verdict.stored == verdict.expected + verdict.mergeable - verdict.merged
    assert verdict.set_aside == len(set(set_aside)) > 0
    assert verdict.not_set_aside == 0
    assert verdict.latency_p99_s == pytest.approx(2.0)
    named = {one.fault for one in verdict.causes}
    assert named == {fault.name.lower() for fault in Fault}


def test_every_way_to_break_a_promise_is_counted(tmp_path: Path) -> None:
    spec = load()
    account = written(spec, tmp_path / "ledger")
    stored, set_aside = stored_by_a_good_platform(generate(spec), spec.format)
    strict = {
        (int(row["device"]), int(row["f_cnt"]), int(row["received_ms"]))
        for row in account.records
        if row["obligation"] == 0 and row["readings"] == 4
    }
    first = spec.first_dev_eui

    def is_strict(row: StoredUplink) -> bool:
        return (int(row.dev_eui, 16) - first, row.f_cnt, round(row.received_at.timestamp() * 1000)) in strict

    plain = [row for row in stored if is_strict(row)]
    other = [row for row in stored if not is_strict(row)]
    broken = [
        *plain[3:-4],  # three lost
        plain[-1]._replace(payload=b"else"),
        plain[-2]._replace(readings=3),
        plain[-3]._replace(readings=4, ingested_at=NOW + timedelta(minutes=1)),
        plain[-4],
        *plain[10:12],  # two again
        plain[20]._replace(f_cnt=9_999_999),
        plain[0]._replace(dev_eui="ffffffffffffffff"),  # not ours
        *other,
    ]
    verdict = judge(account, broken, quarantined=set_aside[1:], late_after_s=3.0)
    assert verdict.broken
    found = tuple(getattr(verdict, name) for name in BROKEN_BY)
    assert found == (3, 2, 1, 1, 1, 1, 1)
    assert sum(one.lost for one in verdict.causes) == 3
    assert len(verdict.examples) == 4
    assert "BROKEN" in told(verdict)
    assert sum(one.late for one in verdict.causes) == 1
    assert judge(account, stored, quarantined=[*set_aside[1:], b"else"]).not_set_aside == 1
    assert judge(account, stored).not_set_aside is None


def test_an_earlier_run_of_the_same_devices_is_passed_over(tmp_path: Path) -> None:
    spec = load()
    account = written(spec, tmp_path / "ledger")
    stored, _ = stored_by_a_good_platform(generate(spec), spec.format)
    began = NOW - timedelta(seconds=2)
    before = [one._replace(dev_addr="00000000", ingested_at=began - timedelta(seconds=1)) for one in stored[:50]]
    verdict = judge(account, [*stored, *before])
    assert not verdict.broken
    assert verdict.stored == len(stored)
    invented = before[0]._replace(ingested_at=began + timedelta(seconds=1))
    assert judge(account, [*stored, *before, invented]).unexpected == 1


def test_an_empty_platform_has_lost_everything(tmp_path: Path) -> None:
    verdict = judge(written(load(), tmp_path / "ledger"), [])
    assert verdict.lost == verdict.expected > 0
    assert verdict.merged == verdict.mergeable


def test_a_load_repeats_itself_and_its_seed_matters() -> None:
    spec = load()
    assert list(generate(spec)) == list(generate(spec))
    assert [one.entry for one in generate(spec)] != [one.entry for one in generate(load_of_seed(2))]


def load_of_seed(seed: int) -> LoadSpec:
    return LoadSpec(devices=200, uplinks_per_device=15, faults=EVERYTHING, speed=None, seed=seed)


def test_messages_come_by_time_and_outages_end_in_a_burst() -> None:
    spec = LoadSpec(devices=200, uplinks_per_device=15, faults=EVERYTHING, speed=10.0, jitter_s=20.0)
    emissions = list(generate(spec))
    assert all(before.due_s <= after.due_s for before, after in pairwise(emissions))
    late = [one for one in emissions if one.entry is not None and one.entry.fault is Fault.OUTAGE]
    assert late
    assert all(200.0 <= one.due_s <= 201.0 for one in late)
    assert max(one.due_s for one in late) > 200.9


def test_frame_counters_roll_over_reset_and_begin_again_after_a_join() -> None:
    emissions = list(generate(load()))
    uplinks = [one.entry for one in emissions if one.entry is not None]
    assert {65_535, 65_536} <= {one.f_cnt for one in uplinks if one.fault is Fault.ROLL_OVER}
    by_device: dict[int, list[int]] = {}
    for one in uplinks:
        if one.fault is Fault.F_CNT_RESET:
            by_device.setdefault(one.device, []).append(one.f_cnt)
    assert any(0 in counters[1:] for counters in by_device.values())
    joins = [json.loads(one.payload) for one in emissions if one.topic.endswith("/join")]
    assert 70 < len(joins) < 130
    storm = {message["deviceInfo"]["devEui"]: message["devAddr"] for message in joins}
    for one in uplinks:
        if one.fault is Fault.REJOINED:
            assert f"{one.dev_addr:08x}" == storm[ledger.dev_eui(load(), one.device)]


def test_gateways_come_and_go_devices_join_first_and_resets_are_logged() -> None:
    spec = replace(load(), first_join=True)
    emissions = list(generate(spec))
    kinds = Counter(one.topic.rpartition("/")[2] for one in emissions)
    assert kinds["conn"] == 8 + 2 * round(0.3 * 8)
    assert kinds["stats"] > 8
    assert kinds["log"] > 5
    first = {}
    for one in emissions:
        device = one.topic.split("/")[3]
        first.setdefault(device, one.topic.rpartition("/")[2])
    devices = [event for device, event in first.items() if device.startswith("025a1")]
    assert devices.count("join") > 0.6 * len(devices)  # the others were held back by the outage, or drift


def test_the_ledger_identifies_messages_as_they_were_said() -> None:
    spec = load()
    for one in generate(spec):
        if one.entry is not None and one.entry.fault is not Fault.MESSAGE_CUT:
            message = json.loads(one.payload)
            assert message["deduplicationId"] == ledger.deduplication_id(spec, one.entry)
            assert message["deviceInfo"]["devEui"] == ledger.dev_eui(spec, one.entry.device)
            assert datetime.fromisoformat(message["time"]) == one.entry.received_at


def test_a_ledger_that_was_cut_short_gives_its_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    whole = written(load(), path)
    path.write_bytes(path.read_bytes()[:-5])
    assert len(ledger.read(path).records) == len(whole.records) - 1
    path.write_bytes(b"something else")
    with pytest.raises(ConfigurationError, match="not a ledger"):
        ledger.read(path)


class FakeClock(SystemClock):
    def __init__(self) -> None:
        self.elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.elapsed)

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


class FakeSink:
    def __init__(self, clock: FakeClock, cost_s: float = 0.0) -> None:
        self.sent: list[tuple[float, str]] = []
        self._clock = clock
        self._cost_s = cost_s

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> int:
        batch = list(messages)
        self.sent += [(self._clock.elapsed, topic) for topic, _ in batch]
        self._clock.elapsed += self._cost_s
        return len(batch)

    async def drained(self) -> None:
        await asyncio.sleep(0)


async def test_the_schedule_is_absolute_and_lateness_is_told(tmp_path: Path) -> None:
    spec = at_rate(100, 20.0, start_at=NOW, devices=50)
    clock = FakeClock()
    sinks = [FakeSink(clock), FakeSink(clock)]
    report = await run.run(spec, sinks, tmp_path / "ledger", clock=clock)
    assert (report.messages, report.uplinks) == (2000, 2000)
    assert report.lateness is not None
    assert report.lateness.p99_s < 0.001
    assert report.valid
    assert report.per_second == pytest.approx(100, rel=0.01)
    assert len(ledger.read(tmp_path / "ledger").records) == 2000
    devices = [Counter(topic for _, topic in sink.sent).keys() for sink in sinks]
    assert len(devices[0]) == len(devices[1]) == 25
    assert not devices[0] & devices[1]

    slow = FakeClock()
    report = await run.run(spec, [FakeSink(slow, cost_s=0.5)], tmp_path / "slow", clock=slow)
    assert report.lateness is not None
    assert 0.25 < report.lateness.p50_s < report.lateness.max_s < 1.2  # caught up in batches, never added up
    assert not report.valid


def test_a_spec_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "load.toml"
    path.write_text(
        '[load]\nname = "x"\ndevices = 5\nmodels = ["dragino-lse01"]\nstart_at = 2026-01-05T00:00:00Z\n'
        "[load.faults]\nduplicate = 0.1\n[[load.faults.outages]]\nstart_s = 1\nend_s = 2\n"
    )
    spec = read(path)
    assert (spec.devices, spec.faults.duplicate, spec.faults.outages) == (5, 0.1, (Outage(start_s=1, end_s=2),))


@pytest.mark.parametrize(
    "text",
    ["", "[load]\ndevices = 0", "[load]\nnonsense = 1", "[load]\nformat = 'x'", "[load]\nreceptions = 9",
     "[load]\nstart_at = 2026-01-05T00:00:00", "[load.faults]\nx = 1", "[[load.faults.outages]]\nstart_s = 1"],
)  # fmt: skip
def test_a_wrong_spec_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "load.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError):
        read(path)


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="acme"):
        next(generate(LoadSpec(models=("acme",))))
