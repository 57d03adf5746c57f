import asyncio
from pathlib import Path

import pytest
from sim_mortal import Broker, MortalBroker, free_port, subscriber

from simulators.broker import BrokerAddress, BrokerUnreachableError
from simulators.mqtt_publisher import Publisher


@pytest.mark.parametrize("qos", [0, 1])
async def test_every_message_arrives_once_and_whole(broker: Broker, qos: int) -> None:
    sent = [b"%d " % number + b"x" * (number % 300) for number in range(3000)]
    async with subscriber(broker.port, f"whole{qos}/#") as listening:
        async with Publisher(BrokerAddress(port=broker.port), client_id=f"p{qos}", qos=qos, window=100) as publisher:
            assert await publisher.publish_many((f"whole{qos}/a", payload) for payload in sent) == 3000
            await publisher.drained()
            assert publisher.in_flight == 0
            assert publisher.acknowledged == (3000 if qos else 0)
        await listening.heard(3000)
        assert sorted(listening.payloads) == sorted(sent)


async def test_a_large_message_and_an_empty_one(broker: Broker) -> None:
    sent = [b"", b"a", b"y" * 16_377, b"z" * 900_000]
    async with subscriber(broker.port, "size/#") as listening:
        async with Publisher(BrokerAddress(port=broker.port), client_id="sizes") as publisher:
            for payload in sent:
                await publisher.publish("size/\u00e9", payload)
        await listening.heard(4)
        assert sorted(listening.payloads) == sorted(sent)


async def test_the_window_bounds_what_is_not_acknowledged(broker: Broker) -> None:
    async with Publisher(BrokerAddress(port=broker.port), client_id="window", window=10) as publisher:
        for number in range(200):
            await publisher.publish("w/1", b"%d" % number)
            assert publisher.in_flight <= 10
    assert publisher.acknowledged == 200


async def test_what_a_killed_broker_did_not_acknowledge_is_sent_again(tmp_path: Path) -> None:
    broker = MortalBroker(tmp_path)
    await broker.start()
    try:
        publisher = Publisher(BrokerAddress(port=broker.port), client_id="kill", window=50, jitter=lambda: 0.0)
        async with publisher:
            writing = asyncio.create_task(publisher.publish_many(("k/1", b"%d" % n) for n in range(20_000)))
            while publisher.acknowledged < 2000:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0)
            await broker.kill()
            while publisher.in_flight == 0 and not writing.done():  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert not writing.done()
            await broker.start()
            assert await writing == 20_000
            await publisher.drained()
        assert publisher.acknowledged == publisher.published == 20_000
        assert publisher.connections >= 2
        assert 0 < publisher.sent_again <= 50 * (publisher.connections - 1)
    finally:
        await broker.kill()


async def test_no_broker_is_said_at_once() -> None:
    with pytest.raises(BrokerUnreachableError, match="127"):
        async with Publisher(BrokerAddress(port=free_port()), client_id="none"):
            pass
