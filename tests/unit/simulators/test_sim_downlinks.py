"""The demonstration's sensors do as they are told: enqueued over gRPC, sent, acknowledged, and obeyed."""

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any

import grpc
import pytest
from chirpstack_api.api import device_pb2 as api
from chirpstack_api.api.device_pb2_grpc import DeviceServiceStub
from test_sim_demo import END, SCENARIO, Recorder, TestClock

from simulators import chirpstack
from simulators.chirpstack import Item
from simulators.demo import scenario as demo
from simulators.demo.box import box, live
from simulators.network_server import Network
from simulators.payloads.told import period_s

TOKEN = "of the tests"
DEVICE = next(one for one in demo.devices(SCENARIO) if one.model == "dragino-lse01")


@pytest.mark.parametrize(
    ("model", "payload", "seconds"),
    [
        ("dragino-lse01", "0100003c", 60),
        ("elsys-ers-co2", "3e0b14000002581f00000001fe", 600),
        ("milesight-ws523", "ff035802", 600),
        ("milesight-ws523", "ff10ff", None),
        ("elsys-ers-co2", "3e01fe", None),
        ("dragino-lse01", "", None),
        ("axioma-w1", "0100003c", None),
    ],
)
def test_a_sensor_understands_its_period(model: str, payload: str, seconds: int | None) -> None:
    assert period_s(model, bytes.fromhex(payload)) == seconds


async def test_a_sensor_that_is_told_a_period_acknowledges_and_keeps_it() -> None:
    network = Network([chirpstack.Device(dev_eui=DEVICE.dev_eui, name=DEVICE.name, profile=DEVICE.profile)])
    async with network.serving(TOKEN) as address, grpc.aio.insecure_channel(address.removeprefix("http://")) as channel:
        stub, let_in = DeviceServiceStub(channel), (("authorization", f"Bearer {TOKEN}"),)
        item = api.DeviceQueueItem(dev_eui=DEVICE.dev_eui, f_port=2, data=b"\x01\x00\x00\x1e", confirmed=True)
        request = api.EnqueueDeviceQueueItemRequest(queue_item=item)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Enqueue(request)
        made = (await stub.Enqueue(request, metadata=let_in)).id
        asked = api.GetDeviceQueueItemsRequest(dev_eui=DEVICE.dev_eui)
        assert [one.id for one in (await stub.GetQueue(asked, metadata=let_in)).result] == [made]
        stop = asyncio.Event()
        clock = TestClock(stop, 600)
        recorder = Recorder(clock)
        await demo.run(recorder, SCENARIO, clock, stop, network)
        assert not (await stub.GetQueue(asked, metadata=let_in)).result
    told: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for when, topic, message in recorder.sent:
        if DEVICE.dev_eui in topic:
            told.setdefault(topic.rpartition("/")[2], []).append((when, message))
    (sent,), (acknowledged,) = told["txack"], told["ack"]
    assert sent[1]["queueItemId"] == acknowledged[1]["queueItemId"] == made
    assert 5 <= acknowledged[0] - sent[0] <= 8
    since = [(when, message["fCnt"]) for when, message in told["up"] if when >= sent[0]]
    assert len(since) > 10
    assert all(29 <= later - before <= 32 for (before, _), (later, _) in pairwise(since))
    assert [f_cnt for _, f_cnt in since] == list(range(since[0][1], since[0][1] + len(since)))
    assert network.leaving(DEVICE.dev_eui, END) is None


class Waiting:
    """One downlink that waits."""

    def __init__(self, item: Item) -> None:
        self.items = [item]

    def leaving(self, dev_eui: str, now: datetime) -> Item | None:
        del dev_eui, now
        return self.items.pop() if self.items else None


async def test_what_waits_in_the_box_does_as_it_is_told_too() -> None:
    boxed = next(one for one in box() if one.model == "dragino-lse01")
    stop = asyncio.Event()
    clock = TestClock(stop, 300)
    recorder = Recorder(clock)
    queues = Waiting(Item("one", 2, b"\x01\x00\x00\x1e", confirmed=True))
    where = SCENARIO.gateways[0].position
    await live(recorder, SCENARIO, boxed, lambda: where, clock=clock, stop=stop, queues=queues)
    events = [(when, topic.rpartition("/")[2]) for when, topic, _ in recorder.sent]
    assert [kind for _, kind in events[:4]] == ["join", "up", "txack", "ack"]
    sent = [when for when, kind in events if kind == "up"]
    assert {round(later - before) for before, later in pairwise(sent)} == {30}
