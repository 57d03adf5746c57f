"""A sensor that says the same number over and over: it is stuck, though it still speaks."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    GOOD,
    Detector,
    Figures,
    Memory,
    Surroundings,
)
from alerting.rules._measured import OfQuantity
from alerting.rules._words import Language, Texts


class FrozenValue(OfQuantity):
    """The value was the same, to `within`, for `frozen_s` and at least `samples` samples."""

    KIND: ClassVar[str] = "frozen_value"
    TITLE: ClassVar[Texts] = {"fr": "Valeur figée", "en": "Frozen value"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Le capteur est sans doute bloqué ou débranché de sa sonde : le vérifier.",
        "en": "The sensor is probably stuck, or its probe came off: check it.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "temperature"}
    USUAL_HOLD_S: ClassVar[float] = 6 * words.HOUR_S

    within: Annotated[float, Field(ge=0)] = 0
    frozen_s: Annotated[float, Field(ge=60, le=31 * words.DAY_S)] = words.DAY_S
    samples: Annotated[int, Field(ge=3, le=10_000)] = 12

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of sameness."""
        del around
        return FrozenDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        lasting, name = words.lasting(self.frozen_s, language), self.subject(language)
        if language == "fr":
            return f"{name} garde exactement la même valeur pendant {lasting} ({self.samples} mesures au moins)"
        return f"{name} stays exactly the same for {lasting} (at least {self.samples} samples)"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        value = self.said(figures["value"], language)
        lasting = words.lasting(figures["frozen_s"], language)
        if language == "fr":
            return f"Toujours {value} depuis {lasting}, sur {figures['count']} mesures."
        return f"Still {value} after {lasting}, {figures['count']} samples."


class FrozenDetector(Detector):
    """Remembers the value, since when it is the same, and how often it was said."""

    __slots__ = ("_count", "_last_s", "_rule", "_since_s", "_value")

    def __init__(self, rule: FrozenValue, memory: Memory | None) -> None:
        super().__init__()
        self._rule = rule
        self._value: float | None = None
        self._since_s, self._last_s, self._count = 0.0, 0.0, 0
        if memory:
            self._value, self._since_s, self._last_s, self._count = memory

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Compare with the value that was."""
        del series
        self._last_s = at_s
        if self._value is None or abs(value - self._value) > self._rule.within:
            self._value, self._since_s, self._count = value, at_s, 1
            return GOOD
        self._count += 1
        frozen = at_s - self._since_s >= self._rule.frozen_s and self._count >= self._rule.samples
        return BAD if frozen else GOOD

    def figures(self) -> Figures:
        """Return the value and for how long it was so."""
        frozen_s = self._last_s - self._since_s
        return {"code": "frozen_value", "value": self._value, "frozen_s": frozen_s, "count": self._count}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._value, self._since_s, self._last_s, self._count]
