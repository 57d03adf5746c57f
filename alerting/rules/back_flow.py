"""Water that flows backwards through a meter: a danger for the network, or a meter put in the wrong way."""

from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from alerting.rules import _words as words
from alerting.rules._base import (
    BAD,
    GOOD,
    Detector,
    Figures,
    Memory,
    Surroundings,
)
from alerting.rules._measured import OfQuantity
from alerting.rules._windows import ExactSum
from alerting.rules._words import Language, Texts
from store.reading.pieces import increase

MAX_KEPT = 5_000  # of what flowed back; the oldest leave first


class BackFlow(OfQuantity):
    """More than `above` (m3) flowed back within `within_s`.

    Of `water_volume_reverse` it is the increase, of `water_volume` the decrease, of `water_flow` what was below zero.
    """

    KIND: ClassVar[str] = "back_flow"
    TITLE: ClassVar[Texts] = {"fr": "Retour d'eau", "en": "Back-flow"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier le clapet anti-retour et le sens de pose du compteur ; prévenir l'exploitant du réseau.",
        "en": "Check the non-return valve and which way the meter is fitted; tell the water network's operator.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    USUAL_HOLD_S: ClassVar[float] = 26 * words.HOUR_S

    quantity: Literal["water_volume_reverse", "water_volume", "water_flow"] = "water_volume_reverse"
    above: Annotated[float, Field(ge=0, le=10_000)] = 0.1
    within_s: Annotated[float, Field(gt=0, le=31 * words.DAY_S)] = words.DAY_S

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of what flows back."""
        del around
        return BackFlowDetector(self, memory)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        volume, window = words.amount(self.above, "m3", language), words.lasting(self.within_s, language)
        if language == "fr":
            return f"plus de {volume} repassent à l'envers dans le compteur en {window}"
        return f"more than {volume} flow backwards through the meter within {window}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        volume, window = words.amount(figures["value"], "m3", language), words.lasting(self.within_s, language)
        return f"{volume} à l'envers en {window}." if language == "fr" else f"{volume} backwards within {window}."


class BackFlowDetector(Detector):
    """Remembers what flowed back lately, and when."""

    __slots__ = ("_back", "_last", "_rule", "_volume")

    def __init__(self, rule: BackFlow, memory: Memory | None) -> None:
        super().__init__()
        self._rule = rule
        self._last: tuple[float, float] | None = tuple(memory[0]) if memory and memory[0] else None
        self._back: deque[tuple[float, float]] = deque()
        self._volume = ExactSum()
        for at_s, volume in memory[1] if memory else ():
            self._join(at_s, volume)

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Add what flowed back since the last sample."""
        del series
        if self._last is not None:
            volume = self._flowed(at_s, value, *self._last)
            if volume > 0:
                self._join(at_s, volume)
        self._last = (at_s, value)
        while self._back and self._back[0][0] < at_s - self._rule.within_s:
            self._oldest_leaves()
        return BAD if self._volume.value() > self._rule.above else GOOD

    def _join(self, at_s: float, volume: float) -> None:
        if len(self._back) == MAX_KEPT:
            self._oldest_leaves()
        self._back.append((at_s, volume))
        self._volume.add(volume)

    def _oldest_leaves(self) -> None:
        self._volume.add(-self._back.popleft()[1])

    def _flowed(self, at_s: float, value: float, before_s: float, before: float) -> float:
        if self._rule.quantity == "water_volume_reverse":
            return increase(before, value)
        if self._rule.quantity == "water_flow":
            return -before * (at_s - before_s) / words.HOUR_S
        return -increase(before, value)  # a small fall is a correction; a great one a new meter, and an increase

    def figures(self) -> Figures:
        """Return the volume that flowed back."""
        return {"code": "back_flow", "value": self._volume.value()}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._last and list(self._last), [list(one) for one in self._back]]
