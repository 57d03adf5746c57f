"""Energy against what is usual for the weather: a line through days past, by degree days."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    BETWEEN,
    GOOD,
    Definition,
    Detector,
    Figures,
    Memory,
    Series,
    Surroundings,
)
from alerting.rules._calendar import local_date, midnight_s
from alerting.rules._flow import Meter
from alerting.rules._words import Language, Texts

KEPT_DAYS = 120
ENOUGH_DAYS = 21
BASE_C = 18.0  # heating degree days of France: 18 °C less the mean of the day's least and greatest temperature


class EnergyBaseline(Definition):
    """The last `days` used more than `percent` above what the days before them would have, in that weather.

    `outdoor_point_id` is where the outdoor temperature is measured; without it, the usual is the mean of the days
    before.
    """

    KIND: ClassVar[str] = "energy_baseline"
    TITLE: ClassVar[Texts] = {"fr": "Dérive de consommation", "en": "Energy use above usual"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Chercher ce qui a changé : consigne de chauffage, horloge, appareil resté allumé.",
        "en": "Look for what changed: a heating set-point, a time switch, something left on.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"percent": 30}
    WARM_UP_S: ClassVar[float] = 120 * words.DAY_S
    USUAL_HOLD_S: ClassVar[float] = 3 * words.DAY_S

    quantity: Literal["active_energy_import", "gas_volume", "heat_energy"] = "active_energy_import"
    channel: Annotated[int, Field(ge=0, le=255)] = 0
    outdoor_point_id: int | None = None
    percent: Annotated[float, Field(gt=0, le=1000)] = 20
    days: Annotated[int, Field(ge=1, le=31)] = 7

    def series(self) -> tuple[Series, ...]:
        """Return the meter, and the outdoor temperature."""
        meter = Series(self.quantity, self.channel)
        if self.outdoor_point_id is None:
            return (meter,)
        return (meter, Series("temperature", 0, self.outdoor_point_id))

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector that knows the local days."""
        return BaselineDetector(self, memory, around.zone)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        percent, days = words.number(self.percent, language), self.days
        use = words.use(self.quantity, language)
        if language == "fr":
            weather = ", compte tenu de la température extérieure," if self.outdoor_point_id is not None else ""
            return f"{use} des {days} derniers jours{weather} dépasse l'habitude de plus de {percent} %"
        weather = ", given the outdoor temperature," if self.outdoor_point_id is not None else ""
        return f"{use} in the last {days} days{weather} exceeds its usual level by more than {percent}%"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        used, usual = (words.measured(figures[key], self.quantity, language) for key in ("value", "expected"))
        if language == "fr":
            return f"{used} en {self.days} jours, au lieu de {usual} attendus."
        return f"{used} within {self.days} days, instead of {usual} expected."


class BaselineDetector(Detector):
    """Remembers the days past (use, degree days), and what of the day that runs was measured."""

    __slots__ = ("_day", "_days", "_judged", "_meter", "_rule", "_verdict", "_zone")

    def __init__(self, rule: EnergyBaseline, memory: Memory | None, zone: ZoneInfo) -> None:
        super().__init__()
        self._rule, self._zone = rule, zone
        self._meter = Meter(rule.quantity, memory[0] if memory else None)
        self._day = _Day(*memory[1]) if memory else _Day()
        self._days: list[list[float]] = list(memory[2]) if memory else []
        self._judged: list[float] = list(memory[3]) if memory else [0.0, 0.0]  # used, expected
        self._verdict: int = memory[4] if memory else GOOD

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Add an index to its day, parted where a day ends between two; or a temperature."""
        if series == 1:
            self._day = self._day.warmed(value)
            return self._verdict
        before_s = self._meter.at_s
        used = self._meter.used(at_s, value)
        if used is None or before_s is None:
            self._day = self._day_from(at_s)
            return self._verdict
        while at_s >= self._day.until_s:
            share = used * (self._day.until_s - before_s) / (at_s - before_s)
            used, before_s = used - share, self._day.until_s
            self._day_is_over(self._day.spent(share))
        self._day = self._day.spent(used)
        return self._verdict

    def _day_from(self, at_s: float) -> "_Day":
        following = local_date(at_s, self._zone) + timedelta(days=1)
        return _Day(at_s, midnight_s(following, self._zone))

    def _day_is_over(self, day: "_Day") -> None:
        """Keep the day, if it was measured whole, and judge the last ones."""
        begins_s = midnight_s(local_date(day.until_s - 1, self._zone), self._zone)
        has_weather = self._rule.outdoor_point_id is None or day.low_c is not None
        if day.since_s <= begins_s and has_weather:
            self._days = [*self._days, [day.used, day.degree_days()]][-KEPT_DAYS:]
            self._judge()
        self._day = self._day_from(day.until_s)

    def _judge(self) -> None:
        days = self._rule.days
        past, last = self._days[:-days], self._days[-days:]
        if len(past) < ENOUGH_DAYS:
            return
        level, slope = _line(past)
        used = sum(one for one, _ in last)
        expected = sum(level + slope * degrees for _, degrees in last)
        self._judged = [used, expected]
        tolerated = expected * self._rule.percent / 100
        if used - expected > tolerated:
            self._verdict = BAD
        else:
            self._verdict = BETWEEN if used - expected > tolerated / 2 else GOOD

    def figures(self) -> Figures:
        """Return what the last days used, and what was expected of them."""
        return {"code": "energy_baseline", "value": self._judged[0], "expected": self._judged[1]}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._meter.dump(), list(self._day), self._days, self._judged, self._verdict]


class _Day(NamedTuple):
    """A local day: since when it was measured, until when it lasts, what was used, the extremes outdoors."""

    since_s: float = 0.0
    until_s: float = 0.0
    used: float = 0.0
    low_c: float | None = None
    high_c: float | None = None

    def spent(self, used: float) -> "_Day":
        return self._replace(used=self.used + used)

    def warmed(self, value_c: float) -> "_Day":
        if self.low_c is None or self.high_c is None:
            return self._replace(low_c=value_c, high_c=value_c)
        return self._replace(low_c=min(value_c, self.low_c), high_c=max(value_c, self.high_c))

    def degree_days(self) -> float:
        if self.low_c is None or self.high_c is None:
            return 0.0
        return max(0.0, BASE_C - (self.low_c + self.high_c) / 2)


def _line(days: list[list[float]]) -> tuple[float, float]:
    """Return level and slope of the least-squares line of use by degree days; a slope below zero is none."""
    count = len(days)
    mean_used = sum(used for used, _ in days) / count
    mean_degrees = sum(degrees for _, degrees in days) / count
    spread = sum((degrees - mean_degrees) ** 2 for _, degrees in days)
    if spread == 0:
        return mean_used, 0.0
    slope = sum((degrees - mean_degrees) * (used - mean_used) for used, degrees in days) / spread
    slope = max(slope, 0.0)
    return mean_used - slope * mean_degrees, slope
