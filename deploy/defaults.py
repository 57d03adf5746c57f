"""Secrets that anybody would try first: those of our own example, and the words that servers come with."""

from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from domain.errors import ConfigurationError

_EXAMPLE: Final = "change-me"
_FIRST: Final = frozenset({"admin", "changeme", "guest", "password", "passw0rd", "postgres", "root", "samara", "test"})


def refuse_defaults(settings: BaseModel) -> None:
    """Raise ConfigurationError naming the secrets that are none; a process does not start with one."""
    found = guessable(settings)
    if found:
        raise ConfigurationError(f"{', '.join(found)}: this is no secret but the first thing to be tried; make one")


def guessable(model: BaseModel, path: str = "") -> list[str]:
    """Return the keys of secrets that are an example's or a default; an address counts by its password."""
    found: list[str] = []
    for name in type(model).model_fields:
        value, key = getattr(model, name), f"{path}{name}"
        for number, one in enumerate(value if isinstance(value, tuple) else (value,)):
            here = f"{key}.{number}" if isinstance(value, tuple) else key
            if isinstance(one, SecretStr) and _is_first(one.get_secret_value()):
                found.append(here)
            elif isinstance(one, BaseModel):
                found += guessable(one, f"{here}.")
    return found


def _is_first(value: str) -> bool:
    secret = unquote(urlsplit(value).password or "") if "://" in value else value
    return _EXAMPLE in secret.casefold() or secret.casefold() in _FIRST
