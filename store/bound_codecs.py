"""Which JavaScript codec decodes which device: what ingest holds in memory, read afresh whenever it changes."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import asyncpg


class CodecInForce(NamedTuple):
    """A codec's version that decodes, or would if it were not in quarantine.

    `tenant_id` is the tenant's that uploaded it, whosever the device is; `fields_json` is its mapping; `quarantine` is
    why it is not run, "" when it is.
    """

    codec_id: int
    tenant_id: int
    name: str
    sha256: str
    source: str
    fields_json: str
    is_fresh: bool
    version: str
    decoder_id: int
    quarantine: str


class BoundCodecs:
    """The codecs in force and what they are bound to. Immutable; false when nothing is bound."""

    __slots__ = ("_by_device", "_by_model", "_parents", "decoder_ids")

    def __init__(
        self,
        by_device: Mapping[int, CodecInForce] | None = None,
        by_model: Mapping[tuple[int, str], CodecInForce] | None = None,
        parents: Mapping[int, int] | None = None,
        decoder_ids: frozenset[int] = frozenset(),
    ) -> None:
        self._by_device: Final = by_device or {}
        self._by_model: Final = by_model or {}
        self._parents: Final = parents or {}
        self.decoder_ids: Final = decoder_ids  # of every codec there ever was

    def __bool__(self) -> bool:
        return bool(self._by_device or self._by_model)

    def of(self, device_id: int, tenant_id: int, model_id: str | None) -> CodecInForce | None:
        """Return what decodes a device: its own codec, else its model's with its tenant or the nearest above."""
        found = self._by_device.get(device_id)
        if found is not None or model_id is None or not self._by_model:
            return found
        above: int | None = tenant_id
        seen: set[int] = set()
        while above is not None and above not in seen:
            found = self._by_model.get((above, model_id))
            if found is not None:
                return found
            seen.add(above)
            above = self._parents.get(above)
        return None

    def knows(self, model_id: str) -> bool:
        """Say whether somebody's codec is bound to a model."""
        return any(bound == model_id for _, bound in self._by_model)

    @property
    def quarantined(self) -> frozenset[tuple[int, str]]:
        """Return the (tenant, hash) of the codecs in quarantine."""
        every = (*self._by_device.values(), *self._by_model.values())
        return frozenset((one.tenant_id, one.sha256) for one in every if one.quarantine)


SELECT_IN_FORCE: Final = """
SELECT codec_id, tenant_id, name, sha256, source, fields::text, is_fresh, codecs.version, decoder_id,
       CASE WHEN state = 'quarantined' THEN coalesce(nullif(reason, ''), 'by hand') ELSE '' END AS quarantine
  FROM codecs
  JOIN decoders USING (codec_id)
 WHERE state IN ('active', 'quarantined')
   AND decoders.version = codecs.version
   AND EXISTS (SELECT FROM codec_bindings AS bound WHERE bound.tenant_id = codecs.tenant_id AND codec = name)
"""

SELECT_BINDINGS: Final = """
SELECT tenant_id, codec, device_id, model_id FROM codec_bindings
"""

SELECT_PARENTS: Final = """
SELECT tenant_id, parent_id FROM tenants WHERE parent_id IS NOT NULL
"""

SELECT_CODEC_DECODERS: Final = """
SELECT decoder_id FROM decoders WHERE codec_id IS NOT NULL
"""


async def load_bound_codecs(connection: asyncpg.Connection) -> BoundCodecs:
    """Return what is bound now, from one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        in_force = [CodecInForce(*row) for row in await connection.fetch(SELECT_IN_FORCE)]
        bindings = await connection.fetch(SELECT_BINDINGS)
        parents = {one["tenant_id"]: one["parent_id"] for one in await connection.fetch(SELECT_PARENTS)}
        decoder_ids = frozenset(record["decoder_id"] for record in await connection.fetch(SELECT_CODEC_DECODERS))
    by_name = {(one.tenant_id, one.name): one for one in in_force}
    by_device: dict[int, CodecInForce] = {}
    by_model: dict[tuple[int, str], CodecInForce] = {}
    for tenant_id, codec, device_id, model_id in bindings:
        found = by_name.get((tenant_id, codec))
        if found is None:
            continue  # no version of it was activated: devices are decoded as before
        if device_id is not None:
            by_device[device_id] = found
        else:
            by_model[tenant_id, model_id] = found
    return BoundCodecs(by_device, by_model, parents, decoder_ids)
