"""Reads one table of a TOML file into frozen dataclasses, and says what is wrong in the words of the file."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from domain.errors import ConfigurationError

T = TypeVar("T")


def read(path: Path, table: str, kind: type[T]) -> T:
    """Return `[table]` of a file as a `kind`; raise ConfigurationError when it is not one."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))[table]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    except KeyError as error:
        raise ConfigurationError(f"{path} has no table [{table}]") from error
    try:
        _refuse_unknown(content, kind, table)
        return msgspec.convert(content, kind)
    except (msgspec.ValidationError, ConfigurationError) as error:
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
