"""A sensor that is no longer heard, by its own habit. One that never was heard is not silent: it is never-seen."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from alerting.rules import _words as words
from alerting.rules._base import (
    HEARD,
    NEVER,
    Definition,
    Detector,
    Figures,
    Memory,
    Series,
    Surroundings,
)
from alerting.rules._silence import SilenceDetector
from alerting.rules._words import Language, Texts

UNKNOWN_LIMIT_S = 26 * words.HOUR_S  # for a sensor of which nothing is known: most send once a day at least


class SilentSensor(Definition):
    """Nothing came for `missed` of its periods: the declared one, else the one learnt, else the model's usual one."""

    KIND: ClassVar[str] = "silent_sensor"
    TITLE: ClassVar[Texts] = {"fr": "Capteur silencieux", "en": "Silent sensor"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier la pile et l'emplacement du capteur. Si ses voisins se taisent aussi, voir l'antenne relais.",
        "en": "Check the sensor's battery and place. If neighbours are silent too, it may be the gateway.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    WARM_UP_S: ClassVar[float] = 31 * words.DAY_S
    LAZY: ClassVar[bool] = True

    period_s: Annotated[float, Field(gt=0, le=31 * words.DAY_S)] | None = None
    missed: Annotated[float, Field(ge=1.5, le=100)] = 4
    at_least_s: Annotated[float, Field(ge=60, le=31 * words.DAY_S)] = 2 * words.HOUR_S

    def series(self) -> tuple[Series, ...]:
        """Return that it was heard."""
        return (Series(HEARD),)

    def holds_s(self, around: Surroundings) -> float:
        """Return for ever: silence is what it watches."""
        del around
        return NEVER

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of silence."""
        usual_s = self.period_s or around.period_s
        return SilenceDetector(
            memory,
            first_limit_s=max(usual_s * self.missed, self.at_least_s) if usual_s else UNKNOWN_LIMIT_S,
            missed=None if self.period_s else self.missed,
            at_least_s=self.at_least_s,
        )

    def condition(self, language: Language) -> str:
        """Return it in words."""
        least = words.lasting(self.at_least_s, language)
        count = words.number(self.missed, language)
        if language == "fr":
            period = f"sa période ({words.lasting(self.period_s, 'fr')})" if self.period_s else "sa période habituelle"
            return f"le capteur ne dit plus rien pendant {count} fois {period}, et au moins {least}"
        period = f"its period ({words.lasting(self.period_s, 'en')})" if self.period_s else "its usual period"
        return f"the sensor is silent for {count} times {period}, and at least {least}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        limit = words.lasting(figures["limit_s"], language)
        if language == "fr":
            return f"Aucun message depuis plus de {limit}, ce qui n'est pas dans ses habitudes."
        return f"No message for more than {limit}, which is not its habit."
