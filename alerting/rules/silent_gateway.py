"""A relay antenna (gateway) that neither relays nor reports."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

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


class SilentGateway(Definition):
    """Neither an uplink nor a status came by the gateway for `limit_s`."""

    KIND: ClassVar[str] = "silent_gateway"
    TITLE: ClassVar[Texts] = {"fr": "Antenne relais silencieuse", "en": "Silent gateway"}
    ADVICE: ClassVar[Texts] = {
        "fr": "Vérifier l'alimentation et la liaison Internet de l'antenne.",
        "en": "Check the gateway's power and its link to the Internet.",
    }
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    SUBJECT: ClassVar[Literal["point", "group", "gateway"]] = "gateway"
    LAZY: ClassVar[bool] = True

    limit_s: Annotated[float, Field(ge=60, le=31 * words.DAY_S)] = 15 * words.MINUTE_S

    def series(self) -> tuple[Series, ...]:
        """Return that it was heard."""
        return (Series(HEARD),)

    def holds_s(self, around: Surroundings) -> float:
        """Return for ever: silence is what it watches."""
        del around
        return NEVER

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector of silence."""
        del around
        return SilenceDetector(memory, first_limit_s=self.limit_s, missed=None, at_least_s=self.limit_s)

    def condition(self, language: Language) -> str:
        """Return it in words."""
        limit = words.lasting(self.limit_s, language)
        return f"l'antenne relais se tait pendant {limit}" if language == "fr" else f"the gateway is silent for {limit}"

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found."""
        limit = words.lasting(figures["limit_s"], language)
        if language == "fr":
            return f"L'antenne relais n'a rien transmis depuis plus de {limit}."
        return f"The gateway has relayed nothing for more than {limit}."
