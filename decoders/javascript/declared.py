"""A codec's mapping as it is written: a list of objects, in JSON in the store, in TOML or YAML in a file. Pure.

    [{"path": "battery_mv", "quantity": "battery_voltage", "factor": 0.001}, …]

What is not said has its usual value: factor 1, offset 0, channel 0, no words, no time.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec

from decoders.javascript.mapping import Field, TimeForm
from domain.errors import SamaraError

_USUAL: Final = Field._field_defaults
_MAX_FIELDS: Final = 500


class MappingError(SamaraError):
    """A mapping cannot be read: which field, and why."""


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    quantity: str
    factor: float = 1.0
    offset: float = 0.0
    channel: int = 0
    words: dict[str, float] = {}
    time: str = ""
    time_form: str = "iso"


def fields_of(written: object) -> tuple[Field, ...]:
    """Return the fields of a mapping as it is written. Raises MappingError."""
    if not isinstance(written, list):
        raise MappingError("a mapping is a list of fields, each with `path` and `quantity`")
    if len(written) > _MAX_FIELDS:
        raise MappingError(f"{len(written)} fields; {_MAX_FIELDS} at most")
    return tuple(_field(one, place) for place, one in enumerate(written, start=1))


def _field(written: object, place: int) -> Field:
    try:
        found = msgspec.convert(written, _Written, strict=True)
    except msgspec.ValidationError as error:
        name = written.get("path", place) if isinstance(written, Mapping) else place
        raise MappingError(f"field {name}: {error}") from None
    if found.time_form not in get_args(TimeForm):
        raise MappingError(f"field {found.path}: time_form {found.time_form}; it is one of {get_args(TimeForm)}")
    return Field(*(getattr(found, name) for name in Field._fields))


def written(fields: Iterable[Field]) -> list[dict[str, Any]]:
    """Return a mapping as it is written, without what has its usual value."""
    return [
        {name: value for name, value in one._asdict().items() if name not in _USUAL or value != _USUAL[name]}
        for one in fields
    ]


def fields_from_json(text: str) -> tuple[Field, ...]:
    """Return the mapping that the store holds. Raises MappingError."""
    return fields_of(json.loads(text))


def fields_to_json(fields: Iterable[Field]) -> str:
    """Return a mapping as the store holds it."""
    return json.dumps(written(fields))
