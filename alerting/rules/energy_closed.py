"""Energy used while nobody is there."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

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
from alerting.rules._measured import OfQuantity
from alerting.rules._words import Language, Texts


class EnergyClosed(OfQuantity):
    """The mean power between two samples (W; gas: m3/h), outside opening hours, was above `above`."""

    KIND: ClassVar[str] = "energy_closed"
    TITLE: ClassVar[Texts] = {"fr": "Consommation hors occupation", "en": "Energy outside opening hours"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Voir ce qui reste allumé : éclairage, chauffage, ventilation, eau chaude.",
        "en": "See what was left on: lights, heating, ventilation, hot water.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"above": 3000}
    USUAL_HOLD_S: ClassVar[float] = 3 * words.HOUR_S

    quantity: Literal["active_energy_import", "active_power", "heat_energy", "gas_volume"] = "active_energy_import"
    above: Annotated[float, Field(gt=0, le=1e9)]
    for_s: Seconds = words.HOUR_S
    watch: Literal["always", "open", "closed"] = "closed"

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of this power."""
        del around
        return FlowDetector("energy_closed", self.quantity, memory, above=self.above / self._per_unit)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        power = words.amount(self.above, self._unit, language)
        return f"la puissance appelée dépasse {power}" if language == "fr" else f"the power exceeds {power}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        power = words.amount(figures["value"] * self._per_unit, self._unit, language)
        return f"Puissance appelée : {power}." if language == "fr" else f"Power: {power}."

    @property
    def _per_unit(self) -> float:
        return 1000.0 if self.quantity in {"active_energy_import", "heat_energy"} else 1.0  # kWh an hour -> W

    @property
    def _unit(self) -> str:
        return "m3/h" if self.quantity == "gas_volume" else "W"
