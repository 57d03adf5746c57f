import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from domain import labels
from domain.events import Position
from domain.quantities import QUANTITIES
from simulators.demo import box
from simulators.demo import scenario as demo
from simulators.demo.places import COMMUNES
from simulators.demo.scenario import Scenario

END = datetime(2026, 3, 10, 12, 7, tzinfo=UTC)
SCENARIO = Scenario(story=END, memory=timedelta(days=8))
DEAD = SCENARIO.gateways[4]
HEARD = [
    device.dev_eui
    for device in demo.devices(SCENARIO)
    if device.every <= 16 and {gateway for _, gateway in SCENARIO.reaches[device.dev_eui].gateways} != {DEAD}
]


class TestClock:
    """A clock that sleeping moves, and that stops the run at its end."""

    __test__ = False

    def __init__(self, stop: asyncio.Event, seconds: float) -> None:
        self.elapsed = 0.0
        self._stop = stop
        self._end = seconds

    def now(self) -> datetime:
        return END + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += max(0.0, seconds)
        if self.elapsed >= self._end:
            self._stop.set()


class Recorder:
    def __init__(self, clock: TestClock) -> None:
        self.sent: list[tuple[float, str, dict[str, Any]]] = []
        self._clock = clock

    async def publish(self, topic: str, payload: bytes) -> None:
        self.sent.append((self._clock.elapsed, topic, json.loads(payload)))


async def live(seconds: float) -> list[tuple[float, str, dict[str, Any]]]:
    stop = asyncio.Event()
    clock = TestClock(stop, seconds)
    recorder = Recorder(clock)
    sent = await demo.run(recorder, SCENARIO, clock, stop)
    assert sent == len(recorder.sent)
    return recorder.sent


async def test_a_value_moves_at_least_every_two_seconds() -> None:
    last: dict[str, str] = {}
    moves = [0.0]
    for when, topic, message in await live(600):
        if topic.endswith("/up") and last.get(topic) != message["data"]:
            last[topic] = message["data"]
            moves.append(when)
    assert len(last) >= len(HEARD)
    assert max(after - before for before, after in pairwise([*moves, 600.0])) <= 2.0


async def test_frame_counters_have_no_gap_and_devices_join_first() -> None:
    messages = await live(120)
    joined = [topic.split("/")[3] for _, topic, _ in messages if topic.endswith("/join")]
    assert joined == HEARD
    counters: dict[str, list[int]] = {}
    for _, topic, message in messages:
        if topic.endswith("/up"):
            counters.setdefault(topic, []).append(message["fCnt"])
    assert all(values == list(range(values[0], values[0] + len(values))) for values in counters.values())
    assert sum(topic.endswith("/event/stats") for _, topic, _ in messages) >= (len(SCENARIO.gateways) - 1) * 4


def test_history_repeats_itself_and_fills_the_charts() -> None:
    three_days = list(demo.history(SCENARIO, END - timedelta(days=3), END))
    last_day = list(demo.history(SCENARIO, END - timedelta(days=1), END))
    assert set(last_day) <= set(three_days)
    assert len(set(three_days)) == len(three_days)
    ups = [json.loads(payload) for topic, payload in three_days if topic.endswith("/up")]
    expected = 3 * sum(96 / device.every for device in demo.devices(SCENARIO))
    assert 0.95 * expected < len(ups) < expected  # the antenna that died alone heard some
    times = [datetime.fromisoformat(message["time"]) for message in ups]
    assert times == sorted(times)
    assert END - timedelta(days=3) <= times[0] < times[-1] < END


def test_messages_have_the_fields_that_chirpstack_emits() -> None:
    for topic, payload in demo.history(SCENARIO, END - timedelta(hours=1), END):
        message = json.loads(payload)
        if not topic.endswith("/up"):
            continue
        info = message["deviceInfo"]
        assert topic == f"application/{info['applicationId']}/device/{info['devEui']}/event/up"
        assert list(message)[:10] == [
            "deduplicationId", "time", "deviceInfo", "devAddr", "adr", "dr", "fCnt", "fPort", "confirmed", "data",
        ]  # fmt: skip
        assert info["tags"] == {}
        assert 1 <= len(message["rxInfo"]) <= 6
        assert all(0 not in heard.values() for heard in message["rxInfo"])
        assert 1 <= len(base64.b64decode(message["data"])) <= 51


def test_devices_are_declared_in_the_vocabulary() -> None:
    devices = demo.devices(SCENARIO)
    assert len({device.dev_eui for device in devices}) == len({(d.site, d.point) for d in devices}) == len(devices)
    assert {device.quantity for device in devices} <= QUANTITIES.keys()
    assert {device.site.insee for device in devices} == set(COMMUNES)


def index_wh(payload: bytes) -> int:
    return int.from_bytes(payload[2:6])


def told(quantity: str, start: datetime, end: datetime) -> dict[str, list[tuple[datetime, bytes]]]:
    """Return what each device that shows a quantity first sent, by its site."""
    sites = {one.dev_eui: one.site.name + one.site.insee for one in demo.devices(SCENARIO) if one.quantity == quantity}
    found: dict[str, list[tuple[datetime, bytes]]] = {}
    for topic, payload in demo.history(SCENARIO, start, end):
        if topic.endswith("/up") and (site := sites.get(topic.split("/")[3])):
            message = json.loads(payload)
            found.setdefault(site, []).append(
                (datetime.fromisoformat(message["time"]), base64.b64decode(message["data"]))
            )
    return found


def test_meters_tell_each_hour_once_and_never_go_back() -> None:
    meters = told("active_energy_import", END - timedelta(days=4), END)
    for messages in meters.values():
        for (before, one), (after, other) in pairwise([message for message in messages if message[1][0] == 0x69]):
            if after - before == timedelta(hours=12):  # none was lost between
                growths = [int.from_bytes(other[place : place + 2]) for place in range(6, len(other), 2)]
                assert len(growths) == 12
                assert index_wh(one) + sum(growths) == index_wh(other)
                assert sum(growths) > 0


def test_what_goes_wrong_is_there_to_be_found() -> None:
    night = datetime(2026, 3, 9, 4, tzinfo=UTC)
    at_night = {
        site: int.from_bytes(payload[5:9], "little") - int.from_bytes(payload[13:17], "little")
        for site, messages in told("water_volume", night - timedelta(hours=8), night + timedelta(hours=8)).items()
        for _, payload in messages[:1]
    }
    assert at_night["École du Centre80212"] > 12 * 60
    rooms = told("co2", END - timedelta(days=3), END)
    worst = {site: max(int.from_bytes(payload[9:11]) for _, payload in messages) for site, messages in rooms.items()}
    assert max(worst, key=worst.__getitem__) == "École de la Gare80016"
    assert worst["École de la Gare80016"] > 1700
    frozen = told("temperature", END - timedelta(days=2), END)["Gymnase80799"]
    assert len({payload[3:5] for _, payload in frozen}) == 1
    dead = DEAD.gateway_id
    later = [topic for topic, _ in demo.history(SCENARIO, END - timedelta(hours=18), END)]
    assert not any(dead in topic for topic in later)
    assert any(dead in topic for topic, _ in demo.history(SCENARIO, END - timedelta(days=2), END - timedelta(days=1)))


async def put(boxed: box.Boxed, position: Position, seconds: float) -> list[tuple[float, str, dict[str, Any]]]:
    stop = asyncio.Event()
    clock = TestClock(stop, seconds)
    recorder = Recorder(clock)
    await box.live(recorder, SCENARIO, boxed, lambda: position, clock=clock, stop=stop)
    return recorder.sent


async def test_a_sensor_of_the_box_joins_and_sends_from_where_it_was_put() -> None:
    first, *_ = box.box()
    near = SCENARIO.gateways[0].position
    sent = await put(first, near, 150)
    assert [(when, topic.rsplit("/", 1)[1]) for when, topic, _ in sent] == [
        (box.JOINS_AFTER_S, "join"),
        *((box.JOINS_AFTER_S + box.SENDS_AFTER_S + number * box.PERIOD_S, "up") for number in range(3)),
    ]
    assert [message["fCnt"] for _, _, message in sent[1:]] == [0, 1, 2]
    far = Position(near.latitude_deg + 0.25, near.longitude_deg, 60.0)  # 28 km
    weak = await put(first, far, 20)
    best = [max(heard["snr"] for heard in messages[1][2]["rxInfo"]) for messages in (sent, weak)]
    assert best[1] < -10 < best[0]


def test_each_sensor_of_the_box_has_a_label_of_its_own_that_can_be_read() -> None:
    waiting = box.box()
    assert len({one.code for one in waiting}) == len(waiting)
    for one in waiting:
        label = labels.read(one.code)
        assert (label.form, label.dev_eui, label.serial) == ("tr005", one.dev_eui, one.serial)
        assert one.dev_eui not in {device.dev_eui for device in demo.devices(SCENARIO)}
