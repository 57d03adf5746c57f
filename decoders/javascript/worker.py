"""The child process that runs scripts: batches in on standard input, answers out on standard output.

Started by `process.py` as `python -I` with an empty environment. It gives up everything (`lockdown.py`) before
it reads its first batch, and ends when its input does. A script that the engine cannot interrupt is ended, with
the process, by the kernel's CPU timer (SIGPROF) or by the parent's clock.
"""

import gc
import os
import resource
import signal
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from decoders.javascript import lockdown, wire
from decoders.javascript.calls import Limits, Status
from decoders.javascript.context import CodecContext, LoadError, cpu_ns
from decoders.javascript.engine import Engine
from decoders.javascript.wire import Answer, Batch, Call, Hello

_GROWTH_BYTES: Final = 8 * 1024 * 1024
_UNREADABLE_EXIT: Final = 3

Key = tuple[int, str]


class Contexts:
    """The loaded codecs by (tenant, hash), the least recently used dropped first. Never shared between tenants."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine: Final = engine
        self._limits: Final = limits
        self._loaded: Final[OrderedDict[Key, CodecContext]] = OrderedDict()
        self._drifting: Final[set[Key]] = set()
        self._peak_bytes = _peak_bytes()
        self.sources: Final[dict[str, str]] = {}

    def forget(self) -> None:
        """Drop every source and context."""
        self._loaded.clear()
        self._drifting.clear()
        self.sources.clear()

    def answer(self, call: Call) -> tuple[Status, str]:
        """Decode one frame in its codec's context."""
        key = call.tenant_id, call.codec
        context = self._loaded.get(key)
        if context is None:
            try:
                context = self._load(key)
            except LoadError as error:
                return error.status, error.detail
        else:
            self._loaded.move_to_end(key)
            _begin(wire.DECODING, self._limits.decode_cpu_s)
        status, text = context.decode(call)
        if status != "data" or call.fresh or context.calls >= self._limits.recycle_after or self._drifts(key, context):
            del self._loaded[key]
        return status, text

    def _load(self, key: Key) -> CodecContext:
        _begin(wire.LOADING, self._limits.load_cpu_s)
        context = CodecContext(self._engine, self.sources[key[1]], self._limits)
        self._loaded[key] = context
        if len(self._loaded) > self._limits.contexts:
            self._loaded.popitem(last=False)
        signal.setitimer(signal.ITIMER_PROF, 2 * self._limits.decode_cpu_s)
        return context

    def _drifts(self, key: Key, context: CodecContext) -> bool:
        """Say whether the script changed built-in objects: it then never meets what it changed again."""
        if key not in self._drifting and context.drifted():
            if len(self._drifting) > 4 * self._limits.contexts:
                self._drifting.clear()
            self._drifting.add(key)
        return key in self._drifting

    def shed(self) -> None:
        """Drop the contexts that keep too much, if the process has grown: looking at each one is slow."""
        peak_bytes = _peak_bytes()
        if peak_bytes - self._peak_bytes < _GROWTH_BYTES:
            return
        self._peak_bytes = peak_bytes
        most = self._limits.retained_bytes
        for key in [key for key, context in self._loaded.items() if context.retained_bytes() > most]:
            del self._loaded[key]


def _begin(phase: bytes, cpu_s: float) -> None:
    """Tell the parent which call begins, and the kernel when to end the process: at twice the engine's limit."""
    os.write(wire.PROGRESS_FD, phase)
    signal.setitimer(signal.ITIMER_PROF, 2 * cpu_s)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def answers(contexts: Contexts, batch: Batch) -> Iterator[Answer]:
    """Answer each call in turn."""
    if batch.forget:
        contexts.forget()
    contexts.sources.update(batch.sources)
    before_ns = cpu_ns()
    for call in batch.calls:
        status, text = contexts.answer(call)
        after_ns = cpu_ns()
        yield Answer(status, text, (after_ns - before_ns) // 1000)
        before_ns = after_ns
    signal.setitimer(signal.ITIMER_PROF, 0)
    contexts.shed()


def main(arguments: Sequence[str]) -> None:
    """Serve until standard input ends. `arguments`: the progress pipe's number, the limits as a JSON list, niceness."""
    progress, limits = int(arguments[0]), Limits(*msgspec.json.decode(arguments[1]))
    os.dup2(progress, wire.PROGRESS_FD)
    os.nice(int(arguments[2]))
    engine = Engine()
    contexts = Contexts(engine, limits)
    batches, encoder = msgspec.msgpack.Decoder(Batch), msgspec.msgpack.Encoder()
    _rehearse(engine, limits)
    measures = lockdown.lock_down(limits.address_space_bytes)
    gc.freeze()
    _write(encoder.encode(Hello(measures)))
    while (encoded := _read()) is not None:
        try:
            batch = batches.decode(encoded)
        except msgspec.DecodeError:
            os._exit(_UNREADABLE_EXIT)
        _write(encoder.encode(list(answers(contexts, batch))))


def _rehearse(engine: Engine, limits: Limits) -> None:
    """Decode something before the files are closed: what Python imports late, it must have by then."""
    contexts = Contexts(engine, limits)
    source = "function decodeUplink(input) { if (input.fPort === 1) return {}; throw new Error('é') }"
    calls = [Call(0, "rehearsal", f_port > 1, b"", f_port, 0, {"a": "b"}) for f_port in (1, 2)]
    wire_form = msgspec.msgpack.encode(Batch(calls, {"rehearsal": source}))
    msgspec.msgpack.encode(list(answers(contexts, msgspec.msgpack.decode(wire_form, type=Batch))))


def _read() -> bytes | None:
    header = _exactly(wire.HEADER.size)
    if header is None:
        return None
    (length,) = wire.HEADER.unpack(header)
    if length > wire.MAX_FRAME_BYTES:
        os._exit(_UNREADABLE_EXIT)
    return _exactly(length)


def _exactly(count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(0, count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _write(encoded: bytes) -> None:
    remaining = memoryview(wire.frame(encoded))
    while remaining:
        remaining = remaining[os.write(1, remaining) :]
