"""Several points at once: any, all, or so many of them beyond a level."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from alerting.rules._base import (
    BAD,
    GOOD,
    NEVER,
    UNKNOWN,
    Detector,
    Figures,
    Memory,
    Surroundings,
)
from alerting.rules._measured import OfLevel
from alerting.rules._words import Language, Texts


class Group(OfLevel):
    """Of the points of a tag, a site or a sector: `any`, `all`, or at least `count` are beyond `above` or `below`.

    A member whose last value is too old to hold is left out; without any member left, nobody knows.
    """

    KIND: ClassVar[str] = "group"
    TITLE: ClassVar[Texts] = {"fr": "Groupe de points", "en": "Group of points"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Regarder quels points sont concernés : la cause leur est sans doute commune.",
        "en": "See which points are concerned: they probably have one cause.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "temperature", "below": 5, "mode": "any"}
    SUBJECT: ClassVar[Literal["point", "group", "gateway"]] = "group"

    mode: Literal["any", "all", "count"]
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Group":
        if (self.mode == "count") != (self.count is not None):
            raise ValueError("count: with the mode count, and only then")
        return self

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of all members."""
        return GroupDetector(self, memory, self.holds_s(around))

    def condition(self, language: Language) -> str:
        """Return it in words."""
        level, name = self.said(self.level, language), self.subject(language)
        if language == "fr":
            verb = "dépasse" if self.above is not None else "passe sous"
            who = {"any": "à l'un des points", "all": "à tous les points"}.get(
                self.mode, f"à {self.count} points ou plus"
            )
            return f"{name} {verb} {level} {who}"
        verb = "exceeds" if self.above is not None else "falls below"
        who = {"any": "at any of the points", "all": "at all points"}.get(self.mode, f"at {self.count} points or more")
        return f"{name} {verb} {level} {who}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        if language == "fr":
            return f"{figures['value']:.0f} points sur {figures['members']} au-delà du seuil."
        return f"{figures['value']:.0f} of {figures['members']} points beyond the level."


class GroupDetector(Detector):
    """Remembers, of each member, when it spoke last and whether it was beyond."""

    __slots__ = ("_beyond", "_hold_s", "_is_beyond", "_members", "_rule")

    def __init__(self, rule: Group, memory: Memory | None, hold_s: float) -> None:
        super().__init__()
        self._rule, self._hold_s, self._is_beyond = rule, hold_s, rule.beyond()
        self._members: dict[int, tuple[float, bool]] = {}  # the one who spoke longest ago comes first
        self._beyond = 0
        for series, at_s, beyond in memory or ():
            self._members[series] = (at_s, beyond)
            self._beyond += beyond
        self._set_deadline()

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take a member's value."""
        self._drop_silent(at_s)
        before = self._members.pop(series, None)
        beyond = self._is_beyond(value)
        self._members[series] = (at_s, beyond)
        self._beyond += beyond - (before is not None and before[1])
        return self._verdict()

    def awake(self, at_s: float) -> int:
        """Leave out the members that have been silent for too long."""
        self._drop_silent(at_s)
        return self._verdict()

    def _drop_silent(self, at_s: float) -> None:
        members = self._members
        while members:
            series, (spoke_s, beyond) = next(iter(members.items()))
            if spoke_s + self._hold_s > at_s:
                break
            del members[series]
            self._beyond -= beyond

    def _verdict(self) -> int:
        members = self._members
        self._set_deadline()
        if not members:
            return UNKNOWN
        needed = len(members) if self._rule.mode == "all" else self._rule.count or 1
        return BAD if self._beyond >= needed else GOOD

    def _set_deadline(self) -> None:
        first = next(iter(self._members.values()), None)
        self.deadline_s = NEVER if first is None else first[0] + self._hold_s

    def figures(self) -> Figures:
        """Return how many are beyond, of how many, and which (at most 50)."""
        beyond = [series for series, (_, one) in self._members.items() if one]
        return {"code": "group", "value": len(beyond), "members": len(self._members), "which": sorted(beyond)[:50]}

    def dump(self) -> Memory:
        """Return the members."""
        return [[series, at_s, beyond] for series, (at_s, beyond) in self._members.items()]
