import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigurationError
from simulators import mqtt_packets as mqtt
from simulators.broker import BrokerAddress
from simulators.mqtt_publisher import backoff_s


@pytest.mark.parametrize(
    ("length", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_remaining_length_is_the_specifications_table(length: int, encoded: str) -> None:
    assert mqtt.remaining_length(length).hex() == encoded


def test_a_packet_too_long_for_mqtt_is_refused() -> None:
    with pytest.raises(ValueError, match="268435456"):
        mqtt.remaining_length(268_435_456)


@given(topic=st.text(min_size=1, max_size=40), size=st.integers(0, 40_000), packet_id=st.integers(0, 65_535))
def test_publish_says_its_own_length(topic: str, size: int, packet_id: int) -> None:
    name, payload = topic.encode(), b"p" * size
    packet = mqtt.publish(name, payload, packet_id)
    body = len(name) + 2 + size + (2 if packet_id else 0)
    head = mqtt.remaining_length(body)
    assert packet[0] == (0x32 if packet_id else 0x30)
    assert packet[1 : 1 + len(head)] == head
    assert len(packet) == 1 + len(head) + body
    assert packet.endswith(payload)
    assert mqtt.duplicate(packet)[0] == packet[0] | 0x08


def test_connect_carries_user_and_password_only_when_given() -> None:
    anonymous = mqtt.connect(client_id="c", keepalive_s=30, clean_session=True, username="", password="")
    assert anonymous.hex() == "100d00044d51545404" + "02" + "001e" + "000163"
    named = mqtt.connect(client_id="c", keepalive_s=30, clean_session=False, username="u", password="p")
    assert named.hex() == "101300044d51545404" + "c0" + "001e" + "000163" + "000175" + "000170"


@given(cuts=st.lists(st.integers(0, 60), max_size=8))
def test_what_is_received_does_not_depend_on_how_it_is_cut(cuts: list[int]) -> None:
    stream = bytes.fromhex("20020000" + "40020001" * 10 + "d000" + "40020102")
    places = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
    received = mqtt.Received()
    packets = [p for a, b in itertools.pairwise(places) for p in received.feed(stream[a:b])]
    assert packets == [(0x20, b"\0\0"), *[(0x40, b"\0\1")] * 10, (0xD0, b""), (0x40, b"\1\2")]


def test_pubacks_alone_take_the_short_way() -> None:
    received = mqtt.Received()
    assert received.only_pubacks(bytes.fromhex("40020001400200ff")) == [1, 255]
    assert received.only_pubacks(bytes.fromhex("40020001d000")) is None
    assert received.only_pubacks(bytes.fromhex("4002000120020000")) is None


def test_backoff_doubles_to_a_bound_and_spreads() -> None:
    assert [backoff_s(attempt, 0.0) for attempt in (1, 2, 3, 20, 5000)] == [0.05, 0.1, 0.2, 2.5, 2.5]
    assert backoff_s(20, 0.999) < 5.0


def test_broker_url() -> None:
    address = BrokerAddress.from_url("mqtts://sam%40a:p%3Aw@broker.example")
    assert (address.host, address.port, address.username, address.password, address.tls) == (
        "broker.example", 8883, "sam@a", "p:w", True,
    )  # fmt: skip
    assert BrokerAddress.from_url("mqtt://[::1]:1884").port == 1884
    assert "p:w" not in repr(address)


@pytest.mark.parametrize(
    "url", ["localhost:1883", "http://a", "mqtt://", "mqtt://a:x", "mqtt://a/topic", "mqtt://a:99999"]
)
def test_what_is_no_broker_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        BrokerAddress.from_url(url)
