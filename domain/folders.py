"""Walk a folder whose modules each add one thing: a network server, a channel, a kind of rule."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import TypeVar

from domain.errors import ConfigurationError

T = TypeVar("T")


def modules(package: str) -> Iterator[ModuleType]:
    """Import each module of a package. Those whose name begins with `_` are helpers, and passed over.

    Raises ConfigurationError, naming the module, when one cannot be imported.
    """
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if found.name.startswith("_"):
            continue
        name = f"{package}.{found.name}"
        try:
            yield importlib.import_module(name)
        except Exception as error:
            raise ConfigurationError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def named(package: str, what: str, checked: Callable[[ModuleType], T], name_of: Callable[[T], str]) -> Mapping[str, T]:
    """Return what the modules of a package add, by name. `checked` makes it of a module; `what` is what one is called.

    Raises ConfigurationError, naming the module, when one cannot be imported, will not do, or bears a taken name.
    """
    found: dict[str, T] = {}
    for module in modules(package):
        one = checked(module)
        name = name_of(one)
        if name in found:
            raise ConfigurationError(f"{module.__name__}: another {what} is already called {name!r}")
        found[name] = one
    return MappingProxyType(found)


def has(module: ModuleType, *parts: str) -> None:
    """Raise ConfigurationError, naming the module, when it lacks one of these."""
    for part in parts:
        if not hasattr(module, part):
            raise ConfigurationError(f"{module.__name__}: {part} is missing")
