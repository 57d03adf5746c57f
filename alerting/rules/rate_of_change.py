"""A value that rises or falls too fast, whatever it is."""

from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    GOOD,
    Detector,
    Figures,
    Memory,
    Surroundings,
    one_of,
)
from alerting.rules._flow import is_counter
from alerting.rules._measured import OfQuantity
from alerting.rules._windows import ExactSum
from alerting.rules._words import Language, Texts
from store.reading.pieces import increase

MAX_SAMPLES = 5_000  # of a window; the oldest leave first


class RateOfChange(OfQuantity):
    """Between the first and the last sample of the last `within_s`, it rose by more than `rise`, or fell by `fall`.

    Of a counter, it is how much was counted.
    """

    KIND: ClassVar[str] = "rate_of_change"
    TITLE: ClassVar[Texts] = {"fr": "Variation rapide", "en": "Rate of change"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier ce qui a changé sur place : porte ouverte, chauffage arrêté, fuite.",
        "en": "Check what changed on site: an open door, heating that stopped, a leak.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "temperature", "fall": 5, "within_s": 3600}

    rise: Annotated[float, Field(gt=0)] | None = None
    fall: Annotated[float, Field(gt=0)] | None = None
    within_s: Annotated[float, Field(gt=0, le=31 * words.DAY_S)]

    @model_validator(mode="after")
    def _one_way(self) -> "RateOfChange":
        one_of(("rise", "fall"), (self.rise, self.fall))
        if self.fall is not None and is_counter(self.quantity):
            raise ValueError("fall: this quantity is an index, which only rises")
        return self

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this change."""
        del around
        return RateOfChangeDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        change = self.said(self.rise or self.fall or 0.0, language)
        window, name = words.lasting(self.within_s, language), self.subject(language)
        if language == "fr":
            return f"{name} {'augmente' if self.rise else 'baisse'} de plus de {change} en {window}"
        return f"{name} {'rises' if self.rise else 'falls'} by more than {change} within {window}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        change = self.said(figures["change"], language)
        over = words.lasting(figures["over_s"], language)
        value = self.said(figures["value"], language)
        if language == "fr":
            return f"{self.name('fr')} : {change} en {over}, maintenant {value}."
        return f"{self.name('en')}: {change} within {over}, now {value}."


class RateOfChangeDetector(Detector):
    """Remembers the samples of its window, both ends included, and what was counted between them."""

    __slots__ = ("_counted", "_counts", "_rule", "_samples")

    def __init__(self, rule: RateOfChange, memory: Memory | None) -> None:
        super().__init__()
        self._rule = rule
        self._counts = is_counter(rule.quantity)
        self._counted = ExactSum()
        self._samples: deque[tuple[float, float]] = deque()
        for at_s, value in memory or ():
            self._join(at_s, value)

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Compare with the first of the window."""
        del series
        samples, rule = self._samples, self._rule
        self._join(at_s, value)
        oldest_s = at_s - rule.within_s
        while samples[0][0] < oldest_s:
            self._oldest_leaves()
        if len(samples) < 2:
            return GOOD
        change = self._change()
        beyond = change > rule.rise if rule.rise is not None else -change > (rule.fall or 0.0)
        return BAD if beyond else GOOD

    def _join(self, at_s: float, value: float) -> None:
        samples = self._samples
        if len(samples) == MAX_SAMPLES:
            self._oldest_leaves()
        if samples and self._counts:
            self._counted.add(increase(samples[-1][1], value))
        samples.append((at_s, value))

    def _oldest_leaves(self) -> None:
        _, value = self._samples.popleft()
        if self._samples and self._counts:
            self._counted.add(-increase(value, self._samples[0][1]))

    def _change(self) -> float:
        return self._counted.value() if self._counts else self._samples[-1][1] - self._samples[0][1]

    def figures(self) -> Figures:
        """Return the change and the time it took."""
        samples = self._samples
        if not samples:
            return {"code": "rate_of_change", "value": None, "change": 0.0, "over_s": 0.0}
        over_s = samples[-1][0] - samples[0][0]
        return {"code": "rate_of_change", "value": samples[-1][1], "change": self._change(), "over_s": over_s}

    def dump(self) -> Memory:
        """Return the samples of the window."""
        return [list(one) for one in self._samples]
