"""What JavaScript codecs make of uplinks: the pool of worker processes of one ingest process, and its codecs.

No worker process starts before the first uplink of a device that has a codec.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

import asyncpg
import structlog

from decoders.javascript.calls import Codec, Quarantine
from decoders.javascript.declared import MappingError, fields_from_json
from decoders.javascript.engine import check_engine
from decoders.javascript.pool import CodecPool
from decoders.javascript.uplinks import ActiveCodec, Answered, Job, decode_uplinks
from decoders.registry import Decoded
from domain.readings import EMPTY, FAILED
from store.bound_codecs import BoundCodecs, CodecInForce
from store.codecs import quarantine
from store.parameters import Parameters

log = structlog.get_logger()


class CodecUplink(NamedTuple):
    """An uplink that a codec decodes. `place` is the caller's, by which it finds the answer."""

    place: int
    codec: CodecInForce
    payload: bytes
    f_port: int | None
    received_at: datetime
    parameters: Parameters


class ByCodec(NamedTuple):
    """What a codec made of an uplink; `answer` is its own object, mapped or not, None when there is none."""

    decoded: Decoded
    decoder_id: int | None
    answer: Any


NOT_BY_CODEC: Final[Mapping[int, ByCodec]] = MappingProxyType({})


class Codecs:
    """The codecs of one process. Raises ConfigurationError at once when the engine is missing or shadowed."""

    def __init__(self) -> None:
        check_engine()
        self._put_away: list[Quarantine] = []
        self._pool: CodecPool | None = None
        self._active: dict[int, ActiveCodec] = {}  # by decoder_id

    async def __aenter__(self) -> Self:
        """Nothing starts yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the worker processes."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.__aexit__()

    async def decode(self, uplinks: Iterable[CodecUplink], within_s: float | None = None) -> dict[int, ByCodec]:
        """Return what became of each uplink, by its place; what takes longer than `within_s` seconds is given up."""
        return {one.place: by_codec(one, found) for one, found in await self.answers([*uplinks], within_s)}

    async def answers(
        self, uplinks: list[CodecUplink], within_s: float | None = None
    ) -> list[tuple[CodecUplink, Answered]]:
        """Return each uplink with its answer."""
        found = {one.place: _set_aside(one.codec) for one in uplinks if one.codec.quarantine}
        runnable: list[CodecUplink] = []
        jobs: list[Job] = []
        for one in uplinks:
            if one.place in found:
                continue
            try:
                active = self._activated(one.codec)
            except MappingError as error:
                found[one.place] = Answered(Decoded(FAILED, (), f"mapping: {error}", one.codec.version))
                continue
            runnable.append(one)
            jobs.append(Job(one.codec.tenant_id, active, one.payload, one.f_port, one.received_at, one.parameters))
        if jobs:
            pool = await self._started()
            answers = await decode_uplinks(pool, jobs, within_s)
            found.update((one.place, answer) for one, answer in zip(runnable, answers, strict=True))
        return [(one, found[one.place]) for one in uplinks]

    async def record_quarantines(self, connection: asyncpg.Connection) -> None:
        """Write down which codecs killed their worker too often, and tell it once. Raises what asyncpg raises."""
        while self._put_away:
            one = self._put_away.pop()
            try:
                names = await quarantine(connection, one.tenant_id, one.sha256, one.kills, one.detail)
            except BaseException:
                self._put_away.append(one)
                raise
            for name in names:
                log.error(
                    "codec_quarantined", tenant_id=one.tenant_id, codec=name, sha256=one.sha256[:12], kills=one.kills,
                    detail=one.detail, action="see `samara codecs show`; `samara codecs release` runs it again",
                )  # fmt: skip

    def follow(self, before: BoundCodecs, now: BoundCodecs) -> None:
        """Run again what a person released, and forget what is no longer in force."""
        if self._pool is not None:
            for tenant_id, sha256 in before.quarantined - now.quarantined:
                self._pool.release(tenant_id, sha256)
        self._active.clear()

    @property
    def kills(self) -> int:
        """How many worker processes were ended because of a script."""
        return self._pool.kills if self._pool is not None else 0

    async def _started(self) -> CodecPool:
        if self._pool is None:
            self._pool = pool = CodecPool(on_quarantine=self._put_away.append)
            await pool.__aenter__()
        return self._pool

    def _activated(self, codec: CodecInForce) -> ActiveCodec:
        active = self._active.get(codec.decoder_id)
        if active is None:
            script = Codec(codec.sha256, codec.source, codec.is_fresh)
            active = ActiveCodec(script, fields_from_json(codec.fields_json), codec.version)
            self._active[codec.decoder_id] = active
        return active


def _set_aside(codec: CodecInForce) -> Answered:
    return Answered(Decoded(FAILED, (), f"quarantined: {codec.quarantine}", codec.version), is_final=False)


def by_codec(one: CodecUplink, found: Answered) -> ByCodec:
    """Return what became of an uplink with the number of what decoded it: none where there was nothing to decode."""
    decoder_id = None if found.decoded.outcome == EMPTY else one.codec.decoder_id
    return ByCodec(found.decoded, decoder_id, found.answer)
