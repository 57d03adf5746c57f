"""Parameters of devices as people write them: `pulse_weight=10 pulse_unit=L`. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from decoders.parameters import problems_of, unused
from decoders.registry import Registry
from domain.errors import ConfigurationError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_DECIMAL_COMMA: Final = re.compile(r"-?\d+,\d+")


def parameters_in(words: Iterable[str]) -> dict[str, str]:
    """Return the parameters of words like `name=value`; a decimal comma becomes a point. Raises ConfigurationError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value or not _NAME.fullmatch(name):
            raise ConfigurationError(f"{word!r}: parameters are written name=value, as in pulse_weight=10 pulse_unit=L")
        found[name] = value.replace(",", ".") if _DECIMAL_COMMA.fullmatch(value) else value
    return found


def constants_of(registry: Registry, model_id: str | None) -> tuple[str, ...]:
    """Return what the decoder of a model needs to know of each device."""
    decoder = registry.decoders.get(model_id) if model_id else None
    return decoder.constants if decoder else ()


def checked(parameters: Mapping[str, str], constants: Iterable[str]) -> list[str]:
    """Return a remark for each name that no decoder of ours reads. Raises ConfigurationError."""
    known = tuple(constants)
    problems = problems_of(parameters, known)
    if problems:
        raise ConfigurationError("\n".join(problems))
    also = f"; its decoder knows {', '.join(known)}" if known else ""
    return [
        f"{name}: no decoder of ours reads it (a JavaScript codec finds it as input.variables.{name}){also}"
        for name in unused(parameters, known)
    ]
