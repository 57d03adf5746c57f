"""Holes filled from The Things Stack's storage integration, as documented, in good days and in bad."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_support import declare
from pydantic import SecretStr
from repair_storage import APPLICATION, KEY, Storage, serving
from repair_world import clock, count, store_all, tables, week_of

from domain.errors import ConfigurationError
from ingest.repair.opening import open_archive
from ingest.repair.run import Repair, Report, Source, Span
from ingest.settings import RepairSettings

START = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = Span(START - timedelta(days=1), START + timedelta(days=1))
TTN = Source("ttn", "thethingsstack")


class Waits:
    """Stands for asyncio.sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def nanoseconds(at: datetime, more: int = 123) -> str:
    return f"{at.isoformat(timespec='microseconds').removesuffix('+00:00')}{more:03d}Z"


def up(number: int, f_cnt: int, minute: float, **changes: Any) -> dict[str, Any]:
    at = START + timedelta(minutes=minute)
    uplink: dict[str, Any] = {
        "session_key_id": "AXPoziFRvbcEguvZQoCCZw==",
        "f_port": 2,
        "f_cnt": f_cnt,
        "frm_payload": "AQI=",
        "rx_metadata": [{"gateway_ids": {"gateway_id": "gw-1", "eui": "0016C001F153A14C"}, "rssi": -80, "snr": 7.5}],
        "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}}, "frequency": "868100000"},
        "received_at": nanoseconds(at),
    }
    if not f_cnt:
        del uplink["f_cnt"]
    return {
        "end_device_ids": {
            "device_id": f"sonde-{number}",
            "application_ids": {"application_id": APPLICATION},
            "dev_eui": f"{number:016X}",
            "dev_addr": f"{number:08X}",
        },
        "correlation_ids": ["as:up:01H"],
        "received_at": nanoseconds(at + timedelta(milliseconds=213)),
        "uplink_message": uplink | changes,
    }


def said(ups: Sequence[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"v3/{APPLICATION}@ttn/devices/{one['end_device_ids']['device_id']}/up", one) for one in ups]


async def heard(database: str, ups: Sequence[dict[str, Any]], kept: Callable[[int], bool]) -> None:
    await declare(database, {one["end_device_ids"]["dev_eui"].lower(): None for one in ups})
    await store_all(database, "ttn", "thethingsstack", said([one for at, one in enumerate(ups) if kept(at)]))


async def mend(
    database: str, storage: Storage, span: Span = SPAN, *, apply: bool = True, waits: Waits | None = None, **given: str
) -> Report:
    values = {"url": storage.url, "application": f"{APPLICATION}@ttn", "api_key": KEY} | given
    settings = RepairSettings(kind="things-stack", **values | {"api_key": SecretStr(values["api_key"])})
    async with open_archive(settings, clock=clock, sleep=waits or Waits(), max_message_bytes=4096) as archive:
        return await Repair(database, TTN, archive, clock=clock, apply=apply).run(span)


@pytest.mark.parametrize("may_list", [True, False])
async def test_a_capture_with_holes_is_made_whole(
    any_database: str,
    fresh: Any,
    plain_template: str,
    lns_data: Path,
    may_list: bool,  # noqa: FBT001
) -> None:
    text = (lns_data / "thethingsstack_v3.ndjson").read_text("utf-8")
    capture = [json.loads(line) for line in text.splitlines()]
    ups = [one["payload"] for one in capture]
    for one in ups:
        one["end_device_ids"]["application_ids"]["application_id"] = APPLICATION
    holes = {
        at
        for at, one in enumerate(ups)
        if at % 3 == 0 and _counter_at(ups, at, -1) < _counter(one) < _counter_at(ups, at, 1)
    }
    assert len(holes) > 20
    await heard(any_database, ups, lambda at: at not in holes)
    span = Span(*week_of(datetime.fromisoformat(one["received_at"]) for one in ups))
    async with serving(Storage(ups, may_list=may_list)) as storage:
        seen = await mend(any_database, storage, span, apply=False)
        done = await mend(any_database, storage, span)
        again = await mend(any_database, storage, span)
    assert (seen.found, seen.stored, seen.left) == (len(holes), 0, seen.lost)
    assert (done.found, done.stored, done.left) == (len(holes), len(holes), done.lost - len(holes))
    assert (again.found, again.stored, again.unreadable) == (0, 0, 0)
    async with fresh(plain_template) as whole:
        await heard(whole, ups, lambda _at: True)
        assert await tables(any_database) == await tables(whole)


def _counter(one: dict[str, Any]) -> int:
    return int(one["uplink_message"].get("f_cnt", 0))


def _counter_at(ups: Sequence[dict[str, Any]], at: int, step: int) -> float:
    """The counter of the session's frame before or after; what makes a hole impossible where there is none."""
    mine = ups[at]["end_device_ids"]
    beside = ups[at + step :: step] if at + step >= 0 else []
    return next((_counter(one) for one in beside if one["end_device_ids"] == mine), float("nan"))


async def test_each_device_is_asked_for_by_its_name_there(database: str) -> None:
    ups = [up(number, f_cnt, 10 * f_cnt) for number in (1, 2) for f_cnt in range(6)]
    await heard(database, ups, lambda at: at not in {2, 3})
    async with serving(Storage(ups)) as storage:
        report = await mend(database, storage)
    assert (report.lost, report.found, report.stored, report.left, report.unreadable) == (2, 2, 2, 0, 0)
    paths = [path for path, _ in storage.asked]
    assert paths == [
        f"/api/v3/applications/{APPLICATION}/devices",
        f"/api/v3/applications/{APPLICATION}/devices",
        f"/api/v3/as/applications/{APPLICATION}/devices/sonde-1/packages/storage/uplink_message",
    ]
    query = storage.asked[-1][1]
    assert query == {
        "after": "2026-03-01T00:09:00.000123Z".replace("000123", "000000"),
        "before": "2026-03-01T00:45:00.000000Z",
        "order": "received_at",
        "limit": "1000",
    }


async def test_an_outage_of_the_whole_network_is_asked_for_at_once_page_by_page(database: str) -> None:
    ups = [up(number, f_cnt, f_cnt / 4 + number / 1000) for number in range(1, 31) for f_cnt in range(100)]
    await heard(database, ups, lambda at: at % 100 in {0, 99})
    async with serving(Storage(ups)) as storage:
        report = await mend(database, storage)
    assert (report.found, report.stored, report.left) == (98 * 30, 98 * 30, 0)
    assert {path.rpartition("/applications/")[2] for path, _ in storage.asked} == {
        f"{APPLICATION}/packages/storage/uplink_message"
    }
    assert len(storage.asked) == 4


async def test_the_server_is_given_the_time_it_asks_for(database: str) -> None:
    ups = [up(1, f_cnt, 10 * f_cnt) for f_cnt in range(6)]
    await heard(database, ups, lambda at: at in {0, 5})
    waits = Waits()
    async with serving(Storage(ups)) as storage:
        storage.faults = ["429", "503", "500", "502"]
        report = await mend(database, storage, waits=waits)
    assert waits.seconds == [6, 9, 5.0, 15.0]
    assert (report.stored, report.left, report.stopped) == (4, 0, "")


@pytest.mark.parametrize("fault", ["cut", "short", "error"])
async def test_a_stream_that_breaks_goes_on_where_it_broke(database: str, fault: str) -> None:
    ups = [up(1, f_cnt, f_cnt) for f_cnt in range(200)]
    await heard(database, ups, lambda at: at in {0, 199})
    waits = Waits()
    async with serving(Storage(ups)) as storage:
        storage.faults = [fault] * 5
        report = await mend(database, storage, waits=waits)
    assert (report.found, report.stored, report.unreadable, report.left) == (198, 198, 0, 0)
    assert waits.seconds == [1.0] * 5
    asked = [query["after"] for _, query in storage.asked if "after" in query]
    assert asked == sorted(asked)
    assert len(set(asked)) >= 5


async def test_a_server_that_stays_away_stops_the_repair_and_what_came_is_kept(database: str) -> None:
    ups = [up(1, f_cnt, f_cnt) for f_cnt in range(200)]
    await heard(database, ups, lambda at: at in {0, 199})
    async with serving(Storage(ups)) as storage:
        storage.faults = ["cut", *["503"] * 20]
        report = await mend(database, storage)
        assert "HTTP 503 unavailable" in report.stopped
        assert 90 <= report.stored < 198
        assert report.left == 198 - report.stored
        storage.faults.clear()
        rest = await mend(database, storage)
    assert (rest.lost, rest.stored, rest.left, rest.stopped) == (report.left, report.left, 0, "")


async def test_nobody_at_the_address_stops_the_repair(database: str) -> None:
    ups = [up(1, f_cnt, f_cnt) for f_cnt in range(4)]
    await heard(database, ups, lambda at: at in {0, 3})
    waits = Waits()
    report = await mend(database, Storage([]), waits=waits, url="http://127.0.0.1:1")
    assert "The Things Stack: " in report.stopped
    assert waits.seconds == [1.0, 2.0, 5.0, 15.0, 30.0, 60.0]


@pytest.mark.parametrize(
    ("given", "said_of_it"),
    [
        ({"api_key": "NNSXS.wrong"}, "refuses the API key .*invalid_token"),
        ({"application": "others"}, "no storage of application 'others': HTTP 404 application not found"),
    ],
)
async def test_what_is_wrong_with_the_settings_is_said(database: str, given: dict[str, str], said_of_it: str) -> None:
    ups = [up(1, f_cnt, f_cnt) for f_cnt in range(4)]
    await heard(database, ups, lambda at: at in {0, 3})
    async with serving(Storage(ups)) as storage:
        with pytest.raises(ConfigurationError, match=said_of_it) as caught:
            await mend(database, storage, **given)
    assert "NNSXS" not in str(caught.value)
    assert await count(database, "uplinks") == 2


async def test_poison_is_set_aside_and_the_rest_is_stored(database: str) -> None:
    ups = [up(1, f_cnt, f_cnt) for f_cnt in range(20)]
    await heard(database, ups, lambda at: at in {0, 19})
    ups[3]["end_device_ids"]["dev_addr"] = "nonsense"
    ups[5]["uplink_message"]["frm_payload"] = "?"
    ups[7]["simulated"] = True  # said by no sensor: neither stored nor set aside
    ups[9]["uplink_message"]["decoded_payload"] = {"long": "x" * 5000}
    storage = Storage(ups)
    storage.raw = [b'{"result":{"end_device_ids":3}}', b"not JSON", b'{"result":[]}']
    async with serving(storage):
        report = await mend(database, storage)
    assert (report.lost, report.found, report.stored, report.left) == (18, 14, 14, 4)
    assert report.unreadable == 6
    assert await count(database, "quarantine") == 6
    assert await count(database, "quarantine WHERE reason = 'too_large'") == 1


async def test_others_uplinks_are_read_over(database: str) -> None:
    ups = [up(number, f_cnt, f_cnt) for number in (1, 2) for f_cnt in range(20)]
    await heard(database, ups[:20], lambda at: at in {0, 19})
    async with serving(Storage(ups, may_list=False)) as storage:
        report = await mend(database, storage)
    assert (report.stored, report.left) == (18, 0)
    assert await count(database, "uplinks") == 20
    assert await count(database, "quarantine") == 0


async def test_a_frame_that_no_gap_tells_of_is_left_alone(database: str) -> None:
    ups = [up(number, f_cnt, 10 * f_cnt) for number in (1, 2) for f_cnt in range(20)]
    # Device 1 misses 2, and all after 9, which is not known yet; device 2 misses 15.
    await heard(database, ups, lambda at: at in {0, 1, *range(3, 10), *range(20, 35), *range(36, 40)})
    async with serving(Storage(ups, may_list=False)) as storage:
        report = await mend(database, storage)
    assert (report.lost, report.found, report.stored, report.left) == (2, 2, 2, 0)
    assert await count(database, "uplinks") == 30


async def test_a_device_of_another_application_is_not_asked_for(database: str) -> None:
    ups = [up(1, f_cnt, f_cnt) for f_cnt in range(4)]
    await heard(database, ups, lambda at: at in {0, 3})
    async with serving(Storage([up(2, 1, 0)])) as storage:
        report = await mend(database, storage)
    assert (report.lost, report.found, report.left) == (2, 0, 2)
    assert all("packages" not in path for path, _ in storage.asked)
