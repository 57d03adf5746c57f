"""Each format against its network server's own schema, and all of them against each other."""

import base64
import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from chirpstack_api.gw.gw_pb2 import ConnState, GatewayStats
from chirpstack_api.integration.integration_pb2 import JoinEvent, LogEvent, UplinkEvent
from google.protobuf.json_format import MessageToDict

from decoders.registry import Registry
from domain.events import Uplink
from ingest import lns
from simulators import chirpstack
from simulators.load.formats import Sent, encoder
from simulators.load.formats.air import grades, hearing
from simulators.load.frames import MODELS, TABLE, kind
from simulators.load.ledger import payload_digest
from simulators.load.spec import FORMATS, Format, LoadSpec

NOW = datetime(2026, 1, 6, tzinfo=UTC)
RECEIVED_MS = 1_767_571_200_007  # 2026-01-05T00:00:00.007Z
LSE01 = kind("dragino-lse01", 1, datetime(2026, 1, 5, tzinfo=UTC))
PARSERS = {"chirpstack-json": "chirpstack", "chirpstack-protobuf": "chirpstack", "things-stack": "thethingsstack"}


def spec(form: Format, receptions: int = 3) -> LoadSpec:
    return LoadSpec(format=form, devices=5000, receptions=receptions)


def some() -> list[Sent]:
    return [
        Sent(device, number, 0, 0x0100_0000 + device, f_cnt, RECEIVED_MS + number, LSE01.payloads[number])
        for device in (0, 7, 4999)
        for number, f_cnt in ((0, 0), (1, 65_535), (41, 65_536), (300, 4_000_000_000), (77, 127), (78, 128))
    ]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("receptions", [1, 2, 3])
def test_ingest_reads_back_what_was_said(form: Format, receptions: int) -> None:
    one, server = spec(form, receptions), lns.load()[PARSERS[form]]
    encode = encoder(one)
    for sent in some():
        topic, message = encode.uplink(sent, LSE01)
        (uplink,) = server.parse(topic, message, NOW)
        assert isinstance(uplink, Uplink)
        assert uplink.dev_eui == f"{one.first_dev_eui + sent.device:016x}"
        assert uplink.received_at.timestamp() == pytest.approx(sent.received_ms / 1000, abs=1e-6)
        assert (uplink.dev_addr, uplink.f_cnt, uplink.f_port) == (f"{sent.dev_addr:08x}", sent.f_cnt, 2)
        assert uplink.payload == sent.payload
        channel, heard = hearing(one, sent.device, sent.number, late=False)
        table = grades(one.seed)
        assert [(r.rssi_dbm or 0, r.snr_db or 0.0) for r in uplink.receptions] == [table[grade] for _, grade in heard]
        assert len({r.gateway_eui for r in uplink.receptions}) == receptions
        assert all((r.channel or 0) == channel for r in uplink.receptions)


@pytest.mark.parametrize("form", FORMATS)
def test_a_late_copy_is_heard_by_the_last_gateway_alone(form: Format) -> None:
    one, server = spec(form), lns.load()[PARSERS[form]]
    encode, sent = encoder(one), some()[5]
    (whole,), (late,) = (
        server.parse(*encode.uplink(sent._replace(late=late, variant=int(late)), LSE01), NOW) for late in (False, True)
    )
    assert isinstance(whole, Uplink)
    assert isinstance(late, Uplink)
    assert late.receptions == whole.receptions[-1:]
    assert (late.deduplication_id != whole.deduplication_id) == (form != "things-stack")


def test_chirpstack_json_has_the_presence_of_the_reference() -> None:
    one = spec("chirpstack-json")
    for sent in some():
        said: dict[str, Any] = json.loads(encoder(one).uplink(sent, LSE01)[1])
        device = chirpstack.Device(
            dev_eui=f"{one.first_dev_eui + sent.device:016x}",
            name=said["deviceInfo"]["deviceName"],
            profile="Dragino LSE01",
            application="Charge",
            application_id=said["deviceInfo"]["applicationId"],
            profile_id=said["deviceInfo"]["deviceProfileId"],
        )
        channel, heard = hearing(one, sent.device, sent.number, late=False)
        table = grades(one.seed)
        topic, message = chirpstack.uplink(
            device,
            at=datetime.fromtimestamp(sent.received_ms / 1000, UTC),
            deduplication_id=said["deduplicationId"],
            dev_addr=f"{sent.dev_addr:08x}",
            f_cnt=sent.f_cnt,
            f_port=2,
            payload=sent.payload,
            data_rate=5,
            channel=channel,
            heard=[
                chirpstack.Heard(received["gatewayId"], *table[grade], context=b"\0\1\2\3")
                for (_, grade), received in zip(heard, said["rxInfo"], strict=True)
            ],
        )
        reference = json.loads(message)
        assert topic == encoder(one).uplink(sent, LSE01)[0]
        assert list(reference) == list(said)
        for received, mine in zip(reference["rxInfo"], said["rxInfo"], strict=True):
            assert mine.pop("location")
            assert 1 <= mine.pop("uplinkId") <= 0xFFFF
            assert received.pop("uplinkId")
            assert received.pop("nsTime")[:23] == mine.pop("nsTime")[:23]
        assert reference == said


def test_chirpstack_protobuf_is_its_schemas() -> None:
    text, binary = encoder(spec("chirpstack-json")), encoder(spec("chirpstack-protobuf"))
    for sent in some():
        topic, message = binary.uplink(sent, LSE01)
        event = UplinkEvent.FromString(message)
        assert topic == text.uplink(sent, LSE01)[0]
        mine = MessageToDict(event)
        reference = json.loads(text.uplink(sent, LSE01)[1])
        assert base64.b64decode(mine["data"]) == sent.payload
        for name in ("deduplicationId", "devAddr", "dr", "fPort", "adr", "txInfo", "regionConfigId"):
            assert mine[name] == reference[name]
        assert mine.get("fCnt", 0) == sent.f_cnt
        assert mine["deviceInfo"].items() <= reference["deviceInfo"].items()
        for received, heard in zip(mine["rxInfo"], reference["rxInfo"], strict=True):
            for name in ("gatewayId", "rssi", "snr", "channel", "location", "context", "crcStatus"):
                assert received.get(name) == heard.get(name)
            assert received["timeSinceGpsEpoch"] == heard["timeSinceGpsEpoch"]
    join = JoinEvent.FromString(binary.join(some()[0], LSE01)[1])
    assert (join.dev_addr, join.region_config_id) == ("01000000", "eu868")
    said = binary.stats(3, RECEIVED_MS, 12)
    assert said is not None
    stats = GatewayStats.FromString(said[1])
    assert (stats.gateway_id, stats.rx_packets_received_ok) == ("025a4cfffe000003", 12)


def test_the_things_stack_leaves_zeros_out_and_says_frequency_as_text() -> None:
    one = spec("things-stack")
    messages = [json.loads(encoder(one).uplink(sent, LSE01)[1])["uplink_message"] for sent in some()]
    assert "f_cnt" not in messages[0]
    assert messages[1]["f_cnt"] == 65_535
    assert all(isinstance(message["settings"]["frequency"], str) for message in messages)
    assert all(0 not in received.values() for message in messages for received in message["rx_metadata"])


@pytest.mark.parametrize("form", FORMATS)
def test_ingest_reads_joins_and_statistics(form: Format) -> None:
    one, server = spec(form), lns.load()[PARSERS[form]]
    encode = encoder(one)
    (join,) = server.parse(*encode.join(some()[0], LSE01), NOW)
    assert not isinstance(join, Uplink)
    assert join.kind == "join"
    said = encode.stats(1, RECEIVED_MS, 9)
    if said is not None:
        (stats,) = server.parse(*said, NOW)
        assert not isinstance(stats, Uplink)
        assert stats.gateway_eui == "025a4cfffe000001"
    for online in (True, False):
        told = encode.connection(1, RECEIVED_MS, online=online)
        assert (told is None) == (form == "things-stack")
        if told is not None:
            (connection,) = server.parse(*told, NOW)
            assert not isinstance(connection, Uplink)
            assert (connection.kind, connection.gateway_eui) == ("gateway_connection", "025a4cfffe000001")
            assert connection.data == {"online": online}
    written = encode.log(some()[0], LSE01)
    assert (written is None) == (form == "things-stack")
    if written is not None:
        (log,) = server.parse(*written, NOW)
        assert not isinstance(log, Uplink)
        assert log.dev_eui == f"{one.first_dev_eui:016x}"
        assert "UPLINK_F_CNT_RESET" in str(log.data)


def test_logs_and_connections_are_those_of_the_schema() -> None:
    binary, text = encoder(spec("chirpstack-protobuf")), encoder(spec("chirpstack-json"))
    said, reference = binary.log(some()[5], LSE01), text.log(some()[5], LSE01)
    assert said is not None
    assert reference is not None
    mine, theirs = MessageToDict(LogEvent.FromString(said[1])), json.loads(reference[1])
    assert mine.pop("deviceInfo").items() <= theirs.pop("deviceInfo").items()
    assert mine.pop("time")[:23] == theirs.pop("time")[:23]
    assert mine == theirs
    for online in (True, False):
        state = binary.connection(2, RECEIVED_MS, online=online)
        assert state is not None
        assert ConnState.FromString(state[1]) == ConnState(gateway_id="025a4cfffe000002", state=int(online))


@pytest.mark.parametrize("model", MODELS)
def test_each_model_is_read_as_the_ledger_expects(model: str) -> None:
    """The native decoder, written from the vendor's document by others, finds the readings that are judged."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    one, decode = kind(model, 1, start), Registry.load().decoders[model][1]
    for number in (0, 1, 700, 2000, TABLE - 1):
        payload, digest = one.frame(12, number, number * 21.0)
        assert digest == payload_digest(payload)
        assert len(decode(payload, one.f_port)) == one.readings
    assert len(set(one.payloads)) > 1 or one.meter is not None


def test_a_meter_only_grows_and_some_leak() -> None:
    meter = kind("milesight-em300-di", 1, datetime(2026, 1, 5, tzinfo=UTC)).meter
    assert meter is not None
    week = [(device, [meter.pulses(device, 900.0 * turn) for turn in range(7 * 96)]) for device in range(100)]
    for device, counts in week:
        assert all(before <= after for before, after in pairwise(counts))
        used, leaked = counts[-1] - counts[0], 7 * 86_400 / 720
        daily = 36 * (1 + device % 4)
        if (device + 1) % 50:
            assert used == pytest.approx(7 * daily, rel=0.05)
        else:
            assert used == pytest.approx(7 * daily + leaked, rel=0.05)
    assert len({counts[0] for _, counts in week}) == 100
