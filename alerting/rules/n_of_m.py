"""Several of the last samples beyond a level: for a value that jumps about."""

from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from alerting.rules._base import (
    BAD,
    GOOD,
    Detector,
    Figures,
    Memory,
    Surroundings,
)
from alerting.rules._measured import OfLevel
from alerting.rules._words import Language, Texts


class NOfM(OfLevel):
    """`n` of the last `m` samples are beyond `above` or `below`."""

    KIND: ClassVar[str] = "n_of_m"
    TITLE: ClassVar[Texts] = {"fr": "Plusieurs mesures au-delà d'un seuil", "en": "Several measurements beyond a level"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier sur place ce que dit le capteur, et sa cause.",
        "en": "Check on site what the sensor is reporting, and why.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "water_pressure", "below": 2, "n": 3, "m": 5}

    n: Annotated[int, Field(ge=1, le=100)]
    m: Annotated[int, Field(ge=1, le=100)]

    @model_validator(mode="after")
    def _possible(self) -> "NOfM":
        if self.n > self.m:
            raise ValueError("n: at most m")
        return self

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector that counts."""
        del around
        return NOfMDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        level, of = self.said(self.level, language), self.of(language)
        if language == "fr":
            verb = "dépassent" if self.above is not None else "sont sous"
            return f"{self.n} des {self.m} dernières mesures {of} {verb} {level}"
        verb = "exceed" if self.above is not None else "are below"
        return f"{self.n} of the last {self.m} samples {of} {verb} {level}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        value = self.said(figures["value"], language)
        if language == "fr":
            return f"{figures['count']} des {self.m} dernières mesures au-delà du seuil ; la dernière : {value}."
        return f"{figures['count']} of the last {self.m} samples beyond the level; the last one: {value}."


class NOfMDetector(Detector):
    """Remembers which of the last samples were beyond, how many that is, and the last value."""

    __slots__ = ("_count", "_is_beyond", "_last", "_needed", "_value")

    def __init__(self, rule: NOfM, memory: Memory | None) -> None:
        super().__init__()
        self._is_beyond, self._needed = rule.beyond(), rule.n
        self._value: float | None = memory[0] if memory else None
        self._last: deque[int] = deque(memory[1] if memory else (), maxlen=rule.m)
        self._count = sum(self._last)

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Count one more, and the oldest no longer."""
        del series, at_s
        last, beyond = self._last, int(self._is_beyond(value))
        self._count += beyond - (last[0] if len(last) == last.maxlen else 0)
        last.append(beyond)
        self._value = value
        return BAD if self._count >= self._needed else GOOD

    def figures(self) -> Figures:
        """Return the last value and the count."""
        return {"code": "n_of_m", "value": self._value, "count": self._count}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._value, list(self._last)]
