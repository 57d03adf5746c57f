"""Hearing a network server over Mosquitto: messages, back-pressure, and the broker's death."""

import signal

import pytest
from ingest_broker import PROTOCOLS, Inbox, Mosquitto, has_logged, receiving, subscribed
from ingest_support import source, until
from structlog.testing import capture_logs


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [str(number).encode() for number in range(start, start + count)]


# --- messages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_messages_arrive_in_order_and_are_acknowledged_in_order(broker: Mosquitto, protocol: str) -> None:
    inbox = Inbox(acknowledges=False)
    async with receiving(source(broker, protocol=protocol, client_id="me"), inbox):
        await broker.publish("t/é", numbered(15))
        await inbox.has(15)
        assert inbox.bodies == numbered(15)
        assert {message.topic for message in inbox.messages} == {"t/é"}
        assert {message.origin.source for message in inbox.messages} == {"chirpstack"}
        for count in (1, 4, 10):
            inbox.acknowledge(count)
        await broker.says(r"Received PUBACK from me", 15)
    sent = broker.said(r"Sending PUBLISH to me \(d0, q1, r0, m(\d+)")
    assert broker.said(r"Received PUBACK from me \(Mid: (\d+), RC:0\)") == sent
    await broker.says(r"Received DISCONNECT from me")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_qos_0_needs_no_acknowledgement(broker: Mosquitto, protocol: str) -> None:
    inbox = Inbox()
    async with receiving(source(broker, protocol=protocol, client_id="me"), inbox):
        await broker.publish("t", numbered(5), qos=0)
        await broker.publish("t", [b"last"])
        await inbox.has(6)
        await broker.says("Received PUBACK from me")
    assert len(broker.said("Received PUBACK from me")) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_is_published_while_we_are_away_and_what_was_not_acknowledged_arrives(
    broker: Mosquitto, protocol: str
) -> None:
    me = source(broker, protocol=protocol, client_id="me")
    first, second, third = Inbox(acknowledges=False), Inbox(), Inbox()
    async with receiving(me, first):
        await broker.publish("t", numbered(10))
        await first.has(10)
        first.acknowledge(4)
        await broker.says("Received PUBACK from me", 4)
    await broker.publish("t", numbered(100, start=10))
    async with receiving(me, second):
        await second.has(106)
        assert second.bodies == numbered(106, start=4)
        await broker.says("Received PUBACK from me", 110)
    async with receiving(me, third):
        await broker.publish("t", [b"next"])
        await third.has(1)
        assert third.bodies == [b"next"]


async def test_receive_maximum_bounds_what_the_broker_sends(broker: Mosquitto) -> None:
    inbox = Inbox(acknowledges=False)
    async with receiving(source(broker, protocol="5", client_id="me"), inbox, max_unacknowledged=7):
        await broker.publish("t", numbered(30))  # returns when the broker has dealt with all of them
        await inbox.has(7)
        assert len(broker.said("Sending PUBLISH to me")) == 7
        inbox.acknowledges = True
        inbox.acknowledge()
        await inbox.has(30)
        assert inbox.bodies == numbered(30)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_shared_subscription_divides_the_messages(broker: Mosquitto, protocol: str) -> None:
    one, two = Inbox(), Inbox()
    shared = {"protocol": protocol, "shared_group": "ingest"}
    async with receiving(source(broker, **shared), one), receiving(source(broker, **shared), two):
        await broker.publish("t/x", numbered(100))

        async def all_came() -> bool:
            return len(one.messages) + len(two.messages) >= 100

        await until(all_came)
    assert sorted(one.bodies + two.bodies) == sorted(numbered(100))
    assert min(len(one.messages), len(two.messages)) >= 20


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_message_too_large_is_cut_between_two_good_ones(broker: Mosquitto, protocol: str) -> None:
    inbox = Inbox()
    async with receiving(source(broker, protocol=protocol, client_id="me"), inbox, max_message_bytes=100_000):
        await broker.publish("t", [b"before", b"x" * 10_000_000, b"y" * 100_000, b"z" * 100_001, b"after"])
        await inbox.has(5)
        await broker.says("Received PUBACK from me", 5)
    sizes = [(len(message.body), message.size) for message in inbox.messages]
    assert sizes == [(6, 6), (4096, 10_000_000), (100_000, 100_000), (4096, 100_001), (5, 5)]


# --- back-pressure -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_reading_pauses_when_full_and_goes_on(broker: Mosquitto, protocol: str) -> None:
    inbox = Inbox(bound=50, acknowledges=False)
    async with receiving(source(broker, protocol=protocol, client_id="me"), inbox, max_unacknowledged=50) as receiver:
        await broker.publish("t", (bytes(20_000) for _ in range(400)))
        for done in range(0, 400, 20):
            await inbox.has(done + 1)
            inbox.acknowledge(20)
        await inbox.has(400)
        assert receiver.is_subscribed
    assert len(inbox.messages) == 400
    assert inbox.most_held <= 50 + 2 * 256 * 1024 // 20_000  # what one recv() brings, and its neighbour


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_backlog_larger_than_our_bounds_comes_before_the_subscription(broker: Mosquitto, protocol: str) -> None:
    """The broker answers SUBSCRIBE after what it has queued, and what it has queued fills us."""
    me = source(broker, protocol=protocol, client_id="me")
    async with receiving(me, Inbox()):
        pass
    await broker.publish("t", (bytes(10_000) for _ in range(500)))
    inbox = Inbox(bound=10, acknowledges=False)
    async with receiving(me, inbox, wait=False) as receiver:
        while len(inbox.messages) < 500:
            await inbox.has(len(inbox.messages) - len(inbox.held) + 1)
            inbox.acknowledge()
        inbox.acknowledge()
        await subscribed(receiver)
    assert len(inbox.messages) == 500
    assert len(broker.said("New client connected .* as (me)")) == 2


async def test_who_is_full_at_the_start_takes_nothing_and_is_not_disconnected(broker: Mosquitto) -> None:
    inbox = Inbox(bound=0)
    async with receiving(source(broker, client_id="me"), inbox, wait=False) as receiver:
        await broker.says("Sending CONNACK to me")
        await broker.publish("t", [b"1"])
        assert not receiver.is_subscribed
        inbox.bound = 10
        inbox._on_room[0]()
        await subscribed(receiver)
        await broker.publish("t", [b"2"])
        await inbox.has(1)
        assert inbox.bodies == [b"2"]


async def test_a_long_pause_keeps_the_session(broker: Mosquitto) -> None:
    inbox = Inbox(bound=10, acknowledges=False)
    me = source(broker, client_id="me", keepalive_s=1)
    async with receiving(me, inbox) as receiver:
        await broker.publish("t", (bytes(100_000) for _ in range(200)))
        await inbox.has(10)
        await broker.says("Received PINGREQ from me", len(broker.said("Received PINGREQ from me")) + 4)
        inbox.acknowledges = True
        inbox.acknowledge()
        await inbox.has(200)
        await broker.says("Received PUBACK from me", 200)
        assert receiver.is_subscribed
    assert len(broker.said("New client connected .* as (me)")) == 1


# --- the broker dies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_killed_broker_is_found_again_each_time(broker: Mosquitto, protocol: str) -> None:
    inbox = Inbox()

    async def is_lost() -> bool:
        return not receiver.is_subscribed

    async with receiving(source(broker, protocol=protocol), inbox) as receiver:
        for times in (1, 2):
            broker.kill()
            await until(is_lost)
            await broker.start()
            await subscribed(receiver)
            await broker.publish("t", [b"again"])
            await inbox.has(times)
    assert inbox.bodies == [b"again"] * 2


async def test_a_broker_that_falls_silent_is_left(broker: Mosquitto) -> None:
    """As when a router forgets the connection: no end is heard, nor anything else."""
    inbox = Inbox()

    async def is_lost() -> bool:
        return not receiver.is_subscribed

    async with receiving(source(broker, keepalive_s=1), inbox) as receiver:
        with capture_logs() as logs:
            broker.send(signal.SIGSTOP)
            await until(is_lost)
            broker.send(signal.SIGCONT)
            await has_logged(logs, "broker_lost", 1)
        assert "silent" in logs[0]["detail"]
        await subscribed(receiver)
        await broker.publish("t", [b"again"])
        await inbox.has(1)
