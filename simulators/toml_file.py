"""Reads one table of a TOML file into frozen dataclasses, and says what is wrong in the words of the file."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from domain.errors import ConfigurationError

T = TypeVar("T")


def read(path: Path, table: str, kind: type[T], otherwise: T | None = None) -> T:
    """Return `[table]` of a file as a `kind`; raise ConfigurationError when it is not one.

    A file without that table gives `otherwise`, if there is such a thing.
    """
    content = _content(path).get(table)
    if content is None:
        if otherwise is None:
            raise ConfigurationError(f"{path} has no table [{table}]")
        return otherwise
    try:
        _refuse_unknown(content, kind, table)
        return msgspec.convert(content, kind)
    except (msgspec.ValidationError, ConfigurationError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def table(path: Path, name: str) -> Mapping[str, Any]:
    """Return what `[name]` of a file says, empty without it; raise ConfigurationError when it is not TOML."""
    content = _content(path).get(name, {})
    return content if isinstance(content, Mapping) else {}


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _refuse_unknown(content: Any, kind: Any, where: str) -> None:
    """Raise ConfigurationError for a key that no field answers to, at any depth."""
    if not is_dataclass(kind) or not isinstance(content, Mapping):
        return
    unknown = content.keys() - {one.name for one in fields(kind)}
    if unknown:
        raise ConfigurationError(f"[{where}] has no {', '.join(sorted(unknown))}")
    for name, hint in get_type_hints(kind).items():
        rows = content.get(name)
        for inner in (hint, *get_args(hint)):
            for row in rows if isinstance(rows, list) else (rows,):
                _refuse_unknown(row, inner, f"{where}.{name}")
