"""Whatever the bytes are, a module returns storable events or raises MessageError, and nothing else."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chirpstack_api.integration.integration_pb2 import UplinkEvent  # type: ignore[import-untyped]
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import MessageError
from domain.events import EVENT_KINDS, Event, Uplink
from domain.quarantine import BAD_FIELD, REASONS, UNREADABLE
from domain.times import EARLIEST, FUTURE_TOLERANCE
from ingest.lns import load

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SERVERS = load()
VECTORS = Path(__file__).parents[2] / "vectors" / "lns"

TOPICS = {
    "chirpstack": [
        *(
            f"application/a/device/d/event/{kind}"
            for kind in ("up", "join", "status", "ack", "txack", "log", "location")
        ),
        "eu868/gateway/g/event/stats",
        "gateway/g/state/conn",
        "gateway/g/event/up",
    ],
    "thethingsstack": ["v3/a@t/devices/d/up", "v3/a@t/devices/d/down/queued"],
    "actility": [""],
    "liveobjects": ["fifo/f"],
}
WHERE = st.sampled_from([(name, topic) for name, topics in TOPICS.items() for topic in topics])

# What a field may hold, likely and not: of the right type, of another, at the edges, beyond them.
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 255, 256, 2**31, 2**32, 2**63, 2**64, 10**30, 1e308, -0.0, 5e-324])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "\0", "NaN", "0102030405060708", "AQID", "2026-05-31T20:15:30.123456789Z", "1970-01-01T00:00:00Z"]
    )
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def bodies() -> list[tuple[str, str, dict[str, Any]]]:
    vectors = [(path.parent.name, json.loads(path.read_text(encoding="utf-8"))) for path in VECTORS.glob("*/*.json")]
    return [
        (name, vector["topic"], vector["body"]) for name, vector in vectors if vector.get("events") and "body" in vector
    ]


BODIES = bodies()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield from places(inner, (*path, name))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """Draw a true message with some of its fields replaced."""
    name, topic, body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(1, 3))):
        body = changed(body, draw(st.sampled_from(list(places(body)))), draw(VALUES))
    return name, topic, json.dumps(body).encode("utf-8", "surrogatepass")


def check(name: str, topic: str, body: bytes) -> None:
    events: Sequence[Event] = ()
    refused: MessageError | None = None
    try:
        events = SERVERS[name].parse(topic, body, NOW)
    except MessageError as error:
        refused = error
    for event in events:
        check_storable(event)
    if refused is not None:
        assert refused.reason in REASONS
        assert len(refused.detail) < 1000
        refused.detail.encode()


def check_storable(event: Event) -> None:
    """Check what the columns of the store, and JSON, need."""
    assert EARLIEST <= event.received_at <= NOW + FUTURE_TOLERANCE
    assert event.received_at.utcoffset() == timedelta(0)
    numbers: list[float | None] = []
    if isinstance(event, Uplink):
        texts = [event.dev_eui, event.deduplication_id, event.dev_addr, event.device_name, event.model_hint]
        assert len(event.dev_eui) == 16
        assert 0 <= event.f_cnt < 2**32
        assert event.f_port is None or 0 <= event.f_port <= 255
        assert len(event.payload) <= 242
        for small in (event.data_rate, event.spreading_factor):
            assert small is None or 0 <= small < 2**15
        assert event.bandwidth_hz is None or 0 <= event.bandwidth_hz < 2**31
        assert event.frequency_hz is None or 0 <= event.frequency_hz < 2**63
        gateways = [reception.gateway_eui for reception in event.receptions]
        assert len(set(gateways)) == len(gateways)
        assert all(gateways)
        texts += gateways
        for _, rssi, snr, channel, position in event.receptions:
            numbers += [rssi, snr, *(position or ())]
            assert channel is None or 0 <= channel < 2**15
        document: object = event.decoded
    else:
        assert event.kind in EVENT_KINDS
        assert bool(event.dev_eui) != bool(event.gateway_eui)
        texts = [event.dev_eui, event.gateway_eui, event.event_id]
        numbers += event.position or ()
        document = event.data
    assert all(number is None or (isfinite(number) and abs(number) < 1e9) for number in numbers)
    for text in texts:
        assert "\0" not in text
        text.encode()
    said = msgspec.json.encode(document).decode()
    assert "\\u0000" not in said.replace("\\\\", "")


@settings(max_examples=500, deadline=None)
@given(mutants())
def test_any_change_of_a_true_message(mutant: tuple[str, str, bytes]) -> None:
    check(*mutant)


@settings(max_examples=300, deadline=None)
@given(WHERE, VALUES)
def test_any_json(where: tuple[str, str], value: object) -> None:
    check(*where, json.dumps(value).encode("utf-8", "surrogatepass"))


@settings(max_examples=500, deadline=None)
@given(WHERE, st.binary(max_size=200))
def test_any_bytes(where: tuple[str, str], body: bytes) -> None:
    check(*where, body)


UPLINK = json.loads((VECTORS / "chirpstack" / "up_protobuf.json").read_text(encoding="utf-8"))["protobuf"]
PROTOBUF = json_format.ParseDict(UPLINK, UplinkEvent()).SerializeToString(deterministic=True)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(TOPICS["chirpstack"]),
    st.lists(st.tuples(st.integers(0, len(PROTOBUF) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, len(PROTOBUF)),
)
def test_any_change_of_a_true_protobuf(topic: str, changes: list[tuple[int, int]], length: int) -> None:
    body = bytearray(PROTOBUF)
    for place, byte in changes:
        body[place] = byte
    check("chirpstack", topic, bytes(body))
    check("chirpstack", topic, bytes(body[:length]))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(SERVERS)), st.text(max_size=60) | st.from_regex(r"[a-z0-9/]{0,60}", fullmatch=True))
def test_any_topic(name: str, topic: str) -> None:
    check(name, topic, json.dumps(UPLINK).encode())


DEPTH = 10_000
BOMBS = {
    "lists": b"[" * DEPTH + b"]" * DEPTH,
    "objects": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    "unclosed": b'{"unknown":' + b"[" * DEPTH,
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("name", sorted(SERVERS))
def test_10_000_deep_is_unreadable(name: str, bomb: str) -> None:
    for topic in TOPICS[name][:1]:
        with pytest.raises(MessageError) as caught:
            SERVERS[name].parse(topic, BOMBS[bomb], NOW)
        assert caught.value.reason == UNREADABLE


@pytest.mark.parametrize("depth", [33, 200, 900, 5_000, 10_000])
@pytest.mark.parametrize("field", ["object", "unknown"])
def test_depth_inside_a_true_message_is_unreadable_or_harmless(depth: int, field: str) -> None:
    deep = f'{{"d":{"[" * depth}{"]" * depth}}}'
    body = json.dumps({**UPLINK, field: 0}).replace(f'"{field}": 0', f'"{field}": {deep}').encode()
    topic = TOPICS["chirpstack"][0]
    if field == "unknown" and depth < 1000:
        assert SERVERS["chirpstack"].parse(topic, body, NOW)
    else:
        with pytest.raises(MessageError) as caught:
            SERVERS["chirpstack"].parse(topic, body, NOW)
        assert caught.value.reason == UNREADABLE


def test_ten_megabytes_are_read_or_refused_like_others() -> None:
    body = json.dumps({**UPLINK, "object": {"text": "x" * 10_000_000}}).encode()
    (uplink,) = SERVERS["chirpstack"].parse(TOPICS["chirpstack"][0], body, NOW)
    assert isinstance(uplink, Uplink)
    with pytest.raises(MessageError) as caught:
        SERVERS["chirpstack"].parse(
            TOPICS["chirpstack"][0], json.dumps({**UPLINK, "deduplicationId": "x" * 10_000_000}).encode(), NOW
        )
    assert caught.value.reason == BAD_FIELD
