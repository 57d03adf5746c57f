"""Definitions of one measured quantity, and of one against a level: what most kinds share."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, model_validator

from alerting.rules import _words as words
from alerting.rules._base import Definition, Series, one_of
from alerting.rules._words import Language

QuantityName = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f,]+$")]
ChannelNumber = Annotated[int, Field(ge=0, le=255)]


class OfQuantity(Definition):
    """Reads one series: `quantity` on `channel`. A kind that makes sense of some quantities alone narrows it."""

    quantity: QuantityName
    channel: ChannelNumber = 0

    def series(self) -> tuple[Series, ...]:
        """Return the one series."""
        return (Series(self.quantity, self.channel),)

    def name(self, language: Language) -> str:
        """Return what the quantity is called."""
        return words.label(self.quantity, language)

    def subject(self, language: Language) -> str:
        """Return the quantity as the subject of a sentence: "the temperature"."""
        return words.subject(self.quantity, language)

    def of(self, language: Language) -> str:
        """Return what samples are of: "of temperature"."""
        return words.of(self.quantity, language)

    def said(self, value: float, language: Language) -> str:
        """Return a value of the quantity with its unit."""
        return words.measured(value, self.quantity, language)


class OfLevel(OfQuantity):
    """One of `above` and `below`: what lies beyond it is bad."""

    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_level(self) -> "OfLevel":
        one_of(("above", "below"), (self.above, self.below))
        return self

    @property
    def level(self) -> float:
        """The level, whichever side of it is bad."""
        level = self.above if self.above is not None else self.below
        assert level is not None
        return level

    @property
    def sign(self) -> float:
        """1 where above is bad, -1 where below is: times it, a level below is one above, upside down."""
        return 1.0 if self.above is not None else -1.0

    def beyond(self) -> Callable[[float], bool]:
        """Return what says whether a value lies on the bad side: no more than a comparison, asked a million times."""
        return self.level.__lt__ if self.above is not None else self.level.__gt__

    def is_beyond(self, value: float) -> bool:
        """Say whether a value lies on the bad side."""
        return self.beyond()(value)
