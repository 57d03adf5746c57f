"""A leak, told by the water that flows when nobody uses any: the least flow of the night, several nights in a row."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Any, ClassVar, Literal
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
from alerting.rules._calendar import instant_s, local_date
from alerting.rules._flow import Meter
from alerting.rules._measured import OfQuantity
from alerting.rules._words import Language, Texts


class NightFlow(OfQuantity):
    """The least flow between two local times exceeded `above` (m3/h) in each of the last `nights`."""

    KIND: ClassVar[str] = "night_flow"
    TITLE: ClassVar[Texts] = {"fr": "Fuite d'eau : débit de nuit", "en": "Water leak: night flow"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Chercher une fuite : chasse d'eau, robinet, canalisation ; fermer l'eau et voir si le compteur tourne.",
        "en": "Look for a leak: a cistern, a tap, a pipe; close the valve and see whether the meter still turns.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"above": 0.02}
    WARM_UP_S: ClassVar[float] = 14 * words.DAY_S
    USUAL_HOLD_S: ClassVar[float] = 2 * words.DAY_S

    quantity: Literal["water_volume", "water_flow"] = "water_volume"
    above: Annotated[float, Field(gt=0, le=10_000)]
    nights: Annotated[int, Field(ge=1, le=14)] = 3
    begins: time = time(2)
    ends: time = time(5)

    @model_validator(mode="after")
    def _in_order(self) -> "NightFlow":
        if self.ends <= self.begins:
            raise ValueError("ends: later than begins, in the same night")
        return self

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector that knows the local nights."""
        return NightFlowDetector(self, memory, around.zone)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        flow = words.amount(self.above, "m3/h", language)
        begins = words.clock(self.begins.hour, self.begins.minute, language)
        ends = words.clock(self.ends.hour, self.ends.minute, language)
        if language == "fr":
            return f"le débit minimum entre {begins} et {ends} dépasse {flow}, {self.nights} nuits de suite"
        return f"the minimum flow between {begins} and {ends} exceeds {flow}, {self.nights} nights in a row"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        flows = [words.amount(flow, "m3/h", language) for flow in figures["nights"]]
        if language == "fr":
            return f"Débit minimum des dernières nuits : {', '.join(flows)}."
        return f"Minimum flow over the last nights: {', '.join(flows)}."


class NightFlowDetector(Detector):
    """Remembers the least flow of the last nights, and of the night that runs."""

    __slots__ = ("_begins_s", "_ends_s", "_least", "_meter", "_nights", "_rule", "_verdict", "_zone")

    def __init__(self, rule: NightFlow, memory: Memory | None, zone: ZoneInfo) -> None:
        super().__init__()
        self._rule, self._zone = rule, zone
        self._begins_s = self._ends_s = -1.0
        self._least: float | None = None
        self._nights: list[float] = []
        self._verdict = GOOD
        self._meter = Meter(rule.quantity, memory[0] if memory else None)
        if memory:
            self._begins_s, self._ends_s, self._least, self._nights, self._verdict = memory[1:]
            self.deadline_s = self._ends_s

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take an index: what flowed since the last one counts when both lie in the night."""
        del series
        if at_s > self._ends_s:
            self._next_night(at_s)
        before_s = self._meter.at_s
        flow = self._meter.per_hour(at_s, value)
        if flow is not None and self._begins_s <= at_s <= self._ends_s:
            whole = self._rule.quantity == "water_flow" or (before_s is not None and before_s >= self._begins_s)
            if whole:
                self._least = flow if self._least is None else min(self._least, flow)
        return self._verdict

    def awake(self, at_s: float) -> int:
        """Judge the night that is over."""
        if self._least is not None:
            self._nights = [*self._nights, self._least][-self._rule.nights :]
            beyond = [flow > self._rule.above for flow in self._nights]
            if not beyond[-1]:
                self._verdict = GOOD
            elif all(beyond) and len(beyond) == self._rule.nights:
                self._verdict = BAD
            else:
                self._verdict = BETWEEN
        self._next_night(at_s + 1)
        return self._verdict

    def _next_night(self, at_s: float) -> None:
        """Prepare the night that ends at that moment or next."""
        day = local_date(at_s, self._zone)
        ends_s = instant_s(day, self._rule.ends, self._zone, last=True)
        if ends_s < at_s:
            day += timedelta(days=1)
            ends_s = instant_s(day, self._rule.ends, self._zone, last=True)
        self._begins_s, self._ends_s = instant_s(day, self._rule.begins, self._zone), ends_s
        self._least = None
        self.deadline_s = ends_s

    def figures(self) -> Figures:
        """Return the least flow of the last nights."""
        value = self._nights[-1] if self._nights else None
        return {"code": "night_flow", "value": value, "nights": list(self._nights)}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._meter.dump(), self._begins_s, self._ends_s, self._least, self._nights, self._verdict]
