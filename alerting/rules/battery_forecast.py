"""How many days a battery will last, by the line through its last weeks."""

import statistics
from collections.abc import Mapping
from itertools import combinations
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

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

KEPT_DAYS = 60
ENOUGH_DAYS = 14


class BatteryForecast(OfQuantity):
    """By the trend of its daily means (the median of all slopes), it will be `empty` in fewer than `days_left` days."""

    KIND: ClassVar[str] = "battery_forecast"
    TITLE: ClassVar[Texts] = {"fr": "Pile bientôt vide", "en": "Battery running low"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Prévoir de changer la pile au prochain passage.",
        "en": "Plan to change the battery at the next visit.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"empty": 10}
    WARM_UP_S: ClassVar[float] = 60 * words.DAY_S
    USUAL_HOLD_S: ClassVar[float] = 4 * words.DAY_S

    quantity: Literal["battery_voltage", "battery_level"] = "battery_level"
    empty: float
    days_left: Annotated[float, Field(ge=1, le=365)] = 60

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this trend."""
        del around
        return BatteryDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        days, empty = words.number(self.days_left, language, 0), self.said(self.empty, language)
        if language == "fr":
            return f"la pile doit être vide ({empty}) dans moins de {days} jours"
        return f"the battery will be empty ({empty}) in fewer than {days} days"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        value = self.said(figures["value"], language)
        if figures["days_left"] is None:
            return f"Pile : {value}." if language == "fr" else f"Battery: {value}."
        days = words.number(max(figures["days_left"], 0.0), language, 0)
        if language == "fr":
            return f"Pile : {value} ; elle devrait tenir encore {days} jours environ."
        return f"Battery: {value}; it should last about {days} days more."


class BatteryDetector(Detector):
    """Remembers the means of the last days (UTC), and the sum of the day that runs."""

    __slots__ = ("_count", "_day", "_days", "_left", "_rule", "_total", "_verdict")

    def __init__(self, rule: BatteryForecast, memory: Memory | None) -> None:
        super().__init__()
        self._rule = rule
        self._days: list[list[float]] = []
        self._day, self._total, self._count = -1, 0.0, 0
        self._left: float | None = None
        self._verdict = GOOD
        if memory:
            self._day, self._total, self._count, self._left, self._verdict = memory[:5]
            self._days = [list(one) for one in memory[5]]

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Add to the day; at a new day, draw the line anew."""
        del series
        day = int(at_s // words.DAY_S)
        if day != self._day:
            if self._count:
                self._days.append([self._day, self._total / self._count])
                self._days = [one for one in self._days if one[0] > day - KEPT_DAYS]
                self._forecast()
            self._day, self._total, self._count = day, 0.0, 0
        self._total += value
        self._count += 1
        return self._verdict

    def _forecast(self) -> None:
        days, empty = self._days, self._rule.empty
        latest = statistics.median(one[1] for one in days[-3:])
        self._left = None
        if latest <= empty:
            self._left = 0.0
        elif len(days) >= ENOUGH_DAYS:
            slope = statistics.median(
                (later[1] - sooner[1]) / (later[0] - sooner[0]) for sooner, later in combinations(days, 2)
            )
            self._left = (latest - empty) / -slope if slope < 0 else None
        limit = self._rule.days_left
        if self._left is None or self._left > limit * 1.2:
            self._verdict = GOOD
        else:
            self._verdict = BAD if self._left < limit else BETWEEN

    def figures(self) -> Figures:
        """Return the mean of the last whole day, and the days left."""
        value = self._days[-1][1] if self._days else None
        return {"code": "battery_forecast", "value": value, "days_left": self._left}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._day, self._total, self._count, self._left, self._verdict, self._days]
