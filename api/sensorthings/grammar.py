"""The language of `$filter` and `$orderby` (OGC 18-088, 9.3.3.5), to a tree. Pure.

or := and ('or' and)*         and := not ('and' not)*        not := 'not' not | compared
compared := sum (('eq'|'ne'|'gt'|'ge'|'lt'|'le') sum)?       sum := product (('add'|'sub') product)*
product := term (('mul'|'div'|'mod') term)*                  term := literal | name '(' … ')' | path | '(' or ')'
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from store.sensorthings.syntax import Call, Expression, Geometry, Literal, Path, QueryError

_LONGEST: Final = 4_000
_DEEPEST: Final = 40
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<geography>geography'[^']*')"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[@A-Za-z_][A-Za-z0-9_.@]*(?:/[@A-Za-z_][A-Za-z0-9_.@]*)*)"
    r"|(?P<mark>[(),]))",
    re.ASCII,
)
_NUMBER: Final = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_POINT: Final = re.compile(rf"POINT\s*\(\s*({_NUMBER})\s+({_NUMBER})\s*\)", re.IGNORECASE | re.ASCII)
_POLYGON: Final = re.compile(r"POLYGON\s*\((\s*\([^()]*\)(?:\s*,\s*\([^()]*\))*)\s*\)", re.IGNORECASE)
_PAIR: Final = re.compile(rf"\s*({_NUMBER})\s+({_NUMBER})\s*", re.ASCII)
_WORDS: Final = {"true": True, "false": False, "null": None}
_COMPARED: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})


class _Token(NamedTuple):
    kind: str
    text: str


def parse_filter(text: str) -> Expression:
    """Return what a `$filter` says; raise QueryError saying where it goes wrong."""
    parser = _Parser(text)
    found = parser.either()
    parser.finish()
    return found


def parse_path(text: str) -> Path:
    """Return a property's path, as `$orderby` has it; raise QueryError."""
    match = _TOKEN.fullmatch(text)
    if match is None or match.lastgroup != "name":
        raise QueryError(f"{text[:40]!r} is no property")
    return Path(tuple(text.strip().split("/")))


class _Parser:
    """Goes through the tokens once."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise QueryError(f"longer than {_LONGEST} characters")
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "the end")

    def _take(self, *texts: str) -> str | None:
        token = self._next()
        if token.kind in {"name", "mark"} and token.text in texts:
            self._at += 1
            return token.text
        return None

    def _need(self, text: str) -> None:
        if self._take(text) is None:
            raise QueryError(f"{text!r} is missing before {self._next().text[:40]!r}")

    def finish(self) -> None:
        """Raise QueryError if something is left."""
        if self._next().kind != "end":
            raise QueryError(f"{self._next().text[:40]!r} was not expected")

    def _chain(self, words: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        found = part()
        while (word := self._take(*words)) is not None:
            found = Call(word, (found, part()))
            self._deeper()
        return found

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"more than {_DEEPEST} operations")

    def either(self) -> Expression:
        """Parse `or`."""
        return self._chain(("or",), self._both)

    def _both(self) -> Expression:
        return self._chain(("and",), self._negated)

    def _negated(self) -> Expression:
        if self._take("not") is not None:
            self._deeper()
            return Call("not", (self._negated(),))
        return self._compared()

    def _compared(self) -> Expression:
        left = self._sum()
        word = self._take(*_COMPARED)
        if word is None:
            return left
        self._deeper()
        return Call(word, (left, self._sum()))

    def _sum(self) -> Expression:
        return self._chain(("add", "sub"), self._product)

    def _product(self) -> Expression:
        return self._chain(("mul", "div", "mod"), self._term)

    def _term(self) -> Expression:
        token = self._next()
        if self._take("(") is not None:
            self._deeper()
            found = self.either()
            self._need(")")
            return found
        if token.kind in {"end", "mark"}:
            raise QueryError(f"a value is missing before {token.text[:40]!r}")
        self._at += 1
        if token.kind != "name":
            return Literal(_value(token))
        if token.text in _WORDS:
            return Literal(_WORDS[token.text])
        if self._take("(") is None:
            return Path(tuple(token.text.split("/")))
        self._deeper()
        return Call(token.text, tuple(self._arguments()))

    def _arguments(self) -> Iterator[Expression]:
        if self._take(")") is not None:
            return
        yield self.either()
        while self._take(",") is not None:
            yield self.either()
        self._need(")")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"not understood from {text[at : at + 40]!r} on")
        assert match.lastgroup is not None
        yield _Token(match.lastgroup, match[match.lastgroup])
        at = match.end()


def _value(token: _Token) -> float | str | datetime | Geometry:
    if token.kind == "number":
        return float(token.text)
    if token.kind == "text":
        return token.text[1:-1].replace("''", "'")
    if token.kind == "geography":
        return _geometry(token.text[len("geography'") : -1])
    try:
        return datetime.fromisoformat(token.text)
    except ValueError as error:
        raise QueryError(f"{token.text} is not in the calendar") from error


def _geometry(text: str) -> Geometry:
    """Return what well-known text says: a point, or a polygon with its holes."""
    point = _POINT.fullmatch(text.strip())
    if point is not None:
        return Geometry((float(point[1]), float(point[2])))
    polygon = _POLYGON.fullmatch(text.strip())
    if polygon is None:
        raise QueryError(f"{text[:60]!r} is neither POINT (x y) nor POLYGON ((x y, …))")
    rings = []
    for ring in re.findall(r"\(([^()]*)\)", polygon[1]):
        pairs = [_PAIR.fullmatch(pair) for pair in ring.split(",")]
        corners = tuple((float(pair[1]), float(pair[2])) for pair in pairs if pair is not None)
        if len(corners) != len(pairs) or len(corners) < 4:
            raise QueryError("a ring of a polygon has at least four corners, x y each, and ends where it begins")
        rings.append(corners)
    return Geometry(None, tuple(rings))
