"""One codec in one engine context, in the worker: load it, call it, say what became of it."""

import json
import re
import time
from pathlib import Path
from typing import Final

import msgspec

from decoders.javascript.calls import Limits, Status
from decoders.javascript.engine import Engine, EngineContext
from decoders.javascript.wire import Call

FOLDER: Final = Path(__file__).parent
HARNESS: Final = (FOLDER / "harness.js").read_text(encoding="utf-8")
BUFFER: Final = (FOLDER / "buffer.js").read_text(encoding="utf-8")

_FORMS: Final = ("decodeUplink", "normalizeUplink", "Decoder", "Decode")
_DOWNLINK_FORMS: Final = ("encodeDownlink", "decodeDownlink", "Encoder", "Encode")
_FOUND: Final = (
    "({"
    + "".join(f"{name}: typeof {name} === 'function' ? {name} : undefined, " for name in (*_FORMS, *_DOWNLINK_FORMS))
    + "driver: typeof driver === 'object' ? driver : undefined, "
    + "exported: typeof module === 'object' && module ? module.exports : undefined})"
)
_SLOT: Final = "__samaraFound"
_EXPORT_DEFAULT: Final = re.compile(r"^(\s*)export\s+default\s+(?=[\{\(\[])", re.MULTILINE)

# The engine's own words for being stopped. A script can throw the same: it then only misnames its own failure.
_INTERRUPTED: Final = "InternalError: interrupted"
_OUT_OF_MEMORY: Final = "out of memory"
_OUT_OF_STACK: Final = "Maximum call stack size exceeded"

_FIRST_LOOKS: Final = 1
_LOOK_EVERY: Final = 64


class LoadError(Exception):
    """The script cannot be used. `status` is one of `calls.Status`."""

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.status: Final = status
        self.detail: Final = detail


class CodecContext:
    """A loaded codec. Raises LoadError when it cannot be loaded."""

    def __init__(self, engine: Engine, source: str, limits: Limits) -> None:
        self._engine: Final = engine
        self._limits: Final = limits
        self.calls = 0
        try:
            self._context = self._load(source)
            self._run = self._bound()
        except MemoryError:
            raise LoadError("memory", "the script uses too much memory") from None
        except engine.errors as error:
            raise LoadError(*_stopped(error, "unloadable")) from None
        if self._run is None:
            raise LoadError("unloadable", "no function decodeUplink, Decoder or Decode")

    def _load(self, source: str) -> EngineContext:
        """Run the script, as a script if it compiles as one, else as an ES module."""
        context = self._blank(source)
        try:
            context.eval(source)
        except self._engine.errors as error:
            if not str(error).startswith("SyntaxError"):
                raise
            if "export" not in source:
                raise
        else:
            self._found = _FOUND
            return context
        context = self._blank(source)
        # Only the module's own text sees its names: it hands them over in its last line.
        source = _EXPORT_DEFAULT.sub(r"\1const driver = ", source)
        context.module(f"{source}\n;globalThis.{_SLOT} = {_FOUND};")
        self._found = _SLOT
        return context

    def _blank(self, source: str) -> EngineContext:
        limits = self._limits
        context: EngineContext = self._engine.new_context()
        context.set_memory_limit(limits.heap_bytes)
        context.set_max_stack_size(limits.stack_bytes)
        context.set_time_limit(limits.load_cpu_s)
        self._bind = context.eval(HARNESS)
        if "Buffer" in source:
            context.eval(BUFFER)
        return context

    def _bound(self) -> object:
        run = self._bind(self._context.eval(self._found), self._limits.output_bytes)
        self._context.set_time_limit(self._limits.decode_cpu_s)
        return run

    def decode(self, call: Call) -> tuple[Status, str]:
        """Return the status and its text: the output as JSON when "data", else the reason."""
        self.calls += 1
        text = input_json(call)
        if len(text) > self._limits.input_bytes:
            return "too_large", f"an input of {len(text)} characters"
        try:
            output = self._run(text)  # type: ignore[operator]
        except MemoryError:
            return "memory", "out of memory"
        except self._engine.errors as error:
            return _stopped(error, "thrown")
        if not isinstance(output, str) or output == "+":
            return "too_large", f"an answer of more than {self._limits.output_bytes} characters"
        if output[0] == "!":
            return _thrown(json.loads(output[1:]))
        return "data", output

    def drifted(self) -> str:
        """Name a built-in object that the script changed after loading, "" if none did.

        Looked at after the first call and now and then: it costs more than a call.
        """
        if self.calls > _FIRST_LOOKS and self.calls % _LOOK_EVERY:
            return ""
        try:
            return str(self._run(""))  # type: ignore[operator]
        except MemoryError:
            return "everything"
        except self._engine.errors:
            return "everything"

    def retained_bytes(self) -> int:
        """Return what the script keeps between calls."""
        return self._context.memory()["memory_used_size"]


def input_json(call: Call) -> str:
    """Return TS013's input as JSON; `recvTime` is in milliseconds here."""
    variables = msgspec.json.encode(call.variables).decode() if call.variables else "{}"
    command = f'"ask":"{call.ask}","data":{call.command_json},' if call.ask else ""
    return (
        f'{{{command}"bytes":{list(call.payload)},"fPort":{call.f_port},"recvTime":{call.received_ms},'
        f'"variables":{variables}}}'
    )


def _stopped(error: Exception, otherwise: Status) -> tuple[Status, str]:
    said = str(error)
    first = said.partition("\n")[0][:500]
    if said.startswith(_INTERRUPTED):
        return "timeout", "stopped at its CPU limit"
    if _OUT_OF_MEMORY in first or _OUT_OF_STACK in first:
        return "memory", first
    return otherwise, first


def _thrown(message: str) -> tuple[Status, str]:
    if _OUT_OF_MEMORY in message or _OUT_OF_STACK in message:
        return "memory", message
    return "thrown", message


def cpu_ns() -> int:
    """Return the CPU time of this thread: an armed timer makes Linux tell the process's in whole ticks."""
    return time.thread_time_ns()
