"""PacketReader against a slow reference that sees the whole stream at once, however the stream is cut."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.wire import PacketReader, Publish, WireError, puback

KEPT = 4096
MAX_TOPIC = 65_535
PROTOCOLS = ["3.1.1", "5"]
BUFFER = 2 * (MAX_TOPIC + KEPT + 64)  # the least that a reader takes


class Sent(NamedTuple):
    """A packet to send. `publish` is what must come of it, None when it is paho's."""

    data: bytes
    publish: Publish | None


def length_of(value: int) -> bytes:
    digits = bytearray()
    while True:
        value, digit = divmod(value, 128)
        digits.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(digits)


def publish(
    *, topic: str, payload: bytes, packet_id: int, flags: int = 0, properties: bytes | None = None, limit: int
) -> Sent:
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name
    if packet_id:
        body += packet_id.to_bytes(2, "big")
    if properties is not None:
        body += length_of(len(properties)) + properties
    body += payload
    first = 0x30 | flags | (0x02 if packet_id else 0)
    kept = payload if len(payload) <= limit else payload[: min(KEPT, limit)]
    return Sent(bytes([first]) + length_of(len(body)) + body, Publish(packet_id, topic, kept, len(payload)))


def control(first: int, body: bytes) -> Sent:
    return Sent(bytes([first]) + length_of(len(body)) + body, None)


def reader_of(protocol: str, *, limit: int = 10_000, buffer_bytes: int = 0) -> PacketReader:
    return PacketReader(version_5=protocol == "5", max_message_bytes=limit, buffer_bytes=buffer_bytes)


def feed(reader: PacketReader, data: bytes, most: int) -> Iterator[list[Publish]]:
    """Receive as a socket does: never more than there is room for, nor than `most`."""
    view = memoryview(data)
    while view:
        room = reader.room()
        assert len(room) > 0
        count = min(len(room), len(view), most)
        room[:count] = view[:count]
        del room
        yield reader.received(count)
        view = view[count:]


def reference(data: bytes, protocol: str) -> tuple[list[Publish], bytes]:
    """Read a whole stream of well-formed packets; no bound on their size."""
    publishes, others, position = [], bytearray(), 0
    while position < len(data):
        start, first = position, data[position]
        length, shift = 0, 0
        while True:
            position += 1
            length += (data[position] & 0x7F) << shift
            shift += 7
            if not data[position] & 0x80:
                break
        position += 1
        body, position = data[position : position + length], position + length
        if first >> 4 == 3:
            publishes.append(reference_publish(first, body, protocol))
        else:
            others += data[start:position]
    return publishes, bytes(others)


def reference_publish(first: int, body: bytes, protocol: str) -> Publish:
    size = int.from_bytes(body[:2], "big")
    topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
    packet_id = 0
    if first & 0x06:
        packet_id, rest = int.from_bytes(rest[:2], "big"), rest[2:]
    if protocol == "5":
        skip, shift = 0, 0
        while True:
            byte, rest = rest[0], rest[1:]
            skip += (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        rest = rest[skip:]
    return Publish(packet_id, topic, rest, len(rest))


@st.composite
def streams(draw: st.DrawFn, protocol: str) -> list[Sent]:
    packets = st.one_of(
        st.builds(
            publish,
            topic=st.text(max_size=30),
            payload=st.one_of(st.binary(max_size=300), st.integers(0, 9_000).map(bytes)),
            packet_id=st.integers(0, 65_535),
            flags=st.sampled_from([0, 0x01, 0x08, 0x09]),  # RETAIN and DUP change nothing
            properties=st.one_of(st.binary(max_size=20), st.integers(120, 20_000).map(bytes))
            if protocol == "5"
            else st.none(),
            limit=st.just(10_000),
        ),
        st.builds(
            control,
            st.integers(1, 15).filter(lambda kind: kind != 3).map(lambda kind: kind << 4),
            st.binary(max_size=200),
        ),
    )
    return draw(st.lists(packets, max_size=12))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_stream_cut_anywhere(protocol: str, data: st.DataObject) -> None:
    packets = data.draw(streams(protocol))
    stream = b"".join(packet.data for packet in packets)
    reader = reader_of(protocol)
    publishes: list[Publish] = []
    position = 0
    while position < len(stream):
        cut = data.draw(st.one_of(st.integers(1, 7), st.integers(1, 30_000)), label="bytes of one recv()")
        for found in feed(reader, stream[position : position + cut], cut):
            publishes += found
        position += cut
    expected, others = reference(stream, protocol)
    assert publishes == expected == [packet.publish for packet in packets if packet.publish]
    assert bytes(reader.control) == others


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_stream_byte_by_byte(protocol: str, data: st.DataObject) -> None:
    packets = data.draw(streams(protocol).filter(lambda sent: sum(len(one.data) for one in sent) < 8_000))
    stream = b"".join(packet.data for packet in packets)
    reader = reader_of(protocol)
    publishes = [one for found in feed(reader, stream, 1) for one in found]
    assert (publishes, bytes(reader.control)) == reference(stream, protocol)


@pytest.mark.parametrize("cut", [1, 1000, 65_536, 1 << 24])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_oversize_is_skipped_and_told_with_its_beginning(protocol: str, cut: int) -> None:
    limit = 5_000
    properties = b"\x26\x00\x01a\x00\x01b" if protocol == "5" else None

    def message(number: int, payload: bytes) -> Sent:
        return publish(topic=f"t/{number}", payload=payload, packet_id=number, properties=properties, limit=limit)

    large = 150_000 if cut == 1 else 10 * 1024 * 1024
    pattern = bytes(range(256)) * (large // 256)
    packets = [
        message(1, b"good"),
        message(2, pattern),
        control(0xD0, b""),
        message(3, b"x" * limit),  # at the limit: whole
        message(4, b"y" * (limit + 1)),
        message(5, pattern),
        message(6, pattern),
        message(7, b"good"),
    ]
    reader = reader_of(protocol, limit=limit)
    publishes = []
    for found in feed(reader, b"".join(packet.data for packet in packets), cut):
        publishes += found
        assert len(reader._buffer) <= BUFFER
    assert publishes == [packet.publish for packet in packets if packet.publish]
    assert bytes(reader.control) == b"\xd0\x00"
    oversize = [one for one in publishes if one.size > len(one.payload)]
    assert [one.packet_id for one in oversize] == [2, 4, 5, 6]
    assert {len(one.payload) for one in oversize} == {KEPT}


@pytest.mark.parametrize("limit", [1, 100, KEPT])
def test_a_limit_below_what_is_kept_is_still_a_limit(limit: int) -> None:
    sent = publish(topic="t", payload=b"z" * (limit + 1), packet_id=1, limit=limit)
    (found,) = feed(reader_of("3.1.1", limit=limit), sent.data, 1 << 20)
    assert found == [Publish(1, "t", b"z" * limit, limit + 1)]


def test_properties_larger_than_any_message_cost_no_memory() -> None:
    sent = publish(topic="t", payload=b"hidden behind", packet_id=9, properties=b"p" * 3_000_000, limit=100)
    after = publish(topic="t", payload=b"next", packet_id=10, properties=b"", limit=100)
    reader = reader_of("5", limit=100)
    publishes = []
    for found in feed(reader, sent.data + after.data, 50_000):
        publishes += found
        assert len(reader._buffer) <= BUFFER
    first, second = publishes
    assert (first.packet_id, first.size) == (9, len(b"hidden behind"))
    assert first.size > len(first.payload)  # not whole: refused as too large, and not read as it is
    assert second == after.publish


@pytest.mark.parametrize("limit", [1_000, 256 * 1024, 1_000_000])
def test_the_buffer_never_grows_beyond_its_bound(limit: int) -> None:
    """Messages of the largest size, so cut that the rest is long each time, for a long time."""
    reader = reader_of("3.1.1", limit=limit, buffer_bytes=256 * 1024)
    bound = max(256 * 1024, limit + MAX_TOPIC + 64 + 16)
    sent = publish(topic="t" * 60_000, payload=b"m" * limit, packet_id=1, limit=limit)
    step = len(sent.data) // 8
    for _ in range(20):
        publishes = []
        for found in feed(reader, sent.data, step):
            publishes += found
            assert len(reader._buffer) <= bound
        assert publishes == [sent.publish]


MALFORMED = {
    "length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "length of five bytes, of a control packet": b"\xd0\x80\x80\x80\x80\x00",
    "empty": b"\x30\x00",
    "half a topic length": b"\x30\x01\x00",
    "topic longer than the packet": b"\x30\x04\x00\x09ab",
    "QoS 1 without an identifier": b"\x32\x03\x00\x01t",
    "QoS 1 with half an identifier": b"\x32\x04\x00\x01t\x00",
    "QoS 1 with identifier 0": b"\x32\x05\x00\x01t\x00\x00",
    "QoS 2": b"\x34\x05\x00\x01t\x00\x01",
    "QoS 3": b"\x36\x05\x00\x01t\x00\x01",
}
MALFORMED_5 = {
    "no properties": b"\x32\x05\x00\x01t\x00\x01",
    "no properties at QoS 0": b"\x30\x03\x00\x01t",
    "properties longer than the packet": b"\x32\x06\x00\x01t\x00\x01\x05",
    "length of properties that does not end": b"\x32\x07\x00\x01t\x00\x01\x80\x80",
    "length of properties of five bytes": b"\x32\x0a\x00\x01t\x00\x01\x80\x80\x80\x80\x01",
}


@pytest.mark.parametrize(
    ("protocol", "stream"),
    [("3.1.1", stream) for stream in MALFORMED.values()]
    + [("5", stream) for stream in (MALFORMED | MALFORMED_5).values()],
    ids=[*MALFORMED, *(f"{name} (5)" for name in (MALFORMED | MALFORMED_5))],
)
def test_malformed_is_told(protocol: str, stream: bytes) -> None:
    good = publish(topic="t", payload=b"p", packet_id=1, properties=b"" if protocol == "5" else None, limit=100)
    for most in (1, 1 << 20):
        with pytest.raises(WireError):
            list(feed(reader_of(protocol), good.data + stream + good.data * 9, most))


def test_a_control_packet_beyond_all_bounds_is_told() -> None:
    with pytest.raises(WireError, match="control packet"):
        list(feed(reader_of("3.1.1"), b"\xd0" + length_of(0x0FFF_FFFF) + bytes(1000), 100))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=400, deadline=None)
@given(data=st.binary(max_size=400), most=st.integers(1, 400))
@example(data=b"\x30\x7f" + bytes(127), most=1)
def test_random_bytes_give_packets_or_wire_error(protocol: str, data: bytes, most: int) -> None:
    reader = reader_of(protocol, limit=50)
    try:
        for found in feed(reader, data, most):
            assert all(type(one) is Publish and one.size >= len(one.payload) for one in found)
    except WireError:
        pass
    assert len(reader.control) <= len(data)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), protocol=st.sampled_from(PROTOCOLS))
def test_right_streams_with_bytes_changed_give_packets_or_wire_error(data: st.DataObject, protocol: str) -> None:
    """What random bytes do not reach: past the first checks, with wrong lengths inside."""
    packets = data.draw(streams(protocol))
    stream = bytearray(b"".join(packet.data for packet in packets))
    for place in data.draw(st.lists(st.integers(0, max(0, len(stream) - 1)), max_size=3)):
        if stream:
            stream[place] = data.draw(st.integers(0, 255))
    reader = reader_of(protocol, limit=200)
    try:
        for found in feed(reader, bytes(stream), data.draw(st.integers(1, 5_000))):
            assert all(one.size >= len(one.payload) for one in found)
            assert len(reader._buffer) <= BUFFER
    except WireError:
        pass


def test_acknowledgements_keep_their_order() -> None:
    assert puback([7, 1, 65_535]).hex() == "40020007" + "40020001" + "4002ffff"
    assert puback([]) == b""


def test_a_topic_that_is_not_utf8_is_kept_readable() -> None:
    (found,) = feed(reader_of("3.1.1"), b"\x32\x07\x00\x02\xff/\x00\x01p", 100)
    assert found == [Publish(1, "\ufffd/", b"p", 1)]
