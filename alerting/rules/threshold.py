"""A value beyond a level: it begins at the level, and ends at another, so that a value at the edge does not flap."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    BETWEEN,
    GOOD,
    WORSE,
    Detector,
    Figures,
    Memory,
    Surroundings,
)
from alerting.rules._measured import OfLevel
from alerting.rules._words import Language, Texts


class Threshold(OfLevel):
    """One of `above` and `below`; `clear` is where it ends, the level itself unless said; `second` a further step."""

    KIND: ClassVar[str] = "threshold"
    TITLE: ClassVar[Texts] = {"fr": "Seuil", "en": "Threshold"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier sur place ce que dit le capteur, et sa cause.",
        "en": "Check on site what the sensor is reporting, and why.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "co2", "above": 1500, "for_s": 1200}

    clear: float | None = None
    second: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Threshold":
        if self.clear is not None and self.is_beyond(self.clear):
            raise ValueError("clear: on the good side of the level, or the level itself")
        if self.second is not None and not self.is_beyond(self.second):
            raise ValueError("second: further than the first level")
        return self

    def levels(self) -> tuple[float, ...]:
        """Return the level, and the further step."""
        return (self.level,) if self.second is None else (self.level, self.second)

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this threshold."""
        del around
        return ThresholdDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        if words.is_state(self.quantity):
            return words.signalled(self.quantity, language, there=self.is_beyond(1.0))
        condition = f"{self.subject(language)} {_VERBS[language][self.above is None]} {self.said(self.level, language)}"
        if self.second is not None:
            then = self.said(self.second, language)
            condition += f" (puis {then})" if language == "fr" else f" (then {then})"
        return condition

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        if words.is_state(self.quantity):
            said = words.signalled(self.quantity, language, there=figures["value"] >= 1)
            return f"{said[:1].upper()}{said[1:]}."
        value, level = self.said(figures["value"], language), self.said(figures["level"], language)
        if language == "fr":
            return f"{self.name('fr')} : {value} (seuil {level})."
        return f"{self.name('en')}: {value} (level {level})."


_VERBS = {"fr": ("dépasse", "passe sous"), "en": ("exceeds", "falls below")}


class ThresholdDetector(Detector):
    """Compares each value; remembers the last."""

    __slots__ = ("_begin", "_end", "_second", "_sign", "_value")

    def __init__(self, rule: Threshold, memory: Memory | None) -> None:
        super().__init__()
        self._sign = rule.sign
        self._begin = rule.level * self._sign
        self._end = self._begin if rule.clear is None else rule.clear * self._sign
        self._second = float("inf") if rule.second is None else rule.second * self._sign
        self._value: float | None = memory[0] if memory else None

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Compare a value."""
        del series, at_s
        self._value = value
        value *= self._sign
        if value > self._begin:
            return BAD if value <= self._second else WORSE
        return GOOD if value <= self._end else BETWEEN

    def figures(self) -> Figures:
        """Return the value and the level that it passed."""
        value = self._value
        beyond_second = value is not None and value * self._sign > self._second
        level = (self._second if beyond_second else self._begin) * self._sign
        return {"code": "threshold", "value": value, "level": level}

    def dump(self) -> Memory:
        """Return the last value."""
        return [self._value]
