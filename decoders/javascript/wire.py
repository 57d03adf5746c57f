"""What parent and worker say to each other: msgpack frames, each after its length (uint32, big-endian).

A frame longer than MAX_FRAME_BYTES is refused by whoever reads it. Before each call the worker writes one byte
to its progress pipe (LOADING or DECODING), so that the parent knows which call a worker died of or hangs in.
"""

import struct
from collections.abc import Mapping
from typing import Final

import msgspec

MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
HEADER: Final = struct.Struct(">I")
LOADING: Final = b"L"
DECODING: Final = b"D"
PROGRESS_FD: Final = 3


class Call(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One frame; `codec` is the SHA-256 of a source the worker was given in this batch or before."""

    tenant_id: int
    codec: str
    fresh: bool
    payload: bytes
    f_port: int
    received_ms: int
    variables: Mapping[str, str]
    ask: str = ""  # "encodeDownlink" or "decodeDownlink"; "" for an uplink
    command_json: str = "null"


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """Calls, and the sources the worker does not hold yet. `forget` drops every source and context first."""

    calls: list[Call]
    sources: dict[str, str]
    forget: bool = False


class Answer(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """`status` is one of `calls.Status`; `text` is the codec's output (JSON) or the reason why there is none."""

    status: str
    text: str
    cpu_us: int


class Hello(msgspec.Struct, array_like=True, frozen=True):
    """The first frame of a worker: the measures of its sandbox that took."""

    measures: list[str]


def frame(encoded: bytes) -> bytes:
    """Return the frame of an encoded message."""
    return HEADER.pack(len(encoded)) + encoded
