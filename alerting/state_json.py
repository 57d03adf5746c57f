"""States as plain JSON, and back. JSON has no infinity: it is written as text."""

import math
from typing import Any, Final

import msgspec

from alerting.states import Machine

_WRITTEN: Final = {math.inf: "inf", -math.inf: "-inf"}
_READ: Final = {"inf": math.inf, "-inf": -math.inf}
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder()


def dump_machine(machine: Machine) -> str:
    """Return a machine as one JSON array."""
    return _encoder.encode(_written(list(machine))).decode()


def load_machine(text: str) -> Machine:
    """Return the machine that `dump_machine` wrote."""
    fields = _decoder.decode(text)
    fields[:9] = [_READ.get(field, field) if isinstance(field, str) else field for field in fields[:9]]
    fields[9] = tuple(fields[9])
    fields[10] = _read(fields[10])
    return Machine(*fields)


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return _WRITTEN.get(value, value) if math.isinf(value) else value
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, str):
        return _READ.get(value, value)
    if isinstance(value, list):
        return [_read(one) for one in value]
    return value
