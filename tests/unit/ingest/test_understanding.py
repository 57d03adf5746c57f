"""From messages to rows, step by step: what is refused goes with its reason, its neighbours stay."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from decoders.registry import Decoded, Decoder, Model, Registry
from domain.errors import MessageError
from domain.events import GATEWAY_CONNECTION, JOIN, Event, NetworkEvent, Position, Reception, Uplink
from domain.quarantine import BAD_TIME, IMPLAUSIBLE, TOO_LARGE, UNKNOWN_DEVICE, UNREADABLE
from domain.readings import DECODED, FAILED, Reading
from ingest import batching, understanding
from ingest.codecs import ByCodec
from ingest.messages import Message, Origin
from store import packing
from store.batch import AccountKey, Batch, Frame
from store.known import Device, Known, QuantityRef
from store.rows import Found, microseconds

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HEARD = NOW - timedelta(hours=13)  # yesterday
DEVICE, STRANGER = "00" * 8, "ff" * 8
SOURCE, TENANT, DEVICE_ID, TEMPERATURE, GATEWAY = 3, 5, 7, 11, 13


def message(body: bytes = b"m", *, topic: str = "t", size: int | None = None, lns: str = "fake") -> Message:
    origin = Origin("source", lns, lambda _tokens: None)
    return Message(origin, 1, topic, body, len(body) if size is None else size, NOW)


def uplink(dev_eui: str = DEVICE, deduplication_id: str = "one", **fields: Any) -> Uplink:
    return Uplink(
        dev_eui=dev_eui, received_at=HEARD, deduplication_id=deduplication_id, f_port=1, payload=b"p", **fields
    )


def server_that(parse: Callable[[bytes], Sequence[Event]]) -> dict[str, Any]:
    return {"fake": SimpleNamespace(NAME="fake", TOPICS=(), parse=lambda _topic, body, _now: parse(body))}


def registry_that(decode: Callable[[bytes, int], list[Reading]]) -> Registry:
    return Registry([Decoder(Model("model", "vendor", "name", ()), decode, "version")])


@pytest.fixture
def known() -> Known:
    known = Known()
    known.sources = {"source": SOURCE}
    known.devices = {DEVICE: Device(DEVICE_ID, TENANT, "model")}
    known.gateways = {"gw": GATEWAY}
    known.quantities = {
        "temperature": QuantityRef(TEMPERATURE, -40.0, 85.0),
        "index": QuantityRef(TEMPERATURE + 1, 0.0, float("inf")),
    }
    known.decoders = {("model", "version"): 17}
    return known


def rows_of(
    known: Known,
    readings: Sequence[Reading] | Exception,
    events: Sequence[Event] | None = None,
    messages: Sequence[Message] | None = None,
) -> Batch:
    """Take messages down the whole path; each gives `events` (one uplink unless told), each uplink `readings`."""

    def decode(_payload: bytes, _f_port: int) -> list[Reading]:
        if isinstance(readings, Exception):
            raise readings
        return list(readings)

    found = understanding.read(messages or [message()], server_that(lambda _body: events or [uplink()]))
    return batching.batch(understanding.identify(found, known, registry_that(decode)), known, NOW)


def measured(frame: Frame) -> list[tuple[datetime, float, int, int]]:
    """Return (measured_at, value, quantity_id, channel)."""
    live = [(frame.key[1], value, quantity, channel) for quantity, channel, value in zip(*frame.live, strict=True)]
    return live + [(at, value, quantity, channel) for quantity, channel, at, value in frame.past]


def reason_of(row: Any) -> str:
    return str(row.row[5])


# --- reading -----------------------------------------------------------------------------------------------------


def test_a_refused_message_leaves_its_neighbours() -> None:
    def parse(body: bytes) -> Sequence[Event]:
        if body == b"bad":
            raise MessageError(UNREADABLE, "said the parser")
        return [uplink(deduplication_id=body.decode())]

    messages = [message(b"1"), message(b"bad"), message(b"2"), message(b"cut", size=10_000_000), message(b"3")]
    found = understanding.read(messages, server_that(parse))
    assert [one.uplink.deduplication_id for one in found.uplinks] == ["1", "2", "3"]
    assert [(one.reason, one.detail, one.kind) for one in found.refused] == [
        (UNREADABLE, "said the parser", "message"),
        (TOO_LARGE, "10000000 bytes", "message"),
    ]


def test_one_message_may_carry_several_events(known: Known) -> None:
    events = [
        uplink(deduplication_id="a"),
        NetworkEvent(kind=JOIN, received_at=HEARD, event_id="j", dev_eui=DEVICE),
        uplink(STRANGER, deduplication_id="b"),
        NetworkEvent(kind="gateway_stats", received_at=HEARD, event_id="g", gateway_eui="gw"),
    ]
    rows = rows_of(known, [Reading("temperature", 1.0)], events)
    assert [frame.account for frame in rows.frames] == [AccountKey(HEARD.date(), SOURCE, TENANT, "uplink")]
    assert [event.account for event in rows.events] == [
        AccountKey(HEARD.date(), SOURCE, TENANT, JOIN),
        AccountKey(HEARD.date(), SOURCE, None, "gateway_stats"),
    ]
    (refused,) = rows.quarantined
    assert reason_of(refused) == UNKNOWN_DEVICE
    assert refused.account == AccountKey(HEARD.date(), SOURCE, None, "uplink")


def test_a_network_server_that_lost_a_gateway_did_not_hear_it(known: Known) -> None:
    def said(at: datetime, *, online: bool) -> NetworkEvent:
        data = {"online": online}
        return NetworkEvent(kind=GATEWAY_CONNECTION, received_at=at, event_id="", gateway_eui="gw", data=data)

    assert rows_of(known, [], [said(HEARD, online=True)]).heard == {GATEWAY: HEARD}
    lost = rows_of(known, [], [said(HEARD + timedelta(hours=1), online=False)])
    assert (lost.heard, len(lost.events)) == ({}, 1)


def test_steps_change_nothing_they_are_given(known: Known) -> None:
    found = understanding.read([message()], server_that(lambda _body: [uplink(), uplink(STRANGER)]))
    before = (list(found.uplinks), list(found.events), list(found.refused))
    registry = registry_that(lambda _payload, _f_port: [Reading("temperature", 900.0)])
    first, second = (understanding.identify(found, known, registry) for _ in range(2))
    assert (found.uplinks, found.events, found.refused) == before
    assert first == second
    assert batching.batch(first, known, NOW) == batching.batch(second, known, NOW)


# --- identifying -------------------------------------------------------------------------------------------------


def test_what_memory_lacks_is_named(known: Known) -> None:
    there = Position(49.9, 2.3)
    heard = (Reception("gw"), Reception("new", position=there))
    events = [
        uplink(receptions=heard),
        uplink(STRANGER, receptions=(Reception("heard by a stranger"),)),
        NetworkEvent(kind="gateway_stats", received_at=HEARD, event_id="g", gateway_eui="another"),
    ]
    messages = [message(), message()._replace(origin=Origin("elsewhere", "fake", lambda _tokens: None))]
    found = understanding.read(messages, server_that(lambda _body: events))
    assert understanding.unknown_sources(messages, known) == {"elsewhere"}
    assert understanding.unknown_devices(found, known) == {STRANGER}
    understood = understanding.identify(found, known, registry_that(lambda _payload, _f_port: []))
    assert understanding.unknown_gateways(understood, known) == {"new": there, "another": None}


@pytest.mark.parametrize("by", ["the network server", "a codec"])
def test_names_without_a_number_are_named(known: Known, by: str) -> None:
    registry = registry_that(lambda _payload, _f_port: [])
    found = understanding.read([message()], server_that(lambda _body: [uplink(decoded={"x": 2.0})]))
    by_codec = {}
    if by == "a codec":
        readings = (Reading("temperature", 1.0), Reading("ns:x", 2.0))
        by_codec = {0: ByCodec(Decoded(DECODED, readings, "", "version"), 17, {"x": 2.0})}
    else:
        known.devices[DEVICE] = Device(DEVICE_ID, TENANT, None)
    understood = understanding.identify(found, known, registry, by_codec)
    assert understanding.unknown_quantities(understood, known) == {"ns:x"}


def test_a_stranger_is_counted_on_the_day_it_was_heard_and_can_be_found(known: Known) -> None:
    (refused,) = rows_of(known, [], [uplink(STRANGER)]).quarantined
    assert reason_of(refused) == UNKNOWN_DEVICE
    assert STRANGER in refused.row
    assert refused.account is not None
    assert refused.account.day == date(2026, 3, 1)


def test_a_decoder_that_raises_costs_its_readings_and_no_more(known: Known) -> None:
    rows = rows_of(known, ZeroDivisionError("defect\0"), [uplink(decoded={"t": 1})])
    (frame,) = rows.frames
    assert rows.quarantined == []
    assert (frame.live.values, frame.past) == ((), [])
    assert frame.uplink.payload == b"p"
    assert frame.found == Found(DEVICE_ID, SOURCE, 17, FAILED, "ZeroDivisionError: defect\ufffd", '{"t":1}')


# --- values and times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [85.1, -41.0, float("nan"), float("inf"), float("-inf"), 1e308])
def test_an_implausible_value_is_set_aside_alone(known: Known, value: float) -> None:
    readings = [Reading("temperature", 20.0), Reading("temperature", value, channel=1), Reading("index", 5.0)]
    rows = rows_of(known, readings)
    (frame,) = rows.frames
    assert measured(frame) == [(HEARD, 20.0, TEMPERATURE, 0), (HEARD, 5.0, TEMPERATURE + 1, 0)]
    (set_aside,) = rows.quarantined
    assert reason_of(set_aside) == IMPLAUSIBLE
    assert set_aside.account is None  # its message is counted as stored
    assert TENANT in set_aside.row


@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2014, 12, 31, tzinfo=UTC),
        datetime(2100, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        HEARD + timedelta(days=1, seconds=1),
    ],
    ids=str,
)
def test_a_device_with_a_wrong_clock_keeps_its_other_readings(known: Known, at: datetime) -> None:
    readings = [Reading("temperature", 1.0, measured_at=at), Reading("temperature", 2.0, channel=1)]
    rows = rows_of(known, readings)
    assert measured(rows.frames[0]) == [(HEARD, 2.0, TEMPERATURE, 1)]
    assert [reason_of(row) for row in rows.quarantined] == [BAD_TIME]


def test_past_readings_go_to_their_true_time(known: Known) -> None:
    elsewhere = HEARD.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00:00+05:30").tzinfo)
    readings = [
        Reading("index", 3.0),
        Reading("index", 2.0, age_s=3600),
        Reading("index", 1.0, measured_at=elsewhere - timedelta(hours=2)),
        Reading("index", 4.0, measured_at=HEARD + timedelta(minutes=5)),  # a clock that is a little fast
    ]
    (frame,) = rows_of(known, readings).frames
    index = TEMPERATURE + 1
    assert measured(frame) == [
        (HEARD, 3.0, index, 0),
        (HEARD - timedelta(hours=1), 2.0, index, 0),
        (HEARD - timedelta(hours=2), 1.0, index, 0),
        (HEARD + timedelta(minutes=5), 4.0, index, 0),
    ]
    hour = HEARD.replace(minute=0)
    hours = {(DEVICE_ID, microseconds(hour - timedelta(hours=ago))) for ago in (0, 1, 2)}
    assert set(packing.marks(frame)) == hours


def test_names_beyond_the_bound_are_told(known: Known) -> None:
    """A network server's codec that makes up names cannot use up the quantities."""
    rows = rows_of(known, [Reading("ns:made.up", 1.0), Reading("temperature", 2.0)])
    assert len(measured(rows.frames[0])) == 1
    assert [reason_of(row) for row in rows.quarantined] == [IMPLAUSIBLE]


# --- what quarantine keeps ---------------------------------------------------------------------------------------


def digest_of(refused: understanding.Refused, known: Known, now: datetime = NOW) -> bytes:
    (row,) = batching.batch(understanding.Understood([], [], [refused], []), known, now).quarantined
    digest: bytes = row.row[0]
    return digest


def test_the_same_message_refused_again_is_one_row(known: Known) -> None:
    one = understanding.Refused(message(b"x"), UNREADABLE, "line 1")
    same = digest_of(one, known)
    assert digest_of(one, known, NOW + timedelta(days=3)) == same
    assert digest_of(one._replace(detail="said otherwise", message=message(b"x")._replace(token=9)), known) == same
    others = [
        one._replace(reason=BAD_TIME),
        one._replace(message=message(b"y")),
        one._replace(message=message(b"x", topic="u")),
        one._replace(message=message(b"x")._replace(origin=Origin("other", "fake", lambda _tokens: None))),
    ]
    known.sources["other"] = SOURCE + 1
    assert len({same, *(digest_of(other, known) for other in others)}) == 5


def test_two_readings_of_one_message_are_two_rows(known: Known) -> None:
    readings = [Reading("temperature", 900.0), Reading("temperature", 901.0, channel=1)]
    first, second = (rows_of(known, readings).quarantined for _ in range(2))
    assert [row.row[0] for row in first] == [row.row[0] for row in second]
    assert len({row.row[0] for row in first}) == 2


def test_text_is_kept_as_postgresql_can_hold_it(known: Known) -> None:
    refused = understanding.Refused(message(b"\0", topic="a\0b" * 1000), UNREADABLE, "nul \0, surrogate \ud800")
    (row,) = batching.batch(understanding.Understood([], [], [refused], []), known, NOW).quarantined
    texts = [value for value in row.row if isinstance(value, str)]
    assert max(map(len, texts)) <= 2000
    assert all("\0" not in text for text in texts)
    assert "nul \ufffd, surrogate ?" in texts
    assert b"\0" in row.row  # the message itself, as it came


def test_of_a_message_too_large_the_beginning_is_kept_with_its_size(known: Known) -> None:
    large = message(bytes(9000), size=10_000_000)
    understood = understanding.identify(understanding.read([large], {}), known, Registry([]))
    (row,) = batching.batch(understood, known, NOW).quarantined
    assert bytes(4096) in row.row
    assert 10_000_000 in row.row


def test_json_that_postgresql_cannot_hold_is_mended() -> None:
    assert batching.to_jsonb({"a": "x\0y"}) == '{"a":"x\\ufffdy"}'


def test_what_is_of_a_neighbour_is_counted_and_not_kept(known: Known) -> None:
    known.elsewhere = {STRANGER}
    join = NetworkEvent(kind=JOIN, received_at=HEARD, event_id="two", dev_eui=STRANGER)
    read = understanding.read([message()], server_that(lambda _body: [uplink(STRANGER), join]))
    assert understanding.unknown_devices(read, known) == set()
    batch = rows_of(known, [], [uplink(STRANGER), join])
    assert (batch.frames, batch.events, batch.quarantined) == ([], [], [])
    assert sum(batch.ignored.values()) == 2
    known.forget(STRANGER)  # it was declared here
    assert understanding.unknown_devices(read, known) == {STRANGER}
