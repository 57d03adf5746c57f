"""What a `$filter` or `$orderby` says, as a tree. Pure."""

from datetime import datetime
from typing import NamedTuple

from domain.errors import SamaraError


class QueryError(SamaraError):
    """What is asked cannot be: no such property, or values of kinds that do not go together."""


class Geometry(NamedTuple):
    """A point, or a polygon with its holes: rings of (longitude, latitude)."""

    point: tuple[float, float] | None
    rings: tuple[tuple[tuple[float, float], ...], ...] = ()


class Literal(NamedTuple):
    """A value; None is `null`."""

    value: float | str | bool | datetime | Geometry | None


class Path(NamedTuple):
    """A property of the entity, or of one that it leads to: `Thing/name`."""

    steps: tuple[str, ...]


class Call(NamedTuple):
    """An operator or a function, with its arguments."""

    name: str
    arguments: tuple["Expression", ...]


Expression = Literal | Path | Call
