"""Find what a folder holds: each module of `api/v1` and `api/pages` declares its own `ROUTES`, or other things."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from aiohttp import web

from api.endpoint import Endpoint
from domain.errors import ConfigurationError
from domain.folders import modules

Route = web.RouteDef | Endpoint  # both have a method and a path

ROUTES: Final = "ROUTES"


def routes(package: ModuleType) -> list[Route]:
    """Return the routes of every module of a package, in the order of the modules' names.

    A module without `ROUTES` is a helper. Raises ConfigurationError when a module cannot be imported, when
    `ROUTES` is not a sequence of routes, and when two modules declare one route.
    """
    owners: dict[tuple[str, str], str] = {}
    found = []
    for name, route in declared(package, ROUTES):
        if not isinstance(route, Route):
            raise ConfigurationError(f"{name}: ROUTES holds {route!r}, which is not a route")
        key = (route.method, route.path)
        if key in owners:
            raise ConfigurationError(f"{route.method} {route.path}: declared by {owners[key]} and by {name}")
        owners[key] = name
        found.append(route)
    return found


def declared(package: ModuleType, attribute: str) -> Iterator[tuple[str, Any]]:
    """Yield (module's name, item) of what each module of a package holds in a sequence of this name.

    Raises ConfigurationError when a module cannot be imported.
    """
    for module in sorted(modules(package.__name__), key=lambda module: module.__name__):
        for item in getattr(module, attribute, ()):
            yield module.__name__, item
