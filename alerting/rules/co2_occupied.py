"""CO2 during occupied hours, in two steps: air the room, then leave it.

The levels are those of the French duty to watch the air of schools and nurseries (decree 2022-1690 of 27 December 2022
and its order): 800 ppm and 1 500 ppm.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from alerting.rules import _words as words
from alerting.rules._base import Seconds
from alerting.rules._words import Texts
from alerting.rules.threshold import Threshold


class Co2Occupied(Threshold):
    """A threshold with the levels of CO2, watched during opening hours."""

    KIND: ClassVar[str] = "co2_occupied"
    TITLE: ClassVar[Texts] = {"fr": "CO2 aux heures d'occupation", "en": "CO2 during occupied hours"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Ouvrir les fenêtres dix minutes ; si cela se répète, faire vérifier la ventilation.",
        "en": "Open the windows for ten minutes; if it happens again, have the ventilation checked.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}

    quantity: Literal["co2"] = "co2"
    above: float | None = 800
    second: float | None = 1500
    clear: float | None = 700
    for_s: Seconds = 20 * words.MINUTE_S
    watch: Literal["always", "open", "closed"] = "open"
