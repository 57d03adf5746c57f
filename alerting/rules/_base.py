"""What every kind of rule is made of: a definition that people fill in, and a detector that follows the samples.

A definition is a frozen pydantic model; it says in words what it will do. A detector is told one sample after the
other, in the order of time, and answers each with a verdict; it may also ask to be woken at a `deadline_s`. It knows
nothing of durations, alerts or people: `alerting/step.py` does. Times are epoch seconds, durations seconds.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerting.rules import _words as words
from alerting.rules._calendar import Calendar
from alerting.rules._words import DAY_S, HOUR_S, Language, Texts

# What a detector says of the present. In BETWEEN, what is stays: neither bad enough to begin nor good enough to end.
UNKNOWN: Final = -1
GOOD: Final = 0
BETWEEN: Final = 1
BAD: Final = 2
WORSE: Final = 3  # bad by the second of two steps

NEVER: Final = math.inf
HEARD: Final = ""  # in place of a quantity: an uplink came, whatever it carried

Memory = list[Any]  # what a detector remembers between two steps: plain JSON
Figures = dict[str, Any]  # what a sentence is made of: plain JSON, with a "code"
Seconds = Annotated[float, Field(ge=0, le=400 * DAY_S)]


class Series(NamedTuple):
    """One input of a rule. `point_id` None: of the point that is watched, or of each member of the group."""

    quantity: str
    channel: int = 0
    point_id: int | None = None


class Surroundings(NamedTuple):
    """What a detector needs to know besides its definition.

    `period_s` is the usual time between two uplinks of the device, None when nobody knows it; `since_s` is when the
    subject began to be watched; `members` is how many series a group has.
    """

    zone: ZoneInfo = ZoneInfo("Europe/Paris")
    calendar: Calendar | None = None
    period_s: float | None = None
    since_s: float = 0.0
    members: int = 1


class What(NamedTuple):
    """What a rule is about, in people's words: "Salle 1, école Jules-Ferry"."""

    place: str
    zone: ZoneInfo = ZoneInfo("Europe/Paris")
    points: Mapping[int, str] = MappingProxyType({})  # what the points that it names itself are called


class Detector:
    """Follows the samples of one subject. Mutable; made from a memory and turned into one again."""

    __slots__ = ("deadline_s",)

    def __init__(self) -> None:
        self.deadline_s = NEVER  # when `awake` wants to be called though no sample came

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take one sample, not earlier than the one before, and return the verdict."""
        raise NotImplementedError

    def awake(self, at_s: float) -> int:
        """Take note that it is `deadline_s`, set the next one, and return the verdict.

        Most ask for no waking: their verdict changes with a sample, or not at all.
        """
        del at_s
        return UNKNOWN

    def figures(self) -> Figures:
        """Return what the last verdict was made of."""
        raise NotImplementedError

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        raise NotImplementedError


class Definition(BaseModel):
    """What is common to all kinds: for how long, what a silence means, when it is watched, what is flapping."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    KIND: ClassVar[str]
    TITLE: ClassVar[Texts]
    ADVICE: ClassVar[Texts]
    EXAMPLE: ClassVar[Mapping[str, Any]]  # what somebody may well write, to show what the kind is for
    USUAL_HOLD_S: ClassVar[float] = HOUR_S  # a value is taken to hold for so long when nothing newer comes
    SUBJECT: ClassVar[Literal["point", "group", "gateway"]] = "point"
    WARM_UP_S: ClassVar[float] = 2 * DAY_S  # how far back it looks when it is first applied
    LAZY: ClassVar[bool] = False  # while all is well its samples change nothing before the deadline

    for_s: Seconds = 0  # it fires once it has been so for that long
    keep_firing_s: Seconds = 0  # it ends once it has not been so for that long
    hold_s: Annotated[float, Field(gt=0, le=400 * DAY_S)] | None = None  # None: the usual, and three periods at least
    no_data: Literal["keep", "resolve"] = "keep"  # what silence does to an alert
    watch: Literal["always", "open", "closed"] = "always"  # by the opening hours of the site
    flap_count: Annotated[int, Field(ge=0, le=50)] = 5  # firings within flap_window_s that are flapping; 0: never
    flap_window_s: Seconds = 6 * HOUR_S
    calm_s: Seconds = HOUR_S  # flapping ends once nothing changed for so long

    @model_validator(mode="after")
    def _few_enough(self) -> "Definition":
        if self.flap_count == 1:
            raise ValueError("flap_count: a first firing is not flapping; 0 turns it off")
        return self

    def series(self) -> tuple[Series, ...]:
        """Return what it reads, in the order of the numbers that `observe` is told."""
        raise NotImplementedError

    def levels(self) -> tuple[float, ...]:
        """Return the levels that a chart of its series shows as lines, in their unit."""
        return ()

    def detector(self, memory: Memory | None, around: Surroundings) -> Detector:
        """Return a detector that goes on from a memory; from the beginning when there is none."""
        raise NotImplementedError

    def condition(self, language: Language) -> str:
        """Return what has to be so, as the middle of a sentence: "CO2 dépasse 1 500 ppm"."""
        raise NotImplementedError

    def condition_at(self, what: What, language: Language) -> str:
        """Return the same where it speaks of points by name."""
        del what
        return self.condition(language)

    def explain(self, figures: Figures, language: Language) -> str:
        """Return what was found, as a sentence."""
        raise NotImplementedError

    def holds_s(self, around: Surroundings) -> float:
        """Return for how long a value holds when nothing newer comes."""
        if self.hold_s is not None:
            return self.hold_s
        return max(self.USUAL_HOLD_S, 3 * (around.period_s or 0))

    def sentence(self, what: What, language: Language) -> str:
        """Return what it will do, in words."""
        condition = self.condition_at(what, language)
        said = ["Prévenir s'" + condition if condition.startswith("il ") else f"{_BEGINS[language]} {condition}"]
        if self.for_s:
            lasting = words.lasting(self.for_s, language)
            said.append(f"pendant {lasting}" if language == "fr" else f"for {lasting}")
        if self.watch != "always":
            said.append(_WATCHED[language][self.watch])
        where = f" ({what.place})" if what.place else ""
        return " ".join(said) + where + "."


_BEGINS: Final = {"fr": "Prévenir si", "en": "Notify if"}
_WATCHED: Final = {
    "fr": {"open": "aux heures d'ouverture", "closed": "en dehors des heures d'ouverture"},
    "en": {"open": "during opening hours", "closed": "outside opening hours"},
}


class OnlyWhile(Detector):
    """Another detector, heard only while the site is open, or closed; all is well the rest of the time."""

    __slots__ = ("_calendar", "_inner", "_open", "_until_s", "_verdict", "_watched")

    def __init__(self, inner: Detector, calendar: Calendar, watch: str, memory: Memory | None) -> None:
        super().__init__()
        self._inner = inner
        self._calendar = calendar
        self._open = watch == "open"
        self._until_s, self._watched, self._verdict = -math.inf, False, UNKNOWN
        if memory is not None:
            self._until_s, self._watched, self._verdict = memory[:3]
        self.deadline_s = NEVER if self._until_s == -math.inf else min(inner.deadline_s, self._until_s)

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Take one sample."""
        self._verdict = self._inner.observe(series, at_s, value)
        return self._now(at_s)

    def awake(self, at_s: float) -> int:
        """Wake the other, or notice that it opens or closes."""
        if at_s >= self._inner.deadline_s:
            self._verdict = self._inner.awake(at_s)
        return self._now(at_s)

    def _now(self, at_s: float) -> int:
        if at_s >= self._until_s:
            is_open, self._until_s = self._calendar.at(at_s)
            self._watched = is_open == self._open
        self.deadline_s = min(self._inner.deadline_s, self._until_s)
        return self._verdict if self._watched or self._verdict == UNKNOWN else GOOD

    def figures(self) -> Figures:
        """Return those of the other."""
        return self._inner.figures() | ({} if self._watched else {"unwatched": True})

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._until_s, self._watched, self._verdict, self._inner.dump()]


def detector_of(definition: Definition, memory: Memory | None, around: Surroundings) -> Detector:
    """Return the detector of a rule, heard only when the definition says so.

    Without opening hours, a site is always open.
    """
    if definition.watch == "always" or around.calendar is None:
        return definition.detector(memory, around)
    inner = definition.detector(None if memory is None else memory[3], around)
    return OnlyWhile(inner, around.calendar, definition.watch, memory)


def one_of(names: Sequence[str], values: Sequence[object]) -> None:
    """Raise ValueError unless exactly one of these is given."""
    if sum(value is not None for value in values) != 1:
        raise ValueError(f"give one of {', '.join(names)}")
