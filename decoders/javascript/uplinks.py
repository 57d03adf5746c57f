"""From uplinks to `Decoded`, as the registry gives it for native models: what ingest awaits between two steps.

jobs = [Job(tenant_id, active, uplink.payload, uplink.f_port, uplink.received_at), ...]
for uplink, answered in zip(uplinks, await decode_uplinks(pool, jobs), strict=True): ...
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from decoders.javascript.calls import TRANSIENT, Codec, CodecCall, CodecResult, Status
from decoders.javascript.declared import fields_to_json
from decoders.javascript.mapping import Field, applied
from decoders.javascript.pool import CodecPool
from decoders.parameters import Parameters, counted
from decoders.registry import Decoded
from domain.readings import DECODED, EMPTY, FAILED, MALFORMED, Reading

SCRIPT_DIGITS: Final = 12  # as the native decoders' versions
_MAPPING_DIGITS: Final = 4

# What the codec said of the frame is the frame's fault; everything else is the codec's, and to be decoded again.
_OUTCOMES: Final[Mapping[Status, str]] = {"data": DECODED, "refused": MALFORMED}


def version_of(codec: Codec, fields: Iterable[Field]) -> str:
    """Return what an uplink remembers of what decoded it: the first digits of the script's hash and the mapping's."""
    mapping = hashlib.sha256(fields_to_json(fields).encode()).hexdigest()
    return f"{codec.sha256[:SCRIPT_DIGITS]}.{mapping[:_MAPPING_DIGITS]}"


class ActiveCodec(NamedTuple):
    """An activated codec, its mapping, and the version that both are."""

    codec: Codec
    fields: tuple[Field, ...]
    version: str


class Job(NamedTuple):
    """One uplink of a device that has a codec. `tenant_id` is the tenant's whose codec it is."""

    tenant_id: int
    active: ActiveCodec
    payload: bytes
    f_port: int | None
    received_at: datetime
    variables: Mapping[str, str] = {}


class Answered(NamedTuple):
    """What became of one uplink.

    `answer` is the codec's own object, None when there is none. `is_final` is false where the codec did not come to
    say anything: it was not run, or ended with its process.
    """

    decoded: Decoded
    answer: Any = None
    is_final: bool = True


_NONE: Final[Parameters] = MappingProxyType({})
_NOT_FINAL: Final = TRANSIENT | {"killed", "quarantined"}
_EMPTY: Final = Answered(Decoded(EMPTY))


async def decode_uplinks(pool: CodecPool, jobs: Sequence[Job], within_s: float | None = None) -> list[Answered]:
    """Return what became of each uplink, in order; what takes longer than `within_s` is given up."""
    outcomes = [_EMPTY] * len(jobs)
    asked = [place for place, job in enumerate(jobs) if job.f_port and job.payload]
    results = await pool.decode([_call(jobs[place]) for place in asked], within_s)
    for place, result in zip(asked, results, strict=True):
        outcomes[place] = answered(jobs[place].active, result, jobs[place].variables)
    return outcomes


def _call(job: Job) -> CodecCall:
    assert job.f_port
    return CodecCall(job.tenant_id, job.active.codec, job.payload, job.f_port, job.received_at, job.variables)


def answered(active: ActiveCodec, result: CodecResult, parameters: Parameters = _NONE) -> Answered:
    """Return a result as an outcome with readings; `detail` tells of fields that could not be read."""
    if result.status != "data":
        detail = f"{result.status}: {result.detail}" if result.detail else result.status
        outcome = _OUTCOMES.get(result.status, FAILED)
        return Answered(Decoded(outcome, (), detail, active.version), None, result.status not in _NOT_FINAL)
    mapped = applied(active.fields, result.data)
    readings, problems = _with_indexes(mapped.readings, parameters)
    detail = "; ".join((*mapped.problems, *problems, *result.warnings))
    return Answered(Decoded(DECODED, readings, detail, active.version), result.data)


def _with_indexes(readings: Sequence[Reading], parameters: Parameters) -> tuple[Sequence[Reading], tuple[str, ...]]:
    try:
        return counted(readings, parameters), ()
    except ValueError as error:
        return readings, (str(error),)
