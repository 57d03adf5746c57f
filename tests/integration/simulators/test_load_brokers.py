from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web
from sim_mortal import Broker, free_port, subscriber

from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.load import ledger
from simulators.load.generate import generate
from simulators.load.http_sender import HttpSender
from simulators.load.ledger import deduplication_id
from simulators.load.run import run
from simulators.load.spec import Faults, LoadSpec
from simulators.mqtt_publisher import Publisher

FAULTS = Faults(duplicate=0.05, redeliver=0.05, new_id=0.05, reorder=0.1, truncate_payload=0.02)


async def test_what_the_ledger_says_is_what_the_broker_passed_on(broker: Broker, tmp_path: Path) -> None:
    spec = LoadSpec(devices=300, uplinks_per_device=5, speed=None, faults=FAULTS, first_dev_eui=0x025A_1100_0000_0000)
    expected = Counter((one.topic, one.payload) for one in generate(spec))
    address = BrokerAddress(port=broker.port)
    async with (
        subscriber(broker.port, "application/5a3a0a2e-0000-4000-8000-000000000010/#") as listening,
        Publisher(address, client_id="load-a") as first,
        Publisher(address, client_id="load-b") as second,
    ):
        report = await run(spec, [first, second], tmp_path / "ledger", clock=SystemClock())
        await listening.heard_all(sum(expected.values()))
    assert report.uplinks == sum(expected.values()) == first.acknowledged + second.acknowledged
    assert Counter(listening.messages) == expected
    assert len(ledger.read(tmp_path / "ledger").records) == report.uplinks


async def test_a_webhook_is_tried_until_it_accepts(tmp_path: Path) -> None:
    spec = LoadSpec(devices=20, uplinks_per_device=3, speed=None)
    seen: Counter[bytes] = Counter()
    refused = {deduplication_id(spec, one.entry).encode() for one in list(generate(spec))[:2] if one.entry}

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        seen[body] += 1
        if any(one in body for one in refused):
            return web.Response(status=400)
        return web.Response(status=204 if seen[body] > 1 else 503)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        url = f"http://127.0.0.1:{port}/hook"
        async with HttpSender(url, headers={"X-Secret": "s"}, concurrency=8, jitter=lambda: -0.999) as sender:
            report = await run(spec, [sender], tmp_path / "ledger", clock=SystemClock())
    finally:
        await runner.cleanup()
    assert (sender.acknowledged, sender.refused, sender.attempts) == (58, 2, 2 * 58 + 2)
    assert report.messages == 60
    assert sum(seen.values()) == sender.attempts


async def fail_while_sending() -> None:
    async with HttpSender(f"http://127.0.0.1:{free_port()}/", headers={}) as sender:
        await sender.publish_many([("t", b"{}")])
        raise RuntimeError("enough")


async def test_a_sender_without_a_receiver_is_stopped_by_its_owner() -> None:
    with pytest.raises(RuntimeError, match="enough"):
        await fail_while_sending()
