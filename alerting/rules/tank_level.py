"""The level of a tank or a river, too low or too high, in two steps each."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

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
from alerting.rules._measured import OfQuantity
from alerting.rules._words import Language, Texts


class TankLevel(OfQuantity):
    """The level (m) is below `low`, then `very_low`; or above `high`, then `very_high`. It ends `margin` away.

    With `distance`, a sensor above the water says how far it is: the level is `sensor_height_m` less that.
    """

    KIND: ClassVar[str] = "tank_level"
    TITLE: ClassVar[Texts] = {"fr": "Niveau d'un réservoir ou d'une rivière", "en": "Level of a tank or a river"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier le remplissage ou l'écoulement ; en cas de crue, prévenir la mairie et suivre Vigicrues.",
        "en": "Check what fills or drains it; in a flood, tell the town hall and follow the flood warnings.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"low": 1, "very_low": 0.5}
    USUAL_HOLD_S: ClassVar[float] = 3 * words.HOUR_S

    quantity: Literal["water_level", "distance"] = "water_level"
    sensor_height_m: Annotated[float, Field(gt=0, le=1000)] | None = None
    low: float | None = None
    very_low: float | None = None
    high: float | None = None
    very_high: float | None = None
    margin: Annotated[float, Field(ge=0, le=10)] = 0.05

    @model_validator(mode="after")
    def _in_order(self) -> "TankLevel":
        given = [one for one in (self.very_low, self.low, self.high, self.very_high) if one is not None]
        if self.low is None and self.high is None:
            raise ValueError("give low, high or both")
        if given != sorted(set(given)):
            raise ValueError("very_low < low < high < very_high")
        if (self.very_low is not None and self.low is None) or (self.very_high is not None and self.high is None):
            raise ValueError("a second step needs a first one")
        if (self.quantity == "distance") != (self.sensor_height_m is not None):
            raise ValueError("sensor_height_m: with distance, and only then")
        return self

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this level."""
        del around
        return LevelDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        french = language == "fr"
        said = []
        for bound, further, verb in (
            (self.low, self.very_low, "passe sous" if french else "falls below"),
            (self.high, self.very_high, "dépasse" if french else "exceeds"),
        ):
            if bound is not None:
                then = "" if further is None else words.amount(further, "m", language)
                more = f" ({'puis' if french else 'then'} {then})" if then else ""
                said.append(f"{verb} {words.amount(bound, 'm', language)}{more}")
        return f"le niveau {' ou '.join(said)}" if french else f"the level {' or '.join(said)}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        level = words.amount(figures["value"], "m", language)
        return f"Niveau : {level}." if language == "fr" else f"Level: {level}."


class LevelDetector(Detector):
    """Compares each level; remembers the last."""

    __slots__ = ("_level", "_rule")

    def __init__(self, rule: TankLevel, memory: Memory | None) -> None:
        super().__init__()
        self._rule = rule
        self._level: float | None = memory[0] if memory else None

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Compare a level."""
        del series, at_s
        rule = self._rule
        level = self._level = value if rule.sensor_height_m is None else rule.sensor_height_m - value
        if _beyond(level, rule.very_high, rule.very_low):
            return WORSE
        if _beyond(level, rule.high, rule.low):
            return BAD
        low = None if rule.low is None else rule.low + rule.margin
        high = None if rule.high is None else rule.high - rule.margin
        return BETWEEN if _beyond(level, high, low) else GOOD

    def figures(self) -> Figures:
        """Return the level."""
        return {"code": "tank_level", "value": self._level}

    def dump(self) -> Memory:
        """Return the last level."""
        return [self._level]


def _beyond(level: float, above: float | None, below: float | None) -> bool:
    return (above is not None and level > above) or (below is not None and level < below)
