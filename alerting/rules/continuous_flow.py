"""A leak, told by water that never stops flowing."""

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


class ContinuousFlow(OfQuantity):
    """The flow was above `above` (per hour) between any two samples, in all the time of `for_s`."""

    KIND: ClassVar[str] = "continuous_flow"
    TITLE: ClassVar[Texts] = {"fr": "Fuite d'eau : débit continu", "en": "Water leak: continuous flow"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Chercher une fuite ; fermer le compteur et voir s'il tourne encore.",
        "en": "Look for a leak; close the valve after the meter and see whether it still turns.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    USUAL_HOLD_S: ClassVar[float] = 26 * words.HOUR_S

    quantity: QuantityName = "water_volume"
    above: Annotated[float, Field(ge=0, le=10_000)] = 0
    for_s: Seconds = words.DAY_S

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this flow."""
        del around
        return FlowDetector("continuous_flow", self.quantity, memory, above=self.above)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        if self.above == 0:
            return "l'eau coule sans jamais s'arrêter" if language == "fr" else "water never stops flowing"
        flow = words.amount(self.above, "m3/h", language)
        return f"le débit reste au-dessus de {flow}" if language == "fr" else f"the flow stays above {flow}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        flow = words.amount(figures["value"], "m3/h", language)
        lasting = words.lasting(self.for_s, language)
        if language == "fr":
            return f"L'eau coule sans arrêt depuis plus de {lasting} ; en ce moment {flow}."
        return f"Water has been flowing non-stop for more than {lasting}; now {flow}."
