import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sim_mortal import Broker, subscriber

from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.replay import Progress, replay


async def test_a_file_with_bad_lines_is_published_without_them(broker: Broker, tmp_path: Path) -> None:
    lines = [
        '{"topic":"r/1","payload":{"a": 1.0}}',
        "nonsense",
        "",
        '{"topic":"r/2","payload":"text"}',
        '{"topic":"r/#","payload":{}}',
    ]
    plain, packed = tmp_path / "a.ndjson", tmp_path / "b.ndjson.gz"
    plain.write_text("\n".join(lines))
    packed.write_bytes(gzip.compress(b'{"payload":[3],"topic":"r/3"}'))
    seen: list[Progress] = []
    async with subscriber(broker.port, "r/#") as listening:
        report = await replay(
            [plain, packed], BrokerAddress(port=broker.port), clock=SystemClock(), on_progress=seen.append
        )
        await listening.heard(3)
    assert sorted(listening.payloads) == [b"[3]", b"text", b'{"a": 1.0}']
    assert (report.messages, report.acknowledged, report.skipped) == (3, 3, 2)
    assert [(problem.line, Path(problem.file).name) for problem in report.problems] == [
        (2, "a.ndjson"),
        (5, "a.ndjson"),
    ]
    assert seen[-1] == Progress(published=3, acknowledged=3, skipped=2, fraction=1.0)


async def test_all_real_messages_reach_the_broker(broker: Broker, lns_data: Path) -> None:
    file = lns_data / "chirpstack_v4.ndjson.gz"
    async with subscriber(broker.port, "application/#") as listening:
        report = await replay([file], BrokerAddress(port=broker.port), clock=SystemClock())
        await listening.heard(4431)
    assert (report.messages, report.acknowledged, report.skipped) == (4431, 4431, 0)
    assert len(listening.payloads) == 4431


class SleepingClock(SystemClock):
    """Time that only sleeping moves."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_the_recorded_pace_is_kept_and_times_can_be_made_recent(broker: Broker, tmp_path: Path) -> None:
    file, clock = tmp_path / "paced.ndjson", SleepingClock()
    seconds = ["00", "06", "03", "30"]  # the third came late: it does not wait, nor make others wait
    file.write_text("".join(f'{{"topic":"p/{s}","payload":{{"time":"2024-01-01T00:00:{s}Z"}}}}\n' for s in seconds))
    async with subscriber(broker.port, "p/#") as listening:
        report = await replay([file], BrokerAddress(port=broker.port), clock=clock, speed=3.0, shift_to_now=True)
        await listening.heard(4)
    assert clock.slept == pytest.approx([2.0, 8.0])
    assert report.seconds == pytest.approx(10.0)
    latest = datetime.fromisoformat(json.loads(max(listening.messages)[1])["time"])
    assert abs(datetime.now(UTC) - latest) < timedelta(minutes=1)
