"""What real network servers sent. The captures are not part of the project: see `lns_data` in tests/conftest.py."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from chirpstack_api.integration.integration_pb2 import UplinkEvent  # type: ignore[import-untyped]
from google.protobuf import json_format

from domain.events import JOIN, LOG, STATUS, Event, NetworkEvent, Uplink
from ingest.lns import actility, chirpstack, liveobjects, thethingsstack

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def messages(path: Path) -> Iterator[tuple[str, bytes]]:
    content = path.read_bytes()
    for line in (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines():
        message = json.loads(line)
        yield message["topic"], json.dumps(message["payload"]).encode()


def one(events: object) -> Event:
    assert isinstance(events, tuple)
    (event,) = events
    assert isinstance(event, (Uplink, NetworkEvent))
    return event


def test_chirpstack_capture_is_4285_uplinks_99_statuses_43_joins_4_logs(lns_data: Path) -> None:
    events = [one(chirpstack.parse(topic, body, NOW)) for topic, body in messages(lns_data / "chirpstack_v4.ndjson.gz")]
    kinds = Counter("uplink" if isinstance(event, Uplink) else event.kind for event in events)
    assert kinds == {"uplink": 4285, STATUS: 99, JOIN: 43, LOG: 4}
    uplinks = [event for event in events if isinstance(event, Uplink)]
    assert len({uplink.deduplication_id for uplink in uplinks}) == 4285
    assert len({uplink.dev_eui for uplink in uplinks}) == 19  # of 20 devices: one only asked to join
    assert sum(len(uplink.receptions) for uplink in uplinks) == 4472
    assert sum(uplink.decoded is not None for uplink in uplinks) == 4277


def test_chirpstack_says_the_same_in_json_and_in_protobuf(lns_data: Path) -> None:
    for topic, body in messages(lns_data / "chirpstack_v4.ndjson.gz"):
        said = one(chirpstack.parse(topic, body, NOW))
        if isinstance(said, Uplink):
            protobuf = json_format.Parse(body, UplinkEvent()).SerializeToString()
            assert one(chirpstack.parse(topic, protobuf, NOW)) == said


def test_the_things_stack_capture_is_96_uplinks_each_with_its_own_key(lns_data: Path) -> None:
    uplinks = [
        one(thethingsstack.parse(topic, body, NOW)) for topic, body in messages(lns_data / "thethingsstack_v3.ndjson")
    ]
    assert {type(uplink) for uplink in uplinks} == {Uplink}
    keys = {(uplink.dev_eui, uplink.deduplication_id) for uplink in uplinks if isinstance(uplink, Uplink)}
    assert len(keys) == 96
    assert sum(uplink.f_cnt == 0 for uplink in uplinks if isinstance(uplink, Uplink)) == 4


def test_actility_capture_is_three_uplinks_and_a_join_request(lns_data: Path) -> None:
    lines = (lns_data / "actility.ndjson").read_bytes().splitlines()
    texts, numbers, _, join = [one(actility.parse("", line, NOW)) for line in lines]
    assert isinstance(texts, Uplink)
    assert isinstance(numbers, Uplink)
    assert isinstance(join, NetworkEvent)
    assert (texts.f_cnt, texts.f_port, texts.confirmed, texts.receptions[0].rssi_dbm) == (1174, 1, True, -80.0)
    assert (numbers.f_cnt, numbers.f_port, len(numbers.receptions)) == (173, 2, 3)
    assert (join.kind, join.dev_eui) == (JOIN, "0018b20000000b20")


def test_live_objects_capture_is_an_uplink(lns_data: Path) -> None:
    uplink = one(liveobjects.parse("fifo/x", (lns_data / "liveobjects.ndjson").read_bytes(), NOW))
    assert isinstance(uplink, Uplink)
    assert (uplink.dev_eui, uplink.f_cnt, uplink.payload) == ("70b3d54999f0552d", 0, b"Salut !")
    assert uplink.receptions[0].snr_db == 0.0
