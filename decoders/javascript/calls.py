"""What a codec is given, and what comes back."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, Self

Status = Literal[
    "data",  # the codec answered; `data` is what it said
    "refused",  # the codec answered with `errors`: by TS013, the frame is not one of its device's
    "thrown",  # the codec threw, or its answer is no TS013 output
    "too_large",  # the answer, the script or the input is larger than its limit
    "unloadable",  # the script does not compile, throws while loading, or has no decode function
    "timeout",  # stopped by the engine at its CPU limit
    "memory",  # stopped by the engine at its heap or stack limit
    "killed",  # the engine could not stop it, or died of it: the worker process was ended
    "quarantined",  # this codec version killed its worker too often; it is no longer run
    "over_budget",  # this codec has used up the CPU it may have for now
    "unavailable",  # no worker process could be started: another try may work later
]

Ask = Literal["", "encodeDownlink", "decodeDownlink"]

TRANSIENT: Final[frozenset[Status]] = frozenset({"over_budget", "unavailable"})


class Limits(NamedTuple):
    """What one script may use. CPU times are of the worker process; `grace_s` is wall time on top of them."""

    script_bytes: int = 128 * 1024
    input_bytes: int = 64 * 1024
    output_bytes: int = 64 * 1024
    heap_bytes: int = 32 * 1024 * 1024
    stack_bytes: int = 512 * 1024
    decode_cpu_s: float = 0.050
    load_cpu_s: float = 0.250
    grace_s: float = 0.150
    retained_bytes: int = 8 * 1024 * 1024  # a context that keeps more than this between calls is dropped
    contexts: int = 256  # per worker
    recycle_after: int = 5_000  # calls
    address_space_bytes: int = 1024 * 1024 * 1024


class Codec(NamedTuple):
    """One version of a script, by its hash. `fresh` asks for a new context at each call: see `activation`."""

    sha256: str
    source: str
    fresh: bool = False

    @classmethod
    def of(cls, source: str, *, fresh: bool = False) -> Self:
        """Return the codec of a script."""
        return cls(hashlib.sha256(source.encode(errors="surrogatepass")).hexdigest(), source, fresh)


class CodecCall(NamedTuple):
    """One frame to decode. `variables` are the device's own settings, as strings (TS013 `input.variables`).

    With `ask` it is of a downlink: see `downlinks`.
    """

    tenant_id: int
    codec: Codec
    payload: bytes
    f_port: int
    received_at: datetime
    variables: Mapping[str, str] = {}
    ask: Ask = ""
    command: Any = None  # what is to be encoded


class CodecResult(NamedTuple):
    """What became of one call.

    `data` is the codec's own object (a list with a few legacy codecs), None unless `status` is "data";
    `normalized` is what its `normalizeUplink` made of it, when it has one. `detail` says to a person why there
    is no data. `cpu_us` is the CPU time it took, loading included.
    """

    status: Status
    data: Any = None
    normalized: Any = None
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    detail: str = ""
    cpu_us: int = 0


class Quarantine(NamedTuple):
    """A codec version that is no longer run for a tenant. To be told to a person."""

    tenant_id: int
    sha256: str
    kills: int
    detail: str
