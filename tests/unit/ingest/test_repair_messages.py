"""A message of a history gives the uplink, and the key, that the live one gave."""

import gzip
import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from domain.errors import MessageError
from domain.events import Uplink
from ingest.lns import chirpstack
from ingest.repair.chirpstack_log import archived
from ingest.settings import HttpSource, MqttSource, RepairSettings
from store.batch import uplink_key
from store.event_log import EventUp

NOW = datetime(2026, 11, 1, tzinfo=UTC)

PUBLISHED: dict[str, Any] = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2026-07-18T09:34:15.775023242+00:00",
    "deviceInfo": {
        "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
        "tenantName": "Somme",
        "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
        "applicationName": "École",
        "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
        "deviceProfileName": "Sonde",
        "deviceName": "Salle 3",
        "devEui": "0101010101010101",
        "deviceClassEnabled": "CLASS_A",
        "tags": {"étage": "1"},
    },
    "devAddr": "00189440",
    "adr": True,
    "dr": 1,
    "fCnt": 4,
    "fPort": 85,
    "confirmed": False,
    "data": "AXVkA2frAARoeQ==",
    "object": {"temperature": 23.5, "deep": {"list": [1, None, "é"]}},
    "rxInfo": [
        {
            "gatewayId": "0016c001f153a14c",
            "uplinkId": 4217106255,
            "nsTime": "2026-07-18T09:34:15.775023242+00:00",
            "rssi": -36,
            "snr": 10.5,
            "channel": 2,
            "location": {"latitude": 49.9, "longitude": 2.3, "altitude": 30},
        }
    ],
    "txInfo": {
        "frequency": 867100000,
        "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 11, "codeRate": "CR_4_5"}},
    },
    "regionConfigId": "eu868",
}


def row_of(up: dict[str, Any]) -> EventUp:
    """What ChirpStack inserts: the time to the microsecond, and JSON null where there is no object."""
    info = up["deviceInfo"]
    whole, _, zone = up["time"].partition("+")
    seconds, _, fraction = whole.partition(".")
    return EventUp(
        deduplication_id=up["deduplicationId"],
        time=f"{seconds}.{fraction[:6]:0<6}+{zone}",
        tenant_id=info["tenantId"],
        tenant_name=info["tenantName"],
        application_id=info["applicationId"],
        application_name=info["applicationName"],
        device_profile_id=info["deviceProfileId"],
        device_profile_name=info["deviceProfileName"],
        device_name=info["deviceName"],
        dev_eui=info["devEui"],
        tags=json.dumps(info["tags"]),
        dev_addr=up["devAddr"],
        adr=up["adr"],
        dr=up["dr"],
        f_cnt=up["fCnt"],
        f_port=up["fPort"],
        confirmed=up["confirmed"],
        data=b64decode(up["data"]),
        object=json.dumps(up.get("object")),
        rx_info=json.dumps(up["rxInfo"]),
        tx_info=json.dumps(up["txInfo"]),
    )


def topic_of(up: dict[str, Any]) -> str:
    info = up["deviceInfo"]
    return f"application/{info['applicationId']}/device/{info['devEui']}/event/up"


def live_and_archived(up: dict[str, Any]) -> tuple[Uplink, Uplink]:
    again = archived(row_of(up))
    assert again.topic == topic_of(up)
    assert again.size == len(again.body)
    (live,) = chirpstack.parse(topic_of(up), json.dumps(up).encode(), NOW)
    (back,) = chirpstack.parse(again.topic, again.body, NOW)
    assert isinstance(live, Uplink)
    assert isinstance(back, Uplink)
    return live, back


def test_a_row_of_the_event_log_is_the_message_that_was_published() -> None:
    body = json.loads(archived(row_of(PUBLISHED)).body)
    expected = {key: value for key, value in PUBLISHED.items() if key != "regionConfigId"}
    expected["time"] = "2026-07-18T09:34:15.775023+00:00"
    expected["deviceInfo"] = {key: value for key, value in PUBLISHED["deviceInfo"].items() if "Class" not in key}
    assert body == expected


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"time": "2026-07-18T09:34:15+00:00"},
        {"time": "1980-01-06T00:00:10.5+00:00"},  # a gateway without a clock: nsTime stands in, in both
        {"object": None},
        {"data": "", "fPort": 0},
        {"data": "", "fPort": 3},
    ],
)
def test_the_uplink_and_its_key_are_the_same(changes: dict[str, Any]) -> None:
    up = {key: value for key, value in (PUBLISHED | changes).items() if value is not None}
    live, back = live_and_archived(up)
    assert back == live
    assert uplink_key("cs", back) == uplink_key("cs", live)


def test_every_captured_uplink_comes_back_the_same(lns_data: Path) -> None:
    lines = map(json.loads, gzip.decompress((lns_data / "chirpstack_v4.ndjson.gz").read_bytes()).splitlines())
    ups = [line["payload"] for line in lines if "fCnt" in line["payload"]]
    for up in ups:
        live, back = live_and_archived(up)
        assert back == live
    assert len(ups) > 4000


def test_a_time_without_bounds_is_that_of_the_network_server() -> None:
    again = archived(row_of(PUBLISHED)._replace(time=""))
    (back,) = chirpstack.parse(again.topic, again.body, NOW)
    assert back.received_at == datetime(2026, 7, 18, 9, 34, 15, 775023, UTC)


@pytest.mark.parametrize(
    "poison", [{"rx_info": "{}"}, {"dev_addr": "zzzzzzzz"}, {"data": bytes(300)}, {"f_cnt": -1}, {"tx_info": '"x"'}]
)
def test_a_row_that_makes_no_sense_is_refused_by_the_parser(poison: dict[str, Any]) -> None:
    again = archived(row_of(PUBLISHED)._replace(**poison))
    with pytest.raises(MessageError):
        chirpstack.parse(again.topic, again.body, NOW)


STORAGE = {"kind": "things-stack", "url": "https://ttn.example", "application": "meters@ttn", "api_key": "k"}
LOG = {"kind": "chirpstack-postgresql", "dsn": "postgresql://a@b/c"}


def test_settings_take_what_their_kind_needs() -> None:
    assert MqttSource(name="cs", repair=LOG).repair == RepairSettings(**LOG)
    source = HttpSource(name="ttn", lns="thethingsstack", secret="0123456789abcdef", repair=STORAGE)
    assert source.repair is not None
    assert source.repair.api_key == SecretStr("k")
    assert "NNSXS" not in repr(RepairSettings(**STORAGE | {"api_key": "NNSXS.x"}))


@pytest.mark.parametrize(
    ("lns", "repair", "said"),
    [
        ("chirpstack", STORAGE, "things-stack is for lns = 'thethingsstack'"),
        ("thethingsstack", LOG, "chirpstack-postgresql is for lns = 'chirpstack'"),
        ("chirpstack", LOG | {"url": "https://x"}, "takes dsn, and those alone"),
        ("chirpstack", {"kind": "chirpstack-postgresql"}, "takes dsn"),
        ("thethingsstack", STORAGE | {"url": ""}, "takes api_key, application, url"),
        ("thethingsstack", STORAGE | {"url": "ttn.example"}, "url"),
        ("thethingsstack", STORAGE | {"application": "a/../b"}, "application"),
        ("thethingsstack", {"kind": "loriot"}, "kind"),
    ],
)
def test_settings_that_make_no_sense_are_refused(lns: str, repair: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MqttSource(name="x", lns=lns, repair=repair)
