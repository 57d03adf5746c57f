"""The options of a request (`$top`, `$filter`, …), and those in the parentheses of `$expand`. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from api.sensorthings.grammar import parse_filter, parse_path
from store.sensorthings.entities import ALL, Entities
from store.sensorthings.statements import Order
from store.sensorthings.syntax import Expression, QueryError

TOP: Final = 100
MOST: Final = 1_000
DEEPEST: Final = 4
_EXPANDED: Final = re.compile(r"([A-Za-z]+)((?:/[A-Za-z]+)*)(?:\((.*)\))?", re.DOTALL)
_NAME: Final = re.compile(r"[@A-Za-z][A-Za-z0-9.@/]*")


class Options(NamedTuple):
    """What is asked of an entity set. `select` empty: everything."""

    top: int = TOP
    skip: int = 0
    counted: bool = False
    where: Expression | None = None
    order: tuple[Order, ...] = ()
    select: tuple[str, ...] = ()
    expand: Mapping[str, "Options"] = {}
    as_array: bool = False
    given: Mapping[str, str] = {}  # as they were said, for the address of the next page


def parse_options(given: Mapping[str, str], entities: Entities, depth: int = 0) -> Options:
    """Return the options; raise QueryError naming what is wrong."""
    unknown = given.keys() - {"$top", "$skip", "$count", "$filter", "$orderby", "$select", "$expand", "$resultFormat"}
    if unknown:
        raise QueryError(f"there is no option {min(unknown)[:40]!r}")
    return Options(
        top=min(_whole(given, "$top", TOP), MOST),
        skip=_whole(given, "$skip", 0),
        counted=_flag(given.get("$count", "false")),
        where=parse_filter(given["$filter"]) if "$filter" in given else None,
        order=tuple(_orders(given.get("$orderby", ""))),
        select=tuple(_names(given.get("$select", ""))),
        expand=_expand(given.get("$expand", ""), entities, depth),
        as_array=_as_array(given.get("$resultFormat", "")),
        given=given,
    )


def _whole(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) is None:
        raise QueryError(f"{name} is a whole number")
    return int(text)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise QueryError("$count is true or false")
    return text == "true"


def _as_array(text: str) -> bool:
    if text not in {"", "dataArray"}:
        raise QueryError("$resultFormat is dataArray")
    return bool(text)


def _orders(text: str) -> Iterator[Order]:
    for part in filter(None, text.split(",")):
        path, _, direction = part.strip().partition(" ")
        if direction.strip() not in {"", "asc", "desc"}:
            raise QueryError(f"$orderby: {direction[:20]!r} is neither asc nor desc")
        yield Order(parse_path(path), descending=direction.strip() == "desc")


def _names(text: str) -> Iterator[str]:
    for name in filter(None, (part.strip() for part in text.split(","))):
        if _NAME.fullmatch(name) is None:
            raise QueryError(f"$select: {name[:40]!r} is no property")
        yield name


def _expand(text: str, entities: Entities, depth: int) -> dict[str, Options]:
    if text and depth == DEEPEST:
        raise QueryError(f"$expand: no deeper than {DEEPEST}")
    found: dict[str, Options] = {}
    for part in filter(None, (part.strip() for part in split(text, ","))):
        match = _EXPANDED.fullmatch(part)
        link = None if match is None else entities.links.get(match[1])
        if match is None or link is None:
            raise QueryError(f"$expand: {entities.name} lead to no {part[:40]!r}")
        given = dict(_pairs(match[3] or ""))
        if match[2]:  # Datastreams/ObservedProperty is Datastreams($expand=ObservedProperty)
            rest = match[2][1:]
            given["$expand"] = ",".join(filter(None, [given.get("$expand", ""), rest]))
        found[match[1]] = parse_options(given, ALL[link.target], depth + 1)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, split(text, ";")):
        name, equals, value = part.partition("=")
        if not equals:
            raise QueryError(f"$expand: {part[:40]!r} is not of the form $option=value")
        yield name.strip(), value


def split(text: str, mark: str) -> list[str]:
    """Return the parts between marks that stand in no parentheses and no quotes; raise QueryError."""
    parts, depth, quoted, begin = [], 0, False, 0
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                break
        elif character == mark and depth == 0 and not quoted:
            parts.append(text[begin:at])
            begin = at + 1
    if depth != 0 or quoted:
        raise QueryError("parentheses or quotes are not closed")
    return [*parts, text[begin:]]
