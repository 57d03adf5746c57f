"""The mean, least, most, sum or number of the samples of the last while, against a level."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from alerting.rules import _words as words
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
from alerting.rules._windows import ExactSum, Extreme
from alerting.rules._words import Language, Texts

Function = Literal["mean", "min", "max", "sum", "count"]
MAX_SAMPLES = 20_000  # of a window; the oldest leave first


class Aggregate(OfLevel):
    """The `function` of the samples of the last `over_s` is beyond `above` or `below`."""

    KIND: ClassVar[str] = "aggregate"
    TITLE: ClassVar[Texts] = {
        "fr": "Moyenne, minimum ou maximum d'une durée",
        "en": "Average, lowest or highest over a period",
    }
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier sur place ce que dit le capteur, et sa cause.",
        "en": "Check on site what the sensor is reporting, and why.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "temperature", "function": "mean", "over_s": 86400, "below": 16}

    function: Function
    over_s: Annotated[float, Field(gt=0, le=31 * words.DAY_S)]

    def holds_s(self, around: Surroundings) -> float:
        """Return for ever: the window itself says when it is empty."""
        del around
        return NEVER

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this window."""
        return AggregateDetector(self, memory, around.period_s)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        level, of = self.said(self.level, language), self.of(language)
        window = words.lasting(self.over_s, language)
        if language == "fr":
            verb = "dépasse" if self.above is not None else "est sous"
            return f"{_ARTICLES[self.function]} {_NAMES['fr'][self.function]} {of} sur {window} {verb} {level}"
        verb = "exceeds" if self.above is not None else "is below"
        return f"the {_NAMES['en'][self.function]} {of} over {window} {verb} {level}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        value, window = self.said(figures["value"], language), words.lasting(self.over_s, language)
        between = "sur" if language == "fr" else "over"
        colon = " :" if language == "fr" else ":"
        return f"{_NAMES[language][self.function].capitalize()} {between} {window}{colon} {value}."

    def said(self, value: float, language: Language) -> str:
        """Return a value with its unit: a number of samples has none."""
        if self.function == "count":
            return words.number(value, language)
        return super().said(value, language)


_ARTICLES = {"mean": "la", "min": "le", "max": "le", "sum": "la", "count": "le"}
_NAMES = {
    "fr": {"mean": "moyenne", "min": "minimum", "max": "maximum", "sum": "somme", "count": "nombre de mesures"},
    "en": {"mean": "average", "min": "lowest", "max": "highest", "sum": "sum", "count": "number of samples"},
}


class AggregateDetector(Detector):
    """Remembers the samples of its window, both ends included.

    Wakes when the oldest leaves, but not before the next sample is due (by the usual period, else by the last
    interval): between two samples that come in time nothing changes.
    """

    __slots__ = ("_extreme", "_is_beyond", "_period_s", "_rule", "_samples", "_sum")

    def __init__(self, rule: Aggregate, memory: Memory | None, period_s: float | None) -> None:
        super().__init__()
        self._rule, self._period_s, self._is_beyond = rule, period_s, rule.beyond()
        self._sum = ExactSum() if rule.function in {"mean", "sum"} else None
        self._extreme = Extreme(-1.0 if rule.function == "min" else 1.0) if rule.function in {"min", "max"} else None
        self._samples: deque[tuple[float, float]] = deque()
        for at_s, value in memory or ():
            self._join(at_s, value)
        self._set_deadline()

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take one in, let the old ones leave."""
        del series
        self._join(at_s, value)
        return self._verdict(at_s - self._rule.over_s)

    def awake(self, at_s: float) -> int:
        """Let what has become too old leave."""
        return self._verdict(at_s - self._rule.over_s)

    def _join(self, at_s: float, value: float) -> None:
        if len(self._samples) == MAX_SAMPLES:
            self._oldest_leaves()
        self._samples.append((at_s, value))
        if self._sum is not None:
            self._sum.add(value)
        if self._extreme is not None:
            self._extreme.join(at_s, value)

    def _oldest_leaves(self) -> None:
        at_s, value = self._samples.popleft()
        if self._sum is not None:
            self._sum.add(-value)
        if self._extreme is not None:
            self._extreme.leave(at_s)

    def _verdict(self, oldest_s: float) -> int:
        samples = self._samples
        while samples and samples[0][0] < oldest_s:
            self._oldest_leaves()
        self._set_deadline()
        if not samples:
            return UNKNOWN
        return BAD if self._is_beyond(self._value()) else GOOD

    def _set_deadline(self) -> None:
        samples = self._samples
        if not samples:
            self.deadline_s = NEVER
            return
        interval_s = self._period_s or (samples[-1][0] - samples[-2][0] if len(samples) > 1 else 0.0)
        leaves_s = math.nextafter(samples[0][0] + self._rule.over_s, math.inf)
        self.deadline_s = max(leaves_s, samples[-1][0] + interval_s)

    def _value(self) -> float:
        if self._extreme is not None:
            return self._extreme.value()
        if self._sum is None:
            return float(len(self._samples))
        total = self._sum.value()
        return total / len(self._samples) if self._rule.function == "mean" else total

    def figures(self) -> Figures:
        """Return the value of the window."""
        value = self._value() if self._samples else None
        return {"code": "aggregate", "value": value, "count": len(self._samples)}

    def dump(self) -> Memory:
        """Return the samples of the window."""
        return [list(one) for one in self._samples]
