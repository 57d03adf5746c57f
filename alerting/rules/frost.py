"""Frost: it is nearly freezing, or will be soon by how fast it cools."""

from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    BETWEEN,
    GOOD,
    Detector,
    Figures,
    Memory,
    Surroundings,
)
from alerting.rules._measured import OfQuantity
from alerting.rules._words import Language, Texts


class Frost(OfQuantity):
    """It is `level` or colder; or `near` or colder, and the slope brings it to 0 °C within `ahead_s`."""

    KIND: ClassVar[str] = "frost"
    TITLE: ClassVar[Texts] = {"fr": "Gel", "en": "Frost"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier le chauffage ; purger ou protéger les canalisations ; saler si c'est dehors.",
        "en": "Check the heating; drain or protect the pipes; spread salt outdoors.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}

    quantity: Literal["temperature", "soil_temperature", "water_temperature", "dew_point"] = "temperature"
    level: float = 1.0
    near: float = 4.0
    ahead_s: Annotated[float, Field(ge=0, le=words.DAY_S)] = 2 * words.HOUR_S
    slope_over_s: Annotated[float, Field(gt=0, le=words.DAY_S)] = 2 * words.HOUR_S
    margin: Annotated[float, Field(ge=0, le=20)] = 1.0  # it ends that much above the level

    @model_validator(mode="after")
    def _in_order(self) -> "Frost":
        if self.near < self.level:
            raise ValueError("near: not below the level")
        return self

    def levels(self) -> tuple[float, ...]:
        """Return the level."""
        return (self.level,)

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of frost."""
        del around
        return FrostDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        level, near = (words.amount(value, "Cel", language) for value in (self.level, self.near))
        ahead = words.lasting(self.ahead_s, language)
        if language == "fr":
            return f"il fait {level} ou moins, ou {near} ou moins avec un gel attendu dans les {ahead}" + (
                "," if self.for_s else ""
            )
        return f"it is {level} or colder, or {near} or colder with frost expected within {ahead}" + (
            "," if self.for_s else ""
        )

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        value = words.amount(figures["value"], "Cel", language)
        slope = words.amount(figures["per_hour"], "Cel", language)
        if language == "fr":
            return f"Température : {value} ({slope} par heure)."
        return f"Temperature: {value} ({slope} an hour)."


class FrostDetector(Detector):
    """Remembers the samples that the slope is drawn through."""

    __slots__ = ("_rule", "_samples")

    def __init__(self, rule: Frost, memory: Memory | None) -> None:
        super().__init__()
        self._rule = rule
        self._samples: deque[tuple[float, float]] = deque(map(tuple, memory or ()), maxlen=500)

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take one in and look ahead."""
        del series
        rule, samples = self._rule, self._samples
        samples.append((at_s, value))
        while samples[0][0] < at_s - rule.slope_over_s:
            samples.popleft()
        if value <= rule.level:
            return BAD
        if value <= rule.near and value + self._per_hour() * rule.ahead_s / words.HOUR_S <= 0:
            return BAD
        return GOOD if value > rule.level + rule.margin else BETWEEN

    def _per_hour(self) -> float:
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return (last - first) * words.HOUR_S / (last_s - first_s) if last_s > first_s else 0.0

    def figures(self) -> Figures:
        """Return the temperature and its slope."""
        if not self._samples:
            return {"code": "frost", "value": None, "per_hour": 0.0}
        return {"code": "frost", "value": self._samples[-1][1], "per_hour": self._per_hour()}

    def dump(self) -> Memory:
        """Return the samples of the slope."""
        return [list(one) for one in self._samples]
