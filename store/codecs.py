"""The codecs of tenants: uploaded, mapped, activated, bound, put in quarantine, retired."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError, SamaraError


class CodecError(SamaraError):
    """What is asked contradicts what the codec is; nothing was changed."""


class NewCodec(NamedTuple):
    """A script as uploaded. `examples_json` and `fields_json` are JSON lists."""

    tenant_id: int
    name: str
    sha256: str
    source: str
    examples_json: str
    fields_json: str
    created_by: str


class StoredCodec(NamedTuple):
    """One version of a codec as it is stored."""

    codec_id: int
    tenant_id: int
    name: str
    sha256: str
    source: str
    examples_json: str
    fields_json: str
    is_fresh: bool
    version: str
    state: str
    kills: int
    reason: str
    created_at: datetime
    created_by: str
    activated_at: datetime | None
    quarantined_at: datetime | None


class Binding(NamedTuple):
    """What a codec decodes: a device by its DevEUI, or a model."""

    codec: str
    dev_eui: str | None
    model_id: str | None


# The same script uploaded again: its examples are replaced; what is in force stays in force.
UPSERT_CODEC: Final = """
INSERT INTO codecs AS known (tenant_id, name, sha256, source, examples, fields, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, name, sha256) DO UPDATE
   SET examples = excluded.examples,
       fields = CASE WHEN known.fields = '[]' THEN excluded.fields ELSE known.fields END,
       state = CASE WHEN known.state = 'retired' THEN 'draft' ELSE known.state END
RETURNING codec_id, xmax = 0 AS is_new
"""


async def upload(connection: asyncpg.Connection, new: NewCodec) -> tuple[int, bool]:
    """Keep a script as a draft; return its number, and whether it is new. Raises CodecError for a bad name."""
    try:
        row = await connection.fetchrow(UPSERT_CODEC, *new)
    except asyncpg.CheckViolationError as error:
        raise CodecError(f"codec {new.name!r}: a name is lower-case words joined by hyphens") from error
    assert row is not None
    return row["codec_id"], row["is_new"]


_COLUMNS: Final = """
       codec_id, tenant_id, name, sha256, source, examples::text, fields::text, is_fresh, version, state, kills, reason,
       created_at, created_by, activated_at, quarantined_at
"""

SELECT_VERSIONS: Final = f"""
SELECT {_COLUMNS}
  FROM codecs
 WHERE tenant_id = $1 AND ($2::text IS NULL OR name = $2)
 ORDER BY name, codec_id DESC
"""  # noqa: S608 - columns of ours

SELECT_QUARANTINED: Final = f"""
SELECT {_COLUMNS}
  FROM codecs
 WHERE state = 'quarantined'
 ORDER BY quarantined_at
"""  # noqa: S608 - columns of ours


async def versions(connection: asyncpg.Connection, tenant_id: int, name: str | None = None) -> list[StoredCodec]:
    """Return a tenant's codecs by name, the newest version first."""
    return [StoredCodec(*row) for row in await connection.fetch(SELECT_VERSIONS, tenant_id, name)]


async def quarantined(connection: asyncpg.Connection) -> list[StoredCodec]:
    """Return the codecs of all tenants that are in quarantine, the longest first."""
    return [StoredCodec(*row) for row in await connection.fetch(SELECT_QUARANTINED)]


async def version(
    connection: asyncpg.Connection, tenant_id: int, name: str, digits: str = "", states: Collection[str] = ()
) -> StoredCodec:
    """Return the version of a codec whose hash begins so: in these states, else the newest. Raises NotFoundError."""
    found = [one for one in await versions(connection, tenant_id, name) if one.sha256.startswith(digits)]
    if not found:
        said = f" whose hash begins with {digits}" if digits else ""
        raise NotFoundError(f"no codec {name!r}{said}; `samara codecs list` shows them")
    return next((one for one in found if one.state in states), found[0])


UPDATE_FIELDS: Final = """
UPDATE codecs SET fields = $2 WHERE codec_id = $1
"""


async def set_mapping(connection: asyncpg.Connection, codec_id: int, fields_json: str) -> None:
    """Keep the mapping of a draft. One in force changes by being activated again."""
    await connection.execute(UPDATE_FIELDS, codec_id, fields_json)


RETIRE_FORMER: Final = """
UPDATE codecs AS known
   SET state = 'retired'
  FROM codecs AS new
 WHERE new.codec_id = $1
   AND (known.tenant_id, known.name) = (new.tenant_id, new.name)
   AND known.codec_id <> new.codec_id
   AND known.state IN ('active', 'quarantined')
"""

ACTIVATE: Final = """
UPDATE codecs
   SET state = 'active', fields = $2, is_fresh = $3, version = $4, kills = 0, reason = '', quarantined_at = NULL,
       activated_at = now()
 WHERE codec_id = $1
"""

INSERT_DECODER: Final = """
INSERT INTO decoders (codec_id, version) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""


async def activate(
    connection: asyncpg.Connection, codec_id: int, *, fields_json: str, is_fresh: bool, version: str
) -> None:
    """Put a version in force with this mapping; the one before it is retired. Its caller has checked it."""
    async with connection.transaction():
        await connection.execute(RETIRE_FORMER, codec_id)
        await connection.execute(ACTIVATE, codec_id, fields_json, is_fresh, version)
        await connection.execute(INSERT_DECODER, codec_id, version)


UPDATE_STATE: Final = """
UPDATE codecs
   SET state = $2, kills = 0, reason = '', quarantined_at = NULL
 WHERE codec_id = $1 AND state = ANY($3::text[])
RETURNING codec_id
"""


async def retire(connection: asyncpg.Connection, codec: StoredCodec) -> None:
    """Take a version out of force; its devices are decoded as if they had no codec. Raises CodecError."""
    await _move(connection, codec, "retired", ["draft", "active", "quarantined"])


async def release(connection: asyncpg.Connection, codec: StoredCodec) -> None:
    """Run a version in quarantine again. Raises CodecError when it is not there."""
    await _move(connection, codec, "active", ["quarantined"])


async def _move(connection: asyncpg.Connection, codec: StoredCodec, state: str, states: list[str]) -> None:
    if await connection.fetchval(UPDATE_STATE, codec.codec_id, state, states) is None:
        raise CodecError(f"codec {codec.name} {codec.sha256[:12]} is {codec.state}, not {' or '.join(states)}")


QUARANTINE: Final = """
WITH gone AS (
  UPDATE codecs
     SET state = 'quarantined', kills = $3, reason = $4, quarantined_at = now()
   WHERE tenant_id = $1 AND sha256 = $2 AND state = 'active'
  RETURNING name
), told AS (
  INSERT INTO supervision_events (kind, tenant_id, detail)
  SELECT 'codec_quarantined', $1, format('codec %s: %s kills, %s', name, $3::integer, $4::text) FROM gone
)
SELECT name FROM gone
"""


async def quarantine(connection: asyncpg.Connection, tenant_id: int, sha256: str, kills: int, reason: str) -> list[str]:
    """Put the version of a script in quarantine, and tell supervision; return under which names it was active."""
    return [record["name"] for record in await connection.fetch(QUARANTINE, tenant_id, sha256, kills, reason[:500])]


# The device of the codec's tenant, or of one below it.
SELECT_DEVICE_BELOW: Final = """
WITH RECURSIVE above AS (
  SELECT device_id, tenant_id FROM devices WHERE dev_eui = $2
  UNION
  SELECT device_id, parent_id FROM above JOIN tenants USING (tenant_id) WHERE parent_id IS NOT NULL
)
SELECT device_id FROM above WHERE tenant_id = $1
"""

BIND_DEVICE: Final = """
INSERT INTO codec_bindings (tenant_id, codec, device_id)
VALUES ($1, $2, $3)
ON CONFLICT (device_id) DO UPDATE SET tenant_id = excluded.tenant_id, codec = excluded.codec
"""

INSERT_MODEL: Final = """
INSERT INTO models (model_id, vendor, name) VALUES ($1, 'JavaScript codec', $1) ON CONFLICT DO NOTHING
"""

BIND_MODEL: Final = """
INSERT INTO codec_bindings (tenant_id, codec, model_id)
VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, model_id) DO UPDATE SET codec = excluded.codec
"""


async def bind_device(connection: asyncpg.Connection, tenant_id: int, codec: str, dev_eui: str) -> None:
    """Have a codec decode one device of its tenant or of one below. Raises NotFoundError."""
    device_id = await connection.fetchval(SELECT_DEVICE_BELOW, tenant_id, dev_eui)
    if device_id is None:
        raise NotFoundError(f"no device {dev_eui} of this tenant or of one below it")
    await connection.execute(BIND_DEVICE, tenant_id, codec, device_id)


async def bind_model(connection: asyncpg.Connection, tenant_id: int, codec: str, model_id: str) -> None:
    """Have a codec decode the devices of a model, of its tenant and of those below; a new model is made."""
    async with connection.transaction():
        await connection.execute(INSERT_MODEL, model_id)
        await connection.execute(BIND_MODEL, tenant_id, codec, model_id)


DELETE_BINDING: Final = """
DELETE FROM codec_bindings
 USING (SELECT $1::integer AS tenant_id, $2::text AS codec, $3::text AS model_id,
               (SELECT device_id FROM devices WHERE dev_eui = $4) AS device_id) AS gone
 WHERE codec_bindings.tenant_id = gone.tenant_id
   AND codec_bindings.codec = gone.codec
   AND (codec_bindings.model_id = gone.model_id OR codec_bindings.device_id = gone.device_id)
RETURNING 1
"""


async def unbind(connection: asyncpg.Connection, tenant_id: int, binding: Binding) -> None:
    """End a binding. Raises NotFoundError when there is none."""
    if await connection.fetchval(DELETE_BINDING, tenant_id, binding.codec, binding.model_id, binding.dev_eui) is None:
        what = binding.dev_eui or f"model {binding.model_id}"
        raise NotFoundError(f"codec {binding.codec} is not bound to {what}")


SELECT_BOUND_MODELS: Final = """
SELECT DISTINCT model_id FROM codec_bindings WHERE model_id IS NOT NULL
"""


async def bound_models(connection: asyncpg.Connection) -> frozenset[str]:
    """Return the models that somebody's codec decodes."""
    return frozenset(record["model_id"] for record in await connection.fetch(SELECT_BOUND_MODELS))


SELECT_TENANT_BINDINGS: Final = """
SELECT codec, dev_eui, bound.model_id
  FROM codec_bindings AS bound
  LEFT JOIN devices USING (device_id)
 WHERE bound.tenant_id = $1
 ORDER BY codec, bound.model_id, dev_eui
"""


async def bindings(connection: asyncpg.Connection, tenant_id: int) -> list[Binding]:
    """Return what a tenant's codecs are bound to."""
    return [Binding(*row) for row in await connection.fetch(SELECT_TENANT_BINDINGS, tenant_id)]
