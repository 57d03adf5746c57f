"""The kinds of rules: one module each, found by walking this folder. Pure: nothing here reads or stores anything.

A module holds one `Definition` with a KIND of its own. How to add one: docs/how-to/add-a-rule-kind.md.
"""

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from alerting.rules._base import HEARD, Definition, Figures, Series, Surroundings, What
from alerting.rules._calendar import (
    DAYS,
    Calendar,
    Exceptional,
    Hours,
    OpeningHours,
    public_holidays,
    school_holidays,
)
from alerting.rules._fields import Field, choice_label, fields
from alerting.rules._templates import TEMPLATES, Proposal, Template, proposals
from alerting.rules._tree import OPERATORS
from alerting.rules._words import LANGUAGES, Language, label, measured, would_have
from domain.errors import ConfigurationError, SamaraError
from domain.folders import named

__all__ = [
    "DAYS",
    "HEARD",
    "LANGUAGES",
    "OPERATORS",
    "TEMPLATES",
    "Calendar",
    "Definition",
    "Exceptional",
    "Field",
    "Figures",
    "Hours",
    "Language",
    "OpeningHours",
    "Proposal",
    "RuleError",
    "Series",
    "Surroundings",
    "Template",
    "What",
    "choice_label",
    "fields",
    "kinds",
    "label",
    "load",
    "measured",
    "parse",
    "proposals",
    "public_holidays",
    "school_holidays",
    "would_have",
]


class RuleError(SamaraError):
    """A rule is not what its kind allows; nothing was kept."""


@cache
def kinds() -> Mapping[str, type[Definition]]:
    """Return the definitions of this folder by KIND."""
    return load()


def load(package: str = __name__) -> Mapping[str, type[Definition]]:
    """Return the definitions of a package by KIND. Modules whose name begins with `_` are helpers.

    Raises ConfigurationError, naming the module, when one cannot be imported, holds no definition, or a taken KIND.
    """
    return named(package, "rule kind", _definition, lambda definition: definition.KIND)


def _definition(module: ModuleType) -> type[Definition]:
    own = [
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, Definition)
        and one.__module__ == module.__name__
        and "KIND" in vars(one)
    ]
    if len(own) != 1:
        raise ConfigurationError(f"{module.__name__}: it must hold one definition with a KIND, not {len(own)}")
    return own[0]


def parse(kind: str, values: Mapping[str, Any]) -> Definition:
    """Return the definition that those values make. Raises RuleError, which says in one line each what is wrong."""
    model = kinds().get(kind)
    if model is None:
        raise RuleError(f"no rule kind {kind!r}; there are {', '.join(sorted(kinds()))}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RuleError(_in_plain_words(error)) from None


def _in_plain_words(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in problem["loc"])
        said = "no such field" if problem["type"] == "extra_forbidden" else problem["msg"]
        said = said.removeprefix("Value error, ").replace("Input should", "it should")
        lines.append(f"{key}: {said}" if key else said)
    return "\n".join(lines)
