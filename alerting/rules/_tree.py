"""A small tree of conditions: fixed operators, bounded when it is saved. No expression is ever evaluated."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerting.rules import _words as words
from alerting.rules._base import Series
from alerting.rules._measured import ChannelNumber, QuantityName
from alerting.rules._words import Language

MAX_NODES: Final = 32
MAX_DEPTH: Final = 5
MAX_SERIES: Final = 8
MAX_COST: Final = 64  # of one evaluation: a comparison is 1, a difference 2, and each node above them 1

Values = Mapping[Series, float]  # those that are known now


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(_Node):
    """One series: of the point that is watched, or of another point of the tenant."""

    quantity: QuantityName
    channel: ChannelNumber = 0
    point_id: int | None = None

    def series(self) -> Series:
        """Return it as an input."""
        return Series(self.quantity, self.channel, self.point_id)


class Compare(Source):
    """A value against a number."""

    op: Literal["above", "at_least", "below", "at_most", "equals", "differs"]
    value: float

    def holds(self, values: Values) -> bool | None:
        """Say whether it is so; None when the value is not known."""
        found = values.get(self.series())
        return None if found is None else _COMPARE[self.op](found, self.value)


class Difference(Source):
    """A value less another, against a number: indoors less outdoors."""

    op: Literal["difference_above", "difference_below"]
    minus: Source
    value: float

    def holds(self, values: Values) -> bool | None:
        """Say whether it is so; None when one of the values is not known."""
        one, other = values.get(self.series()), values.get(self.minus.series())
        if one is None or other is None:
            return None
        return one - other > self.value if self.op == "difference_above" else one - other < self.value


class Several(_Node):
    """All of some conditions, any of them, or not the one."""

    op: Literal["all", "any", "not"]
    of: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=MAX_NODES)]

    def holds(self, values: Values) -> bool | None:
        """Say whether it is so; None when what is known does not tell."""
        found = [one.holds(values) for one in self.of]
        if self.op == "not":
            return None if found[0] is None else not found[0]
        decisive = self.op == "any"  # one that is true decides "any", one that is false "all"
        if decisive in found:
            return decisive
        return None if None in found else not decisive


Condition = Annotated[Compare | Difference | Several, Field(discriminator="op")]
Several.model_rebuild()

_COMPARE: Final = {
    "above": float.__gt__,
    "at_least": float.__ge__,
    "below": float.__lt__,
    "at_most": float.__le__,
    "equals": float.__eq__,
    "differs": float.__ne__,
}


def check(condition: Condition) -> None:
    """Raise ValueError when the tree is larger than its bounds."""
    nodes = list(_walk(condition, 1))
    if len(nodes) > MAX_NODES:
        raise ValueError(f"{len(nodes)} conditions; {MAX_NODES} at most")
    if max(depth for _, depth in nodes) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    cost = sum(2 if isinstance(node, Difference) else 1 for node, _ in nodes)
    if cost > MAX_COST:
        raise ValueError(f"costs {cost}; {MAX_COST} at most")
    if len(sources(condition)) > MAX_SERIES:
        raise ValueError(f"reads {len(sources(condition))} series; {MAX_SERIES} at most")
    for node, _ in nodes:
        if isinstance(node, Several) and node.op == "not" and len(node.of) != 1:
            raise ValueError("not: of one condition")


def _walk(condition: Condition, depth: int) -> Iterator[tuple[Condition, int]]:
    yield condition, depth
    if isinstance(condition, Several):
        for one in condition.of:
            yield from _walk(one, depth + 1)


def sources(condition: Condition) -> tuple[Series, ...]:
    """Return every series that it reads, once, in the order of reading."""
    found: dict[Series, None] = {}
    for node, _ in _walk(condition, 1):
        if isinstance(node, Source):
            found[node.series()] = None
        if isinstance(node, Difference):
            found[node.minus.series()] = None
    return tuple(found)


def said(condition: Condition, language: Language, points: Mapping[int, str] = MappingProxyType({})) -> str:
    """Return a condition in words; `points` are the names of those that it may speak of."""
    if isinstance(condition, Several):
        if condition.op == "not":
            inner = said(condition.of[0], language, points)
            return f"il est faux que {inner}" if language == "fr" else f"it is not so that {inner}"
        blocks = [one for one in condition.of if isinstance(one, Several)]
        if condition.op == "any" and blocks and all(_is_flat(one) for one in blocks):
            return _OR_ELSE[language].join(said(one, language, points) for one in condition.of)
        joint = _JOINTS[language][condition.op]
        return joint.join(_part(one, language, points) for one in condition.of)
    if isinstance(condition, Compare) and words.is_state(condition.quantity):
        there = condition.holds({condition.series(): 1.0}) or False
        return words.signalled(condition.quantity, language, there=there, where=_where(condition, points))
    value = words.measured(condition.value, condition.quantity, language)
    name = _name(condition, language, points)
    if isinstance(condition, Difference):
        minus = _name(condition.minus, language, points)
        name = f"l'écart entre {name} et {minus}" if language == "fr" else f"the difference between {name} and {minus}"
    return f"{name} {OPERATORS[language][condition.op]} {value}"


def _is_flat(condition: Several) -> bool:
    return condition.op == "all" and not any(isinstance(one, Several) for one in condition.of)


def _part(condition: Condition, language: Language, points: Mapping[int, str]) -> str:
    text = said(condition, language, points)
    return f"({text})" if isinstance(condition, Several) else text


def _name(source: Source, language: Language, points: Mapping[int, str]) -> str:
    return words.subject(source.quantity, language) + _where(source, points)


def _where(source: Source, points: Mapping[int, str]) -> str:
    name = points.get(source.point_id or 0)
    return f" ({name})" if name else ""


_OR_ELSE: Final = {"fr": ", ou bien ", "en": ", or else "}
_JOINTS: Final = {"fr": {"all": " et ", "any": " ou "}, "en": {"all": " and ", "any": " or "}}
OPERATORS: Final = {
    "fr": {
        "above": "dépasse",
        "at_least": "atteint",
        "below": "est sous",
        "at_most": "ne dépasse pas",
        "equals": "vaut",
        "differs": "diffère de",
        "difference_above": "dépasse",
        "difference_below": "est sous",
    },
    "en": {
        "above": "exceeds",
        "at_least": "reaches",
        "below": "is below",
        "at_most": "does not exceed",
        "equals": "is",
        "differs": "is not",
        "difference_above": "exceeds",
        "difference_below": "is below",
    },
}
