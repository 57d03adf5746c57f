"""The one evaluation of rules: `step(rule, state, samples, now) -> (state, transitions, reason)`. Pure.

The same for live evaluation, replay, backtests and YAML tests. All is by the time of the measurements: what the samples
up to an instant make of a rule hangs on nothing else, neither on when nor in what portions they came. So the state
remembers what the samples up to the last one made (`Machine`); what the time since then adds is worked out
anew each time, and never remembered as if it were measured. A sample that comes late is not for `step`: whoever
has one begins again from an earlier state, with all samples since (`alerting/rewind.py`).
"""

import math
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from alerting.rules._base import BAD, BETWEEN, GOOD, NEVER, UNKNOWN, WORSE, Figures, detector_of
from alerting.states import (
    FIRING,
    FLAPPING,
    INACTIVE,
    KEEP_FIRING,
    NEVER_SEEN,
    NODATA,
    PENDING,
    RESOLVED,
    LateSampleError,
    Machine,
    Rule,
    Sample,
    State,
    Stepped,
    Transition,
)


def step(rule: Rule, state: State, samples: Iterable[Sample], now_s: float) -> Stepped:
    """Take the samples since the state's last one, then the time until `now_s`.

    `samples` are in the order of time; what lies after `now_s` is left for later (`state.due_s` says when). The
    transitions are all that lie between the state's last sample and `now_s`, those that the time alone had made by
    the state's `now_s` included: what is told twice has the same moment and phases. Raises LateSampleError.
    """
    run = _Run(rule, state.machine)
    left_s = run.take(samples, now_s)
    run.settle()
    machine = run.machine()
    run.pass_time(now_s, inclusive=True)
    reason = run.reason()
    return Stepped(
        State(machine, now_s, run.phase, run.since_s, run.degree, run.fired_s, min(run.due_s(), left_s)),
        run.transitions,
        reason,
    )


def initial(rule: Rule) -> State:
    """Return the state of a subject of which there is no sample yet."""
    run = _Run(rule, Machine(since_s=rule.around.since_s))
    return State(run.machine(), phase=NEVER_SEEN, since_s=rule.around.since_s, due_s=run.due_s())


class _Run:
    """One step under way: a machine taken apart, so that a million samples are quick."""

    def __init__(self, rule: Rule, machine: Machine) -> None:
        definition = rule.definition
        self._rule = definition
        self._hold_s = definition.holds_s(rule.around)
        self._several = len(definition.series()) > 1 or rule.around.members > 1
        self.transitions: list[Transition] = []
        (
            self.phase,
            self.since_s,
            self._last_s,
            self._verdict,
            self._bad_s,
            self._worse_s,
            self.fired_s,
            self.degree,
            self._changed_s,
            self._starts,
            memory,
        ) = machine
        self._detector = detector_of(definition, memory, rule.around)
        self._set_timer()

    def machine(self) -> Machine:
        """Return it put together again."""
        return Machine(
            self.phase,
            self.since_s,
            self._last_s,
            self._verdict,
            self._bad_s,
            self._worse_s,
            self.fired_s,
            self.degree,
            self._changed_s,
            self._starts,
            self._detector.dump(),
        )

    def settle(self) -> None:
        """Let what is due at the last sample happen: what time adds after it is then strictly later."""
        self.pass_time(self._last_s, inclusive=True)

    def due_s(self) -> float:
        """Return when something changes though no sample comes."""
        return min(self._timer_s, self._detector.deadline_s, self._quiet_s)

    def reason(self) -> Figures:
        """Return what the phase is made of."""
        return self._detector.figures() | {"for_s": self._rule.for_s}

    # Samples

    def take(self, samples: Iterable[Sample], now_s: float) -> float:
        """Take the samples up to `now_s`; return the time of the first one after it."""
        return self._take_several(samples, now_s) if self._several else self._take_one(samples, now_s)

    def _take_one(self, samples: Iterable[Sample], now_s: float) -> float:
        detector, observe, hold_s = self._detector, self._detector.observe, self._hold_s
        last_s, verdict, deadline_s = self._last_s, self._verdict, detector.deadline_s
        wake_s, left_s = min(self._timer_s, deadline_s), NEVER
        for at_s, series, value in samples:
            if at_s > wake_s or at_s > last_s + hold_s:
                self._last_s = last_s
                self.pass_time(min(at_s, now_s), inclusive=False)
                verdict, deadline_s = self._verdict, detector.deadline_s
                wake_s = min(self._timer_s, deadline_s)
            if at_s > now_s:
                left_s = at_s
                break
            if at_s <= last_s:
                raise LateSampleError(f"a sample of {at_s} after one of {last_s}")
            last_s = at_s
            seen = observe(series, at_s, value) if value == value else UNKNOWN  # noqa: PLR0124 - NaN: the series ends
            if seen != verdict:
                self._last_s = at_s
                self._judge(at_s, seen)
                verdict, deadline_s = seen, detector.deadline_s
                wake_s = min(self._timer_s, deadline_s)
            elif detector.deadline_s != deadline_s:
                deadline_s = detector.deadline_s
                wake_s = min(self._timer_s, deadline_s)
        self._last_s = last_s
        return left_s

    def _take_several(self, samples: Iterable[Sample], now_s: float) -> float:
        """As above, all samples of one instant before the verdict on it."""
        observe = self._detector.observe
        for at_s, group in groupby(samples, key=itemgetter(0)):
            if at_s > now_s:
                return float(at_s)
            if at_s <= self._last_s:
                raise LateSampleError(f"a sample of {at_s} after one of {self._last_s}")
            self.pass_time(at_s, inclusive=False)
            for _, series, value in group:
                seen = observe(series, at_s, value)
            self._last_s = at_s
            self._judge(at_s, seen)
        return NEVER

    # Time

    def pass_time(self, until_s: float, *, inclusive: bool) -> None:
        """Let what is due before `until_s` (at it too, when `inclusive`) happen, in order."""
        while True:
            at_s = self.due_s()
            if at_s > until_s or (at_s == until_s and not inclusive) or at_s == NEVER:
                return
            if at_s == self._quiet_s and self._verdict != UNKNOWN:
                self._judge(at_s, UNKNOWN)
            if at_s == self._detector.deadline_s:
                seen = self._detector.awake(at_s)
                self._judge(at_s, UNKNOWN if at_s >= self._last_s + self._hold_s else seen)
            if at_s == self._timer_s:
                self._time_is_up(at_s)

    @property
    def _quiet_s(self) -> float:
        """When the last sample becomes too old; NEVER once it is."""
        if self._verdict == UNKNOWN or self._last_s == -math.inf:
            return NEVER
        return self._last_s + self._hold_s

    # Phases

    def _judge(self, at_s: float, seen: int) -> None:
        """Take a verdict."""
        was, self._verdict = self._verdict, seen
        if seen < WORSE:
            self._worse_s = NEVER
        elif was < WORSE:
            self._worse_s = at_s
        phase = self.phase
        if phase == FLAPPING:
            if was != seen:
                self._changed_s = at_s
        elif phase == FIRING:
            self._judge_firing(at_s, seen)
        elif phase == KEEP_FIRING:
            self._judge_keep_firing(at_s, seen)
        elif phase == NODATA and self.fired_s != NEVER:
            self._judge_silent_alert(at_s, seen)
        else:
            self._judge_quiet(at_s, seen)
        self._set_timer()

    def _judge_quiet(self, at_s: float, seen: int) -> None:
        """From where no alert is open."""
        if seen >= BAD:
            if self.phase == PENDING:
                return
            self._bad_s = at_s
            if self._rule.for_s > 0:
                self._go(at_s, PENDING)
            else:
                self._fire(at_s)
        elif seen == UNKNOWN:
            self._bad_s = NEVER
            if self.phase not in {NEVER_SEEN, NODATA}:
                self._go(at_s, NODATA)
        else:
            self._bad_s = NEVER
            if self.phase in {PENDING, NODATA, NEVER_SEEN}:
                self._go(at_s, INACTIVE)

    def _judge_firing(self, at_s: float, seen: int) -> None:
        if seen >= BETWEEN:
            return
        if seen == UNKNOWN and self._rule.no_data == "keep":
            self._go(at_s, NODATA)
        elif self._rule.keep_firing_s > 0:
            self._changed_s = at_s
            self._go(at_s, KEEP_FIRING)
        else:
            self._resolve(at_s)

    def _judge_keep_firing(self, at_s: float, seen: int) -> None:
        if seen >= BETWEEN:
            self._go(at_s, FIRING)
        elif seen == UNKNOWN and self._rule.no_data == "keep":
            self._go(at_s, NODATA)

    def _judge_silent_alert(self, at_s: float, seen: int) -> None:
        if seen >= BETWEEN:
            self._go(at_s, FIRING)
        elif seen == GOOD:
            self._resolve(at_s)

    def _fire(self, at_s: float) -> None:
        rule = self._rule
        self._starts = (*(one for one in self._starts if one > at_s - rule.flap_window_s), at_s)[-50:]
        self.fired_s = at_s
        self.degree = 2 if self._worse_s <= at_s - rule.for_s else 1
        if 0 < rule.flap_count <= len(self._starts):
            self._changed_s = at_s
            self._go(at_s, FLAPPING)
        else:
            self._go(at_s, FIRING)

    def _resolve(self, at_s: float) -> None:
        self._go(at_s, RESOLVED)
        self.fired_s, self.degree, self._bad_s, self._changed_s = NEVER, 0, NEVER, NEVER

    def _time_is_up(self, at_s: float) -> None:
        phase = self.phase
        if phase == PENDING:
            self._fire(at_s)
        elif phase == FIRING:
            self.degree = 2
            self._go(at_s, FIRING)
        elif phase == KEEP_FIRING:
            self._resolve(at_s)
        elif phase == FLAPPING:
            self._starts = ()
            if self._verdict == UNKNOWN and self._rule.no_data == "keep":
                self._go(at_s, NODATA)
            elif self._verdict >= BETWEEN:
                self._go(at_s, FIRING)
            else:
                self._resolve(at_s)
        self._set_timer()

    def _set_timer(self) -> None:
        """Work out when the phase changes if no verdict does."""
        phase, rule = self.phase, self._rule
        if phase == PENDING:
            self._timer_s = self._bad_s + rule.for_s
        elif phase == FIRING and self.degree < 2 and self._worse_s != NEVER:
            self._timer_s = self._worse_s + rule.for_s
        elif phase == KEEP_FIRING:
            self._timer_s = self._changed_s + rule.keep_firing_s
        elif phase == FLAPPING:
            self._timer_s = self._changed_s + rule.calm_s
        else:
            self._timer_s = NEVER

    def _go(self, at_s: float, phase: str) -> None:
        self.transitions.append(Transition(at_s, self.phase, phase, self.degree, self.fired_s, self.reason()))
        if phase != self.phase:
            self.since_s = at_s
        self.phase = phase
