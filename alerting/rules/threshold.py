"""A value beyond a level: it begins at the level, and ends at another, so that a value at the edge does not flap."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    BETWEEN,
    GOOD,
    UNKNOWN,
    WORSE,
    Definition,
    Detector,
    Figures,
    Memory,
    Series,
    Surroundings,
    one_of,
)
from alerting.rules._words import Language, Texts


class Threshold(Definition):
    """One of `above` and `below`; `clear` is where it ends, the level itself unless said; `second` a further step."""

    KIND: ClassVar[str] = "threshold"
    TITLE: ClassVar[Texts] = {"fr": "Seuil", "en": "Threshold"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier sur place ce que dit le capteur, et sa cause.",
        "en": "Check on site what the sensor says, and why.",
    }

    quantity: Annotated[str, Field(min_length=1, max_length=80)]
    channel: Annotated[int, Field(ge=0, le=255)] = 0
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    second: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Threshold":
        one_of(("above", "below"), (self.above, self.below))
        sign = 1 if self.above is not None else -1
        if self.clear is not None and (self.clear - self.level) * sign > 0:
            raise ValueError("clear: on the good side of the level, or the level itself")
        if self.second is not None and (self.second - self.level) * sign <= 0:
            raise ValueError("second: further than the first level")
        return self

    @property
    def level(self) -> float:
        """The level at which it begins."""
        level = self.above if self.above is not None else self.below
        assert level is not None
        return level

    def series(self) -> tuple[Series, ...]:
        """Return the one series."""
        return (Series(self.quantity, self.channel),)

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this threshold."""
        del around
        return ThresholdDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        level = words.measured(self.level, self.quantity, language)
        verb = _VERBS[language][self.above is None]
        said = f"{words.label(self.quantity, language)} {verb} {level}"
        if self.second is not None:
            then = words.measured(self.second, self.quantity, language)
            said += f" (puis {then})" if language == "fr" else f" (then {then})"
        return said

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        value = words.measured(figures["value"], self.quantity, language)
        level = words.measured(figures["level"], self.quantity, language)
        if language == "fr":
            return f"{words.label(self.quantity, 'fr')} : {value} (seuil {level})."
        return f"{words.label(self.quantity, 'en')}: {value} (level {level})."


_VERBS = {"fr": ("dépasse", "passe sous"), "en": ("exceeds", "falls below")}


class ThresholdDetector(Detector):
    """Compares each value; remembers the last."""

    __slots__ = ("_begin", "_end", "_second", "_sign", "_value")

    def __init__(self, rule: Threshold, memory: Memory | None) -> None:
        super().__init__()
        self._sign = 1.0 if rule.above is not None else -1.0  # a bound below is one above, upside down
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

    def awake(self, at_s: float) -> int:
        """Return UNKNOWN: it asks for no waking."""
        del at_s
        return UNKNOWN

    def figures(self) -> Figures:
        """Return the value and the level that it passed."""
        value = self._value
        beyond_second = value is not None and value * self._sign > self._second
        level = (self._second if beyond_second else self._begin) * self._sign
        return {"code": "threshold", "value": value, "level": level}

    def dump(self) -> Memory:
        """Return the last value."""
        return [self._value]
