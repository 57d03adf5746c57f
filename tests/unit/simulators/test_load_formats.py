"""Each format against its network server's own schema, and all of them against each other."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from chirpstack_api.gw.gw_pb2 import GatewayStats
from chirpstack_api.integration.integration_pb2 import JoinEvent, UplinkEvent
from google.protobuf.json_format import MessageToDict

from domain.events import Uplink
from ingest import lns
from simulators import chirpstack
from simulators.load.formats import Sent, encoder
from simulators.load.formats.air import grades, hearing
from simulators.load.frames import kind
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
