"""The examples of one codec in one file, in whichever layout its publisher wrote them; and as the store keeps them.

A list of TS013's objects (`input`, `output`), ChirpStack's decode tests (`input`, `expected`), a codec file of The
Things Network, or a README of Milesight.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from decoders.javascript.examples import Example
from decoders.javascript.layouts.found import example_of, relaxed_json, text_of
from decoders.javascript.layouts.milesight import examples_of_readme
from decoders.javascript.layouts.things_network import CoreLoader
from domain.errors import SamaraError


class ExamplesError(SamaraError):
    """The examples of a codec cannot be read."""


def examples_in(path: Path) -> tuple[Example, ...]:
    """Return the uplink examples of a file. Raises ExamplesError saying which and why."""
    try:
        text = text_of(path)
        if path.suffix.lower() == ".md":
            return tuple(examples_of_readme(text))
        is_yaml = path.suffix.lower() in {".yaml", ".yml"}
        said = yaml.load(text, CoreLoader) if is_yaml else relaxed_json(text)  # noqa: S506 - a SafeLoader
        return _examples(said)
    except (OSError, ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
        raise ExamplesError(f"{path}: {type(error).__name__}: {error}") from None


def _examples(said: Any) -> tuple[Example, ...]:
    listed = said.get("uplinkDecoder", said).get("examples") if isinstance(said, Mapping) else said
    if not isinstance(listed, list):
        raise TypeError("neither a list of examples, nor an object that has one as `examples`")
    return tuple(
        example_of(
            one.get("description") or one.get("name"),
            one["input"],
            one["output"] if "output" in one else one["expected"],
            one.get("normalizedOutput"),
        )
        for one in listed
        if one.get("type", "uplink") == "uplink"
    )


def examples_to_json(examples: Iterable[Example]) -> str:
    """Return examples as the store keeps them: TS013's form."""
    return json.dumps([_written(one) for one in examples])


def examples_from_json(text: str) -> tuple[Example, ...]:
    """Return the examples that the store has kept."""
    return _examples(json.loads(text))


def _written(one: Example) -> dict[str, Any]:
    expected = one.expected
    output = {"data": expected.data, "errors": expected.errors, "warnings": expected.warnings}
    found: dict[str, Any] = {
        "type": "uplink",
        "description": one.name,
        "input": {
            "bytes": list(one.payload),
            "fPort": one.f_port,
            "recvTime": one.received_at.isoformat(),
            "variables": dict(one.variables),
        },
        "output": {name: value for name, value in output.items() if value is not None} or {"data": None},
    }
    return found if expected.normalized is None else found | {"normalizedOutput": {"data": expected.normalized}}
