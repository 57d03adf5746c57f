"""A meter that counts nothing any more: closed, jammed, or its sensor came off."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from alerting.rules import _words as words
from alerting.rules._base import (
    Detector,
    Figures,
    Memory,
    Seconds,
    Surroundings,
)
from alerting.rules._flow import FlowDetector
from alerting.rules._measured import OfQuantity, QuantityName
from alerting.rules._words import Language, Texts


class NoConsumption(OfQuantity):
    """Not more than `at_most` (per hour) was used between any two samples, in all the time of `for_s`."""

    KIND: ClassVar[str] = "no_consumption"
    TITLE: ClassVar[Texts] = {"fr": "Plus de consommation", "en": "No consumption"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier que le compteur n'est pas bloqué et que le capteur est toujours en place.",
        "en": "Check that the meter is not jammed and that the sensor is still in its place.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    WARM_UP_S: ClassVar[float] = 14 * words.DAY_S
    USUAL_HOLD_S: ClassVar[float] = 26 * words.HOUR_S

    quantity: QuantityName = "water_volume"
    at_most: Annotated[float, Field(ge=0, le=10_000)] = 0
    for_s: Seconds = 7 * words.DAY_S

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this flow."""
        del around
        return FlowDetector("no_consumption", self.quantity, memory, at_most=self.at_most)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        use = words.use(self.quantity, language)
        return f"{use} reste nulle" if language == "fr" else f"{use} stays at zero"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        del figures
        lasting = words.lasting(self.for_s, language)
        if language == "fr":
            return f"Le compteur n'a rien compté depuis plus de {lasting}."
        return f"The meter has counted nothing for more than {lasting}."
