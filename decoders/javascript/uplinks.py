"""From uplinks to `Decoded`, as the registry gives it for native models: what ingest awaits between two steps.

jobs = [Job(device.tenant_id, active[device.model_id], uplink.payload, uplink.f_port, uplink.received_at), ...]
for uplink, decoded in zip(uplinks, await decode_uplinks(pool, jobs), strict=True): ...
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from decoders.javascript.calls import Codec, CodecCall, CodecResult, Status
from decoders.javascript.mapping import Field, applied
from decoders.javascript.pool import CodecPool
from decoders.registry import Decoded
from domain.readings import DECODED, EMPTY, FAILED, MALFORMED

VERSION_DIGITS: Final = 12  # as the native decoders' versions

# What the codec said of the frame is the frame's fault; everything else is the codec's, and to be decoded again.
_OUTCOMES: Final[Mapping[Status, str]] = {"data": DECODED, "refused": MALFORMED}


class ActiveCodec(NamedTuple):
    """An activated codec and its mapping."""

    codec: Codec
    fields: tuple[Field, ...]

    @property
    def version(self) -> str:
        """What the uplink remembers."""
        return self.codec.sha256[:VERSION_DIGITS]


class Job(NamedTuple):
    """One uplink of a device whose model has a codec."""

    tenant_id: int
    active: ActiveCodec
    payload: bytes
    f_port: int | None
    received_at: datetime
    variables: Mapping[str, str] = {}


async def decode_uplinks(pool: CodecPool, jobs: Sequence[Job]) -> list[Decoded]:
    """Return what became of each uplink, in order."""
    outcomes = [Decoded(EMPTY)] * len(jobs)
    asked = [place for place, job in enumerate(jobs) if job.f_port and job.payload]
    results = await pool.decode([_call(jobs[place]) for place in asked])
    for place, result in zip(asked, results, strict=True):
        outcomes[place] = decoded(jobs[place].active, result)
    return outcomes


def _call(job: Job) -> CodecCall:
    assert job.f_port
    return CodecCall(job.tenant_id, job.active.codec, job.payload, job.f_port, job.received_at, job.variables)


def decoded(active: ActiveCodec, result: CodecResult) -> Decoded:
    """Return a result as an outcome with readings; `detail` tells of fields that could not be read."""
    if result.status != "data":
        detail = f"{result.status}: {result.detail}" if result.detail else result.status
        return Decoded(_OUTCOMES.get(result.status, FAILED), (), detail, active.version)
    mapped = applied(active.fields, result.data)
    return Decoded(DECODED, mapped.readings, "; ".join((*mapped.problems, *result.warnings)), active.version)
