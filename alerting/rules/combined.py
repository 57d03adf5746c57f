"""Combined conditions, of one point or several."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    GOOD,
    NEVER,
    UNKNOWN,
    Definition,
    Detector,
    Figures,
    Memory,
    Series,
    Surroundings,
    What,
)
from alerting.rules._tree import Condition, check, said, sources
from alerting.rules._words import Language, Texts


class Combined(Definition):
    """A tree of conditions (`_tree.py`). A value is known for as long as it holds; what hangs on others is unknown."""

    KIND: ClassVar[str] = "combined"
    TITLE: ClassVar[Texts] = {"fr": "Conditions combinées", "en": "Combined conditions"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier sur place ce que disent les capteurs, et leur cause.",
        "en": "Check on site what the sensors are reporting, and why.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "when": {
            "op": "difference_below",
            "quantity": "temperature",
            "minus": {"quantity": "dew_point"},
            "value": 2,
        }
    }

    when: Condition

    @model_validator(mode="after")
    def _bounded(self) -> "Combined":
        check(self.when)
        return self

    def series(self) -> tuple[Series, ...]:
        """Return what the conditions read."""
        return sources(self.when)

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this tree."""
        return CombinedDetector(self, memory, self.holds_s(around))

    def condition(self, language: Language) -> str:
        """Return it in words."""
        return said(self.when, language)

    def condition_at(self, what: What, language: Language) -> str:
        """Return it in words, with the names of the points that it speaks of besides the one that is watched."""
        return said(self.when, language, what.points)

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        found = [
            f"{words.label(series.quantity, language)} {words.measured(value, series.quantity, language)}"
            for series, value in zip(self.series(), figures["values"], strict=True)
            if value is not None
        ]
        return ", ".join(found) + "."


class CombinedDetector(Detector):
    """Remembers the last value of each series."""

    __slots__ = ("_hold_s", "_latest", "_rule", "_series")

    def __init__(self, rule: Combined, memory: Memory | None, hold_s: float) -> None:
        super().__init__()
        self._rule, self._hold_s, self._series = rule, hold_s, rule.series()
        self._latest: dict[int, tuple[float, float]] = {one[0]: (one[1], one[2]) for one in memory or ()}
        self._set_deadline()

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take a value."""
        self._forget(at_s)
        self._latest[series] = (at_s, value)
        return self._verdict()

    def awake(self, at_s: float) -> int:
        """Forget what no longer holds."""
        self._forget(at_s)
        return self._verdict()

    def _forget(self, at_s: float) -> None:
        if at_s >= self.deadline_s:
            known = self._latest.items()
            self._latest = {series: latest for series, latest in known if latest[0] + self._hold_s > at_s}

    def _verdict(self) -> int:
        self._set_deadline()
        values = {self._series[series]: value for series, (_, value) in self._latest.items()}
        holds = self._rule.when.holds(values)
        if holds is None:
            return UNKNOWN
        return BAD if holds else GOOD

    def _set_deadline(self) -> None:
        self.deadline_s = min((at_s for at_s, _ in self._latest.values()), default=NEVER) + self._hold_s

    def figures(self) -> Figures:
        """Return the values, in the order of the series; the first one stands for all."""
        values = [self._latest[place][1] if place in self._latest else None for place in range(len(self._series))]
        return {"code": "combined", "value": values[0], "values": values}

    def dump(self) -> Memory:
        """Return the last values."""
        return [[series, at_s, value] for series, (at_s, value) in self._latest.items()]
