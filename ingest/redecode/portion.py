"""One portion: some devices, of each the next stretch of uplinks, decoded again in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from decoders.registry import Registry
from domain.errors import SamaraError
from domain.quantities import FOREIGN_PREFIX
from domain.readings import TWIN
from ingest.codecs import NOT_BY_CODEC, ByCodec, Codecs, CodecUplink, by_codec
from ingest.redecode.revision import (
    decode_again,
    difference,
    latest_change,
    looked_for,
    revise,
    to_look_up,
    told,
)
from ingest.redecode.tally import ADDED, CHANGED, REMOVED, Tally, added
from store.known import Known, learn_foreign
from store.partitions import ensure_partitions
from store.redecoding import (
    BEGIN_PORTION,
    CONTENDED,
    Revision,
    StoredUplink,
    Stretch,
    held_by,
    holders,
    latest_rows,
    missing_months,
    uplinks_after,
    write_revisions,
)
from store.redecoding_record import Chosen, Step, claim, move_on

_TRIES: Final = 100
_AGAIN_S: Final = 0.1


class ContendedError(SamaraError):
    """Others hold the rows for too long; what is done stays done: run it again later."""


class CodecBusyError(SamaraError):
    """The codec gave no answer: its frames stay as they were."""

    def __init__(self, name: str, detail: str) -> None:
        self.is_quarantined = detail.startswith("quarantined")
        advice = "`samara codecs release`, or activate another version" if self.is_quarantined else "run it again later"
        super().__init__(f"codec {name}: {detail}; what is done stays done: {advice}")


class _Unprepared(Exception):  # noqa: N818 - no failure: what is missing is made outside the transaction
    def __init__(self, names: set[str], months: Sequence[date]) -> None:
        super().__init__()
        self.names = names
        self.months = months


class Size(NamedTuple):
    """How much is done in one transaction: a second's work, so that nobody waits long for its locks."""

    devices: int = 4
    uplinks: int = 1_000  # of each device


USUAL: Final = Size()


class Bounds(NamedTuple):
    """Uplinks received until then are decoded again; what was measured before `kept_from` is not kept."""

    until: datetime
    kept_from: datetime
    size: Size


class Decoding(NamedTuple):
    """What decodes: the decoders and codecs of today, and the numbers that names have in the store."""

    registry: Registry
    known: Known
    codecs: Codecs


class _Found(NamedTuple):
    revision: Revision
    tally: Tally
    is_last: bool


async def shown(
    connection: asyncpg.Connection, device: Chosen, decoding: Decoding, bounds: Bounds
) -> AsyncIterator[Tally]:
    """Say what decoding a device's uplinks again would change, stretch by stretch; change nothing."""
    is_last = False
    while not is_last:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(BEGIN_PORTION)
            found = await _stretch(connection, device, decoding, bounds)
        if found is None:
            return
        yield found.tally
        device, is_last = device._replace(reached_at=found.revision.stretch.last_at), found.is_last


async def applied(
    connection: asyncpg.Connection, redecoding_id: int, decoding: Decoding, bounds: Bounds
) -> AsyncIterator[Tally]:
    """Decode again, portion by portion, until no device is left that nobody else is at. Raises ContendedError."""
    tries = 0
    asked: set[str] = set()
    while True:
        try:
            tally = await _portion(connection, redecoding_id, decoding, bounds, asked)
        except _Unprepared as missing:
            asked |= missing.names
            await learn_foreign(connection, decoding.known, missing.names)
            await ensure_partitions(connection, "measurements", missing.months)
        except (*CONTENDED, CodecBusyError) as error:
            tries += 1
            if isinstance(error, CodecBusyError) and (error.is_quarantined or tries == _TRIES):
                raise
            if tries == _TRIES:
                raise ContendedError from error
            await asyncio.sleep(_AGAIN_S)
        else:
            if tally is None:
                return
            tries = 0
            yield tally


async def _portion(
    connection: asyncpg.Connection, redecoding_id: int, decoding: Decoding, bounds: Bounds, asked: set[str]
) -> Tally | None:
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(BEGIN_PORTION)
        devices = await claim(connection, redecoding_id, bounds.size.devices)
        if not devices:
            return None
        found = [await _stretch(connection, device, decoding, bounds) for device in devices]
        revisions = [one.revision for one in found if one is not None]
        names = {name for one in found if one is not None for name in _new_names(one, decoding.known)} - asked
        months = await missing_months(connection, revisions)
        if names or months:
            raise _Unprepared(names, months)
        await write_revisions(connection, revisions)
        steps = [_step(device, one, bounds) for device, one in zip(devices, found, strict=True)]
        await move_on(connection, redecoding_id, steps)
    total = Tally.empty()
    for one in found:
        total = total if one is None else added(total, one.tally)
    return total


async def _stretch(connection: asyncpg.Connection, device: Chosen, decoding: Decoding, bounds: Bounds) -> _Found | None:
    """Return what changes of the next uplinks of a device; None when it has no more."""
    until, kept_from, (_, limit) = bounds
    uplinks = await uplinks_after(connection, device.device_id, device.reached_at, until, limit)
    if not uplinks:
        return None
    stretch = Stretch(device.device_id, uplinks)
    found = await _by_codec(device, uplinks, decoding)
    again = [
        decode_again(one, device, decoding.registry, decoding.known, found.get(place))
        for place, one in enumerate(uplinks)
    ]
    held = await held_by(connection, stretch, *looked_for(stretch, again, kept_from))
    owned = {one[:3]: one for one in held}
    said = told(again, owned, kept_from)
    elsewhere = {one[:3]: one for one in await holders(connection, device.device_id, to_look_up(said, owned))}
    changes = difference(device.device_id, said, owned, elsewhere, until)
    latest = latest_change(stretch, again, await latest_rows(connection, device.device_id))
    return _Found(*revise(stretch, again, changes, latest), len(uplinks) < limit)


async def _by_codec(device: Chosen, uplinks: Sequence[StoredUplink], decoding: Decoding) -> Mapping[int, ByCodec]:
    """Return what the device's codec makes of its uplinks, if it has one. Raises CodecBusyError."""
    codec = decoding.known.codecs.of(device.device_id, device.tenant_id, device.model_id)
    if codec is None:
        return NOT_BY_CODEC
    wanted = [
        CodecUplink(place, codec, one.payload, one.f_port, one.received_at, device.parameters)
        for place, one in enumerate(uplinks)
        if one.outcome != TWIN
    ]
    answers = await decoding.codecs.answers(wanted)
    open_question = next((found.decoded.detail for _, found in answers if not found.is_final), None)
    if open_question:
        raise CodecBusyError(codec.name, open_question)
    return {one.place: by_codec(one, found) for one, found in answers}


def _new_names(found: _Found, known: Known) -> set[str]:
    names = {name for name, _ in found.tally.refused if name.startswith(FOREIGN_PREFIX)}
    return names - known.quantities.keys()


def _step(device: Chosen, found: _Found | None, bounds: Bounds) -> Step:
    if found is None:
        return Step(device.device_id, bounds.until, True, 0, 0, 0, 0, 0, 0)  # noqa: FBT003 - columns of a table
    tally = found.tally
    return Step(
        device_id=device.device_id,
        reached_at=found.revision.stretch.last_at,
        is_done=found.is_last,
        uplinks=tally.uplinks,
        outcomes=tally.other_outcomes,
        added=tally.readings(ADDED),
        removed=tally.readings(REMOVED),
        changed=tally.readings(CHANGED),
        refused=tally.refused.total(),
    )
