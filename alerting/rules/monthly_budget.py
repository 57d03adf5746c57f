"""What a month will have used when it ends, against what was planned."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

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
from alerting.rules._calendar import local_date, midnight_s
from alerting.rules._flow import Meter, is_counter
from alerting.rules._measured import OfQuantity
from alerting.rules._words import Language, Texts


class MonthlyBudget(OfQuantity):
    """What was used since the month began, carried on to its end, exceeds `budget` (in the quantity's unit)."""

    KIND: ClassVar[str] = "monthly_budget"
    TITLE: ClassVar[Texts] = {"fr": "Budget du mois dépassé", "en": "Monthly budget exceeded"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Comparer avec les mois passés, et voir ce qui peut être réduit avant la fin du mois.",
        "en": "Compare with past months, and see what can be reduced before the month ends.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"quantity": "active_energy_import", "budget": 2000}
    WARM_UP_S: ClassVar[float] = 31 * words.DAY_S
    USUAL_HOLD_S: ClassVar[float] = 3 * words.DAY_S

    budget: Annotated[float, Field(gt=0)]
    first_days: Annotated[float, Field(ge=1, le=27)] = 5  # of a month say too little to be carried on

    @model_validator(mode="after")
    def _counts(self) -> "MonthlyBudget":
        if not is_counter(self.quantity):
            raise ValueError("quantity: an index, such as water_volume or active_energy_import")
        return self

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector that knows the local months."""
        return BudgetDetector(self, memory, around.zone)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        budget, use = self.said(self.budget, language), words.use(self.quantity, language)
        if language == "fr":
            return f"{use} du mois doit dépasser {budget} au rythme actuel"
        return f"{use} this month will exceed {budget} at the present rate"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        used, projected = (self.said(figures[key], language) for key in ("used", "value"))
        budget = self.said(self.budget, language)
        if language == "fr":
            return f"{used} depuis le début du mois ; {projected} prévus à la fin, pour {budget} au budget."
        return f"{used} since the month began; {projected} expected at its end, for a budget of {budget}."


class BudgetDetector(Detector):
    """Remembers when the month begins and ends, since when it was measured, and what was used since."""

    __slots__ = ("_begins_s", "_ends_s", "_meter", "_projected", "_rule", "_since_s", "_used", "_zone")

    def __init__(self, rule: MonthlyBudget, memory: Memory | None, zone: ZoneInfo) -> None:
        super().__init__()
        self._rule, self._zone = rule, zone
        self._begins_s = self._ends_s = self._since_s = 0.0
        self._used, self._projected = 0.0, 0.0
        self._meter = Meter(rule.quantity, memory[0] if memory else None)
        if memory:
            self._begins_s, self._ends_s, self._since_s, self._used, self._projected = memory[1:]

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Add to the month, or begin the next one with its share of what was used across its first moment."""
        del series
        before_s = self._meter.at_s
        used = self._meter.used(at_s, value)
        if used is None or before_s is None:
            self._begin(at_s, at_s, 0.0)
            return GOOD
        if at_s >= self._ends_s:
            since_s = max(before_s, self._month_of(at_s)[0])
            self._begin(at_s, since_s, used * (at_s - since_s) / (at_s - before_s))
        else:
            self._used += used
        measured_s = at_s - self._since_s
        if measured_s <= 0 or at_s - self._begins_s < self._rule.first_days * words.DAY_S:
            return GOOD
        self._projected = self._used * (self._ends_s - self._begins_s) / measured_s
        if self._projected > self._rule.budget:
            return BAD
        return GOOD if self._projected < self._rule.budget * 0.97 else BETWEEN

    def _begin(self, at_s: float, since_s: float, used: float) -> None:
        self._begins_s, self._ends_s = self._month_of(at_s)
        self._since_s, self._used, self._projected = since_s, used, 0.0

    def _month_of(self, at_s: float) -> tuple[float, float]:
        first = local_date(at_s, self._zone).replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return midnight_s(first, self._zone), midnight_s(following, self._zone)

    def figures(self) -> Figures:
        """Return what was used, and what the whole month will have."""
        return {"code": "monthly_budget", "value": self._projected, "used": self._used}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._meter.dump(), self._begins_s, self._ends_s, self._since_s, self._used, self._projected]
