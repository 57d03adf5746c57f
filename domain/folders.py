"""Walk a folder whose modules each add one thing: a network server, a channel, a kind of rule."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from domain.errors import ConfigurationError


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
