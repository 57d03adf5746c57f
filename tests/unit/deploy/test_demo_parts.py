import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy import demo_past, demo_state, demo_territory
from deploy.demo_state import DemoState
from simulators.demo.scenario import Scenario, devices

NOW = datetime(2026, 7, 1, tzinfo=UTC)
SCENARIO = Scenario(story=NOW, memory=timedelta(days=1))


def test_what_is_remembered_is_read_back(tmp_path: Path) -> None:
    state = DemoState(story=NOW, begin=NOW, history_until=NOW, captures_at=NOW, captures_done=True)
    demo_state.save(tmp_path / "demo.json", state)
    assert demo_state.load(tmp_path / "demo.json") == state
    demo_state.save(tmp_path / "demo.json", DemoState())
    assert demo_state.load(tmp_path / "demo.json") == DemoState()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"history_until": "2026-07-01T00:00:00", "captures_at": null, "captures_done": 1}']
)
def test_what_cannot_be_read_is_the_beginning(tmp_path: Path, text: str) -> None:
    (tmp_path / "demo.json").write_text(text, encoding="utf-8")
    assert demo_state.load(tmp_path / "demo.json") == DemoState()
    assert demo_state.load(tmp_path / "none.json") == DemoState()


def test_the_past_is_made_by_days_the_last_month_first() -> None:
    start = NOW - timedelta(days=40, hours=5)
    days = list(demo_past.days(start, NOW))
    assert days[0] == (NOW - timedelta(days=31), NOW - timedelta(days=30))
    assert days[30:32] == [(NOW - timedelta(days=1), NOW), (start, start + timedelta(days=1))]
    assert days[-1] == (start + timedelta(days=9), NOW - timedelta(days=31))
    assert sum((last - first for first, last in days), timedelta()) == NOW - start
    assert list(demo_past.days(NOW - timedelta(hours=1), NOW)) == [(NOW - timedelta(hours=1), NOW)]
    assert list(demo_past.days(NOW, NOW)) == []


def test_every_simulated_device_belongs_to_a_tenant_that_is_declared_after_its_parent() -> None:
    listed = demo_territory.simulated(SCENARIO)
    assert len(listed) == len(devices(SCENARIO))
    for with_captures in (False, True):
        tenants = demo_territory.tenants(with_captures=with_captures)
        assert {device.tenant for device in listed} <= {tenant.slug for tenant in tenants}
        known: set[str | None] = {None}
        for tenant in tenants:
            assert (tenant.parent or None) in known
            known.add(tenant.slug)


def test_captured_devices_are_told_by_their_messages(tmp_path: Path) -> None:
    def line(topic: str, eui: str, application: str) -> str:
        info = {
            "devEui": eui,
            "deviceName": f"n{eui[-1]}",
            "deviceProfileName": "LSE01",
            "applicationName": application,
        }
        return json.dumps({"topic": topic, "payload": {"deviceInfo": info}}) + "\n"

    file = tmp_path / "chirpstack_v4.ndjson.gz"
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.write(line("application/a/device/1/event/up", "70b3d5e75e000001", "A"))
        out.write(line("application/a/device/1/event/up", "70B3D5E75E000001", "A"))
        out.write(line("application/b/device/2/event/up", "70b3d5e75e000002", "B"))
        out.write(line("application/b/device/3/event/log", "70b3d5e75e000003", "B"))
        out.write(line("application/b/device/4/event/up", "not one", "B"))
        out.write('{"topic": "application/b/device/5/event/up", "payload": {}}\n')
    first, second = demo_territory.captured([file])
    assert (first.dev_eui, first.name, first.model, first.point) == ("70b3d5e75e000001", "n1", "LSE01", "n1")
    assert first.tenant != second.tenant
    assert {first.tenant, second.tenant} <= {tenant.slug for tenant in demo_territory.tenants(with_captures=True)}
