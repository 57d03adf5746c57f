"""Each message of tests/vectors/lns/<server>/ becomes the events it says, or is refused for the reason it says.

A vector holds `topic`, one of `body` (JSON), `text` (sent as it is) and `protobuf` (a message of chirpstack-api,
as JSON), and one of `events` (fields at their default left out) and `refused` (the reason). An `event_id` that is
a digest of the message is written "digest".
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chirpstack_api.gw import gw_pb2  # type: ignore[import-untyped]
from chirpstack_api.integration import integration_pb2  # type: ignore[import-untyped]
from google.protobuf import json_format

from domain.errors import MessageError
from domain.events import Event, Uplink
from domain.quarantine import REASONS
from ingest.lns import load
from ingest.lns._fields import digest

VECTORS = Path(__file__).parents[2] / "vectors" / "lns"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def body_of(vector: Mapping[str, Any]) -> bytes:
    if "protobuf" in vector:
        name = vector["message"]
        message = getattr(integration_pb2, name, None) or getattr(gw_pb2, name)
        return bytes(json_format.ParseDict(vector["protobuf"], message()).SerializeToString(deterministic=True))
    if "text" in vector:
        return str(vector["text"]).encode()
    return json.dumps(vector["body"]).encode()


def plain(event: Event, body: bytes) -> dict[str, Any]:
    """Return an event as a vector writes it."""
    kept = {name: value for name, value in event._asdict().items() if value != event._field_defaults.get(name)}
    kept["received_at"] = event.received_at.isoformat()
    if isinstance(event, Uplink):
        kept["kind"] = "uplink"
        if event.payload:
            kept["payload"] = event.payload.hex()
        if event.receptions:
            kept["receptions"] = [
                {name: value for name, value in one._asdict().items() if value is not None} for one in event.receptions
            ]
    elif event.event_id == digest(body):
        kept["event_id"] = "digest"
    restored: dict[str, Any] = json.loads(json.dumps(kept))
    return restored


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_message_says_what_its_vector_says(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    parse = load()[path.parent.name].parse
    if "refused" in vector:
        with pytest.raises(MessageError) as caught:
            parse(vector["topic"], body_of(vector), NOW)
        assert caught.value.reason == vector["refused"]
        assert caught.value.reason in REASONS
    else:
        body = body_of(vector)
        assert [plain(event, body) for event in parse(vector["topic"], body, NOW)] == vector["events"]


def test_every_server_has_vectors() -> None:
    assert {path.name for path in VECTORS.iterdir()} == set(load())


def test_the_example_of_the_how_to_page_works() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "add-a-network-server.md").read_text(encoding="utf-8")
    source, vector = (page.partition(f"```{kind}\n")[2].partition("```")[0] for kind in ("python", "json"))
    module = ModuleType("acme")
    exec(source, module.__dict__)
    said = json.loads(vector)
    events = module.parse(said["topic"], body_of(said), NOW)
    assert [plain(event, body_of(said)) for event in events] == said["events"]
    assert module.parse("acme/a/down", b"", NOW) == ()
