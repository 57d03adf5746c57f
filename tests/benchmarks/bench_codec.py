"""The JavaScript codec of the benchmark: it reads the frames that the native decoder reads."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from decoders.javascript.calls import Codec
from decoders.javascript.declared import fields_to_json
from decoders.javascript.mapping import Field
from decoders.javascript.uplinks import version_of
from store import codecs
from store.codecs import NewCodec

SCRIPT: Final = """
function signed(value) { return value > 0x7fff ? value - 0x10000 : value; }
function decodeUplink(input) {
  var bytes = input.bytes, data = {}, i = 0;
  while (i < bytes.length) {
    switch (bytes[i++]) {
      case 1: data.temperature = signed((bytes[i] << 8) | bytes[i + 1]) / 10; i += 2; break;
      case 2: data.humidity = bytes[i]; i += 1; break;
      case 4: data.light = (bytes[i] << 8) | bytes[i + 1]; i += 2; break;
      case 6: data.co2 = (bytes[i] << 8) | bytes[i + 1]; i += 2; break;
      case 7: data.battery = ((bytes[i] << 8) | bytes[i + 1]) / 1000; i += 2; break;
      default: return { errors: ["unknown type"] };
    }
  }
  return { data: data };
}
"""
SCRIPT_FIELDS: Final = (
    Field("temperature", "temperature"),
    Field("humidity", "humidity"),
    Field("light", "illuminance"),
    Field("co2", "co2"),
    Field("battery", "battery_voltage"),
)

BIND: Final = """
INSERT INTO codec_bindings (tenant_id, codec, device_id)
SELECT 1, 'bench', device_id FROM devices WHERE dev_eui = ANY($1::text[])
"""


async def bind_codec(dsn: str, dev_euis: Sequence[str]) -> None:
    """Put the benchmark's codec in force, and let it decode these devices."""
    if not dev_euis:
        return
    codec, fields = Codec.of(SCRIPT), fields_to_json(SCRIPT_FIELDS)
    connection = await asyncpg.connect(dsn)
    try:
        new = NewCodec(1, "bench", codec.sha256, SCRIPT, "[]", fields, "bench")
        number, _ = await codecs.upload(connection, new)
        version = version_of(codec, SCRIPT_FIELDS)
        await codecs.activate(connection, number, fields_json=fields, is_fresh=False, version=version)
        await connection.execute(BIND, dev_euis)
    finally:
        await connection.close()
