"""What a codec answered lately, as the uplinks of its devices keep it."""

from datetime import datetime
from typing import Final

import asyncpg

from store.codecs import StoredCodec

_DEVICES: Final = 50

SELECT_ANSWERS: Final = """
SELECT recent.object::text
  FROM (SELECT device_id
          FROM codec_bindings
         WHERE tenant_id = $1 AND codec = $2 AND device_id IS NOT NULL
         UNION
        SELECT devices.device_id
          FROM codec_bindings AS bound
          JOIN devices USING (model_id)
         WHERE bound.tenant_id = $1 AND bound.codec = $2
         LIMIT $5) AS served
 CROSS JOIN LATERAL (SELECT object
                       FROM uplinks
                      WHERE device_id = served.device_id
                        AND received_at > $4
                        AND decoder_id IN (SELECT decoder_id FROM decoders WHERE codec_id = $3)
                        AND object IS NOT NULL
                      ORDER BY received_at DESC
                      LIMIT 4) AS recent
"""


async def answers_since(connection: asyncpg.Connection, codec: StoredCodec, since: datetime) -> list[str]:
    """Return the newest answers that a version gave to some of its devices' frames, as JSON."""
    rows = await connection.fetch(SELECT_ANSWERS, codec.tenant_id, codec.name, codec.codec_id, since, _DEVICES)
    return [row["object"] for row in rows]
