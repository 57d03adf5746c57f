"""What is known of a rule on one subject: its phase, what its samples made of it, how that changed. Plain records."""

import math
from typing import Any, Final, NamedTuple

from alerting.rules._base import NEVER, UNKNOWN, Definition, Figures, Surroundings

# at_s (epoch), number of the series, value; in the order of time. NaN: the series ends here, as Prometheus's "stale";
# of a rule with one series alone.
Sample = tuple[float, int, float]

INACTIVE: Final = "inactive"
PENDING: Final = "pending"  # it is so, but not for long enough yet
FIRING: Final = "firing"
KEEP_FIRING: Final = "keep-firing"  # it is no longer so, but not for long enough yet
RESOLVED: Final = "resolved"  # it ended, and was not so again since
NODATA: Final = "nodata"  # the last sample is too old to say anything
NEVER_SEEN: Final = "never-seen"  # there was no sample at all
FLAPPING: Final = "flapping"  # it came and went too often to be told each time
PHASES: Final = (INACTIVE, PENDING, FIRING, KEEP_FIRING, RESOLVED, NODATA, NEVER_SEEN, FLAPPING)


class Rule(NamedTuple):
    """A definition with what is around the subject that it is applied to."""

    definition: Definition
    around: Surroundings = Surroundings()


class Machine(NamedTuple):
    """What the samples up to the last one made of a rule. Plain JSON values."""

    phase: str = NEVER_SEEN
    since_s: float = 0.0  # when this phase began
    last_s: float = -math.inf  # the time of the last sample
    verdict: int = UNKNOWN
    bad_s: float = NEVER  # since when it is bad, while pending
    worse_s: float = NEVER  # since when it is bad by the second step
    fired_s: float = NEVER  # when the alert that is open began; NEVER: none is
    degree: int = 0
    changed_s: float = NEVER  # when it last got better or worse, while keep-firing or flapping
    starts: tuple[float, ...] = ()  # the latest firings: what tells flapping
    memory: list[Any] | None = None  # the detector's


class Transition(NamedTuple):
    """A change of phase at a time of the measurements. `alert_s` is when its alert began, NEVER where there is none."""

    at_s: float
    before: str
    after: str
    degree: int
    alert_s: float
    reason: Figures


class State(NamedTuple):
    """What is known of a rule on one subject.

    `machine` stands at the last sample; `phase`, `since_s`, `degree` and `alert_s` are as of `now_s`, with what the
    time since the last sample made; `due_s` is when that changes next though no sample comes.
    """

    machine: Machine = Machine()
    now_s: float = -math.inf
    phase: str = NEVER_SEEN
    since_s: float = 0.0
    degree: int = 0
    alert_s: float = NEVER
    due_s: float = NEVER


class Stepped(NamedTuple):
    """What a step made. `reason` says why the phase is what it is."""

    state: State
    transitions: list[Transition]
    reason: Figures


class LateSampleError(ValueError):
    """A sample lies before the last one that the state knows: begin again from an earlier state."""
