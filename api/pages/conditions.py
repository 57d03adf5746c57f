"""Conditions combined, as a form asks for them: all of these, or else all of those. Pure.

Whatever has no difference under a "not" can be said so (its disjunctive normal form); what has more blocks or more
conditions than the form has is left to programs.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

BLOCKS: Final = 3
ROWS: Final = 3
OPERATORS: Final = ("above", "at_least", "below", "at_most", "equals", "differs")
_DIFFERENCES: Final = {"above": "difference_above", "below": "difference_below"}
_COMPARED: Final = {one: other for other, one in _DIFFERENCES.items()}
_OTHERWISE: Final = {
    "above": "at_most",
    "at_most": "above",
    "below": "at_least",
    "at_least": "below",
    "equals": "differs",
    "differs": "equals",
}
_PARTS: Final = ("quantity", "point", "op", "value", "minus", "minus_point")
_MAX_BLOCKS: Final = 64  # while a tree is turned: far more than the form has

Leaf = Mapping[str, Any]


class Row(NamedTuple):
    """One condition as the form has it, each part as it was typed. `minus`: less this other quantity."""

    place: str
    quantity: str = ""
    point: str = ""
    op: str = "above"
    value: str = ""
    minus: str = ""
    minus_point: str = ""


class Block(NamedTuple):
    """Conditions that must all hold. `open`: something is said in it."""

    rows: list[Row]
    open: bool


def names() -> list[str]:
    """Return the names of all fields of the form."""
    return [f"{place}_{part}" for place in _places() for part in _PARTS]


def _places() -> list[str]:
    return [f"c{block}{row}" for block in range(BLOCKS) for row in range(ROWS)]


def blocks(given: Mapping[str, str]) -> list[Block]:
    """Return the form filled with what was given."""
    rows = [_row(given, place) for place in _places()]
    cut = [rows[begin : begin + ROWS] for begin in range(0, len(rows), ROWS)]
    return [Block(block, any(_is_said(one) for one in block)) for block in cut]


def _row(given: Mapping[str, str], place: str) -> Row:
    said = {part: given.get(f"{place}_{part}", "").strip() for part in _PARTS}
    return Row(place, **(said | {"op": said["op"] or "above"}))


def _is_said(row: Row) -> bool:
    return bool(row.quantity or row.value)


def tree(given: Mapping[str, str], numbers: Mapping[str, float | None]) -> tuple[dict[str, Any], list[int]]:
    """Return the tree that a filled form says, {} for none, and which conditions (from 1) nobody can read.

    `numbers` are the values by the names of their fields, None for what is no number.
    """
    said: list[list[dict[str, Any]]] = []
    wrong = []
    for number, place in enumerate(_places()):
        row = _row(given, place)
        if not _is_said(row):
            continue
        leaf = _leaf(row, numbers.get(f"{place}_value"))
        if leaf is None:
            wrong.append(number % ROWS + 1)
            continue
        block = number // ROWS
        while len(said) <= block:
            said.append([])
        said[block].append(leaf)
    parts = [one[0] if len(one) == 1 else {"op": "all", "of": one} for one in said if one]
    if not parts:
        return {}, wrong
    return (parts[0] if len(parts) == 1 else {"op": "any", "of": parts}), wrong


def _leaf(row: Row, value: float | None) -> dict[str, Any] | None:
    if not row.quantity or value is None or row.op not in OPERATORS:
        return None
    said: dict[str, Any] = {"op": row.op, **_source(row.quantity, row.point), "value": value}
    if row.minus:
        if row.op not in _DIFFERENCES:
            return None
        said |= {"op": _DIFFERENCES[row.op], "minus": _source(row.minus, row.minus_point)}
    return said


def _source(quantity: str, point: str) -> dict[str, Any]:
    numbered = point.isascii() and point.isdigit() and len(point) < 10
    return {"quantity": quantity} | ({"point_id": int(point)} if numbered else {})


def filled(when: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fields that say a tree, the values as numbers; None for one that the form cannot say."""
    turned = _turned(when, negated=False)
    if turned is None or len(turned) > BLOCKS or max(map(len, turned)) > ROWS:
        return None
    found: dict[str, Any] = {}
    for number, block in enumerate(turned):
        for place, leaf in enumerate(block):
            fields = _fields(leaf)
            if fields is None:
                return None
            found |= {f"c{number}{place}_{part}": value for part, value in fields.items()}
    return found


def _turned(node: Leaf, *, negated: bool) -> list[list[Leaf]] | None:
    """Return the blocks of a tree: any of them, all of each; None when there are too many, or no words for one."""
    op = node["op"]
    if op == "not":
        return _turned(node["of"][0], negated=not negated)
    if op not in {"all", "any"}:
        if not negated:
            return [[node]]
        return [[{**node, "op": _OTHERWISE[op]}]] if op in _OTHERWISE else None
    parts: list[list[list[Leaf]]] = []
    for one in node["of"]:
        part = _turned(one, negated=negated)
        if part is None:
            return None
        parts.append(part)
    if (op == "any") != negated:
        whole = [block for part in parts for block in part]
    else:
        whole = []
        for chosen in product(*parts):
            whole.append([leaf for block in chosen for leaf in block])
            if len(whole) > _MAX_BLOCKS:
                return None
    return whole if len(whole) <= _MAX_BLOCKS else None


def _fields(leaf: Leaf) -> dict[str, Any] | None:
    minus: Leaf = leaf.get("minus", {})
    if leaf.get("channel") or minus.get("channel"):
        return None
    said = {
        "quantity": leaf["quantity"],
        "point": str(leaf.get("point_id") or ""),
        "op": _COMPARED.get(leaf["op"], leaf["op"]),
        "value": leaf["value"],
    }
    if minus:
        said |= {"minus": minus["quantity"], "minus_point": str(minus.get("point_id") or "")}
    return said


def operators(labels: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Return the operators to choose from, in words."""
    return [(one, labels[one]) for one in OPERATORS]
