"""Codecs of a tenant in force, and uplinks as ChirpStack tells them, for the tests of ingest with codecs."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from decoders.javascript.calls import Codec
from decoders.javascript.declared import fields_to_json
from decoders.javascript.mapping import Field
from decoders.javascript.uplinks import version_of
from ingest.runner import Ingest
from store.codecs import NewCodec, activate, bind_device, upload

GOOD = """
function decodeUplink(input) {
  if (input.bytes.length !== 2) return { errors: ["two bytes"] };
  return { data: { t: input.bytes[0] / 10 * (input.variables.weight || 1), mystery: input.bytes[1], text: "a" } };
}
"""
MENDED = GOOD.replace("/ 10", "/ 5")
STUCK = 'function decodeUplink() { const t = "a".repeat(1 << 20); t.indexOf("a".repeat(1 << 19) + "b") }'
FIELDS = (Field("t", "temperature"),)
NOON, MINUTE = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(minutes=1)


async def in_force(
    connection: asyncpg.Connection, name: str, source: str, *, tenant_id: int = 1, fields: Sequence[Field] = FIELDS
) -> str:
    """Put a codec in force whatever its examples, and return its version."""
    codec, mapping = Codec.of(source), fields_to_json(fields)
    number, _ = await upload(connection, NewCodec(tenant_id, name, codec.sha256, source, "[]", mapping, "tester"))
    version = version_of(codec, fields)
    await activate(connection, number, fields_json=mapping, is_fresh=False, version=version)
    return version


async def bound(connection: asyncpg.Connection, name: str, source: str, *dev_euis: str) -> str:
    version = await in_force(connection, name, source)
    for eui in dev_euis:
        await bind_device(connection, 1, name, eui)
    return version


def uplink(dev_eui: str, f_cnt: int, payload: bytes, at: datetime = NOON) -> bytes:
    """Return an uplink as ChirpStack v4 tells it, with what its own codec made of it."""
    return json.dumps({
        "deduplicationId": f"{dev_eui}-{f_cnt}",
        "time": at.isoformat(),
        "deviceInfo": {"devEui": dev_eui},
        "devAddr": "01020304",
        "fCnt": f_cnt,
        "fPort": 3,
        "data": base64.b64encode(payload).decode(),
        "object": {"network": 1},
        "rxInfo": [],
        "txInfo": {},
    }).encode()  # fmt: skip


async def deliver(ingest: Ingest, dev_eui: str, f_cnt: int, payload: bytes) -> None:
    topic = f"application/1/device/{dev_eui}/event/up"
    await ingest.pipeline.deliver(
        "chirpstack", "chirpstack", topic, uplink(dev_eui, f_cnt, payload, NOON + f_cnt * MINUTE)
    )
