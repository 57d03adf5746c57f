"""What decoding a stretch of uplinks again changes: pure, from what is stored and what decoders say today.

A measurement belongs to the uplink that brought it: both bear the same time of reception. Frames may tell the same
past twice; whichever brought it keeps it for as long as it still tells it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from decoders.registry import Registry
from domain.readings import DECODED, FAILED, TWIN
from ingest.batching import to_jsonb
from ingest.codecs import ByCodec
from ingest.judging import Judged, judge, kept_detail
from ingest.redecode.tally import ADDED, CHANGED, KEPT, REMOVED, SAMPLES, Change, Sample, Tally
from store.batch import Live
from store.known import Known
from store.newest import Latest, newest_of
from store.redecoding import Held, LatestRow, Revision, StoredUplink, Stretch, Verdict
from store.redecoding_record import Chosen
from store.rows import hour_of, microseconds

READINGS_SINCE: Final = timedelta(days=32)  # before reception, and
READINGS_UNTIL: Final = timedelta(days=1)  # after it: where the readings of one frame are looked for

_NOTHING: Final = Judged(Live((), (), ()), [], [])

Key = tuple[int, int, datetime]  # quantity_id, channel, measured_at


class Again(NamedTuple):
    """An uplink, what its decoder makes of it today, and which of its readings are stored."""

    uplink: StoredUplink
    verdict: Verdict
    judged: Judged


class Told(NamedTuple):
    """What the uplinks of a stretch tell today. `held` is by key; `past` are keys that other uplinks may tell too."""

    held: dict[Key, Held]
    past: set[Key]


def decode_again(
    uplink: StoredUplink, device: Chosen, registry: Registry, known: Known, by_codec: ByCodec | None = None
) -> Again:
    """Decode one uplink with the decoder of today. What another network server brought too stays as it is.

    `by_codec` is what a JavaScript codec made of it. A codec's answer is kept in the place of the network server's
    object, and goes when another decoder takes over.
    """
    if uplink.outcome == TWIN:
        same = Verdict(uplink.received_at, uplink.uplink_key, uplink.decoder_id, TWIN, uplink.detail)
        return Again(uplink, same, _NOTHING)
    was_codecs = uplink.outcome == DECODED and uplink.decoder_id in known.codecs.decoder_ids
    answer = None
    if by_codec is not None:
        decoded, decoder_id, answer = by_codec
    else:
        foreign = msgspec.json.decode(uplink.object_json) if uplink.object_json and not was_codecs else None
        model_id = device.model_id
        decoded = registry.decode(model_id, uplink.payload, uplink.f_port, foreign, device.parameters)
        decoder_id = known.decoders.get((model_id, decoded.version)) if model_id else None
    outcome, detail = decoded.outcome, decoded.detail
    try:
        judged = judge(decoded.readings, uplink.received_at, known.quantities)
    except (TypeError, ValueError, ArithmeticError) as error:  # a defect of the decoder, as in Registry.decode
        outcome, detail, judged = FAILED, f"{type(error).__name__}: {error}", _NOTHING
    verdict = Verdict(
        uplink.received_at,
        uplink.uplink_key,
        decoder_id,
        outcome,
        detail and kept_detail(detail),
        was_codecs or bool(answer),
        to_jsonb(answer) if answer else None,
    )
    return Again(uplink, verdict, judged)


def looked_for(stretch: Stretch, again: Iterable[Again], kept_from: datetime) -> tuple[datetime, datetime]:
    """Return between which times the measurements of a stretch are to be looked for."""
    past = [one.measured_at for each in again for one in each.judged.past]
    earliest = min(past, default=stretch.first_at)
    return max(kept_from, min(earliest, stretch.first_at - READINGS_SINCE)), stretch.last_at + READINGS_UNTIL


def told(again: Iterable[Again], owned: Mapping[Key, Held], kept_from: datetime) -> Told:
    """Return what the uplinks tell today: of two that tell one thing the one that brought it, else the first.

    What was measured before `kept_from` is no longer kept, and does not come back.
    """
    found = Told({}, set())
    held, past_keys = found
    for uplink, _, (live, past, _) in again:
        at = uplink.received_at
        if at >= kept_from:
            for quantity_id, channel, value in zip(*live, strict=True):
                key = quantity_id, channel, at
                if key not in held:
                    held[key] = Held(quantity_id, channel, at, at, value)
        for quantity_id, channel, measured_at, value in past:
            key = quantity_id, channel, measured_at
            if measured_at < kept_from:
                continue
            past_keys.add(key)
            if key not in held or ((owner := owned.get(key)) and owner.received_at == at):
                held[key] = Held(quantity_id, channel, measured_at, at, value)
    return found


def to_look_up(said: Told, owned: Mapping[Key, Held]) -> list[Held]:
    """Return what may be stored already, brought by an uplink outside the stretch."""
    return [said.held[key] for key in said.past if key not in owned]


class Difference(NamedTuple):
    """Measurements to delete, measurements to insert, and what was counted."""

    gone: list[Held]
    put: list[Held]
    changes: Counter[Change]
    samples: dict[Change, list[Sample]]


def difference(
    device_id: int, said: Told, owned: Mapping[Key, Held], elsewhere: Mapping[Key, Held], until: datetime
) -> Difference:
    """Compare what the uplinks tell with what is stored of them.

    `elsewhere` are measurements that uplinks outside the stretch brought: those of uplinks that are yet to be
    decoded again (received before `until`) are taken over, lest they go with the uplink that no longer tells them.
    """
    found = Difference([], [], Counter(), {})
    gone, put, changes, _ = found
    for key, now in said.held.items():
        before = owned.get(key) or elsewhere.get(key)
        if before and key not in owned and not now.received_at < before.received_at < until:
            continue
        if before is None:
            put.append(now)
            _note(found, (now.quantity_id, ADDED), device_id, None, now)
        elif before.value != now.value:
            gone.append(before)
            put.append(now)
            _note(found, (now.quantity_id, CHANGED), device_id, before, now)
        else:
            changes[now.quantity_id, KEPT] += 1
            if before.received_at != now.received_at:
                gone.append(before)
                put.append(now)
    for key, before in owned.items():
        if key not in said.held:
            gone.append(before)
            _note(found, (before.quantity_id, REMOVED), device_id, before, None)
    return found


def _note(found: Difference, kind: Change, device_id: int, before: Held | None, now: Held | None) -> None:
    found.changes[kind] += 1
    samples = found.samples.setdefault(kind, [])
    one = now or before
    if len(samples) < SAMPLES and one is not None:
        values = before and before.value, now and now.value
        samples.append(Sample(device_id, one.quantity_id, one.channel, one.measured_at, *values))


class LatestChange(NamedTuple):
    """What changes of a device's rows in latest_frames."""

    gone: list[int]
    put: list[Latest]
    lost: set[tuple[int, int]]


def latest_change(stretch: Stretch, again: Iterable[Again], rows: Sequence[LatestRow]) -> LatestChange:
    """Put the newest of each layout that the stretch tells today in the place of what it told before."""
    first_us, last_us = microseconds(stretch.first_at), microseconds(stretch.last_at)
    stale = [row for row in rows if first_us <= row.latest.received_us <= last_us]
    newest = {row.latest.layout: row.latest for row in rows if row not in stale}
    for each in again:
        if each.verdict.outcome == TWIN:
            continue
        for one in newest_of(stretch.device_id, each.uplink.received_at, each.judged.live, each.judged.past):
            known = newest.get(one.layout)
            if known is None or one.is_newer(known):
                newest[one.layout] = one
    before = {row.latest.layout: row.latest for row in rows}
    put = [one for layout, one in newest.items() if one != before.get(layout)]
    gone = [row for row in stale if newest.get(row.latest.layout) != row.latest]
    return LatestChange([row.latest.layout for row in gone], put, {one for row in gone for one in row.series})


def revise(stretch: Stretch, again: Sequence[Again], found: Difference, latest: LatestChange) -> tuple[Revision, Tally]:
    """Return what is to be written of a stretch, and what is to be told of it."""
    touched = {one.received_at for one in found.gone} | {one.received_at for one in found.put}
    verdicts = [one.verdict for one in again if one.uplink.received_at in touched or _differs(one)]
    hours = {hour_of(microseconds(one.measured_at)) for held in (found.gone, found.put) for one in held}
    revision = Revision(
        stretch,
        verdicts,
        found.gone,
        found.put,
        latest.gone,
        latest.put,
        latest.lost,
        {(stretch.device_id, hour_us) for hour_us in hours},
    )
    tally = Tally(
        len(again),
        Counter((one.uplink.outcome, one.verdict.outcome) for one in again),
        found.changes,
        Counter((unfit.quantity, unfit.reason) for one in again for unfit in one.judged.unfit),
        found.samples,
    )
    return revision, tally


def _differs(one: Again) -> bool:
    uplink, verdict = one.uplink, one.verdict
    return (uplink.decoder_id, uplink.outcome, uplink.detail) != verdict[2:5]
