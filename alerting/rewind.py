"""Samples in the order in which they come, early, late or twice: what live evaluation does, without a database. Pure.

A sample that is newer than all goes on from the present state. One that is late makes the evaluation begin again
from the last checkpoint before it, with all samples since. Checkpoints are kept for as long as lateness counts; what is
older still corrects the stored series, and no state.
"""

import bisect
from collections.abc import Iterable
from typing import Final

from alerting.record import Alert, Known, Record, record
from alerting.rules._base import NEVER
from alerting.rules._words import DAY_S
from alerting.states import Machine, Rule, Sample, State, Stepped
from alerting.step import initial, step

LATENESS_S: Final = 8 * DAY_S
CHECKPOINT_EVERY_S: Final = DAY_S


class Watched:
    """One rule on one subject, told samples as they arrive; remembers what the database would."""

    def __init__(self, rule: Rule, subject: str = "1") -> None:
        self.rule = rule
        self.subject = subject
        self.state = initial(rule)
        self.known: list[Known] = []
        self.alerts: list[Alert] = []
        self.records: list[Record] = []
        self._samples: list[Sample] = []
        self._checkpoints: list[Machine] = [self.state.machine]

    def arrive(self, samples: Iterable[Sample], now_s: float) -> Stepped:
        """Take samples in whatever order, and evaluate. One that is there already changes nothing."""
        new = [one for one in samples if not self._has(one)]
        for one in new:
            bisect.insort(self._samples, one)
        since_s = min((at_s for at_s, _, _ in new), default=NEVER)
        machine = begin_from([*self._checkpoints, self.state.machine], since_s)
        later = bisect.bisect_right(self._samples, (machine.last_s, NEVER, 0.0))
        stepped = step(self.rule, State(machine), self._samples[later:], now_s)
        self._keep(machine, stepped, now_s)
        self._checkpoints = kept_checkpoints(self._checkpoints, machine, stepped.state.machine, since_s)
        self.state = stepped.state
        return stepped

    def _has(self, one: Sample) -> bool:
        place = bisect.bisect_left(self._samples, one)
        return place < len(self._samples) and self._samples[place][:2] == one[:2]

    def _keep(self, machine: Machine, stepped: Stepped, now_s: float) -> None:
        made = record(
            self.subject,
            stepped.state,
            stepped.transitions,
            [one for one in self.known if one.at_s > machine.last_s],
            [one for one in self.alerts if one.ended_s > machine.last_s],
            begun_from=(machine.fired_s, machine.degree),
            now_s=now_s,
        )
        self.known = [one for one in self.known if one.transition_id not in made.vanished]
        self.known += [Known(len(self.records) * 1000 + place, one.at_s, one.before, one.after)
                       for place, (one, _) in enumerate(made.new)]  # fmt: skip
        changed = {one.alert_id: one for one in made.alerts}
        self.alerts = [one for one in self.alerts if one.alert_id not in changed] + made.alerts
        self.records.append(made)


def begin_from(machines: Iterable[Machine], since_s: float) -> Machine:
    """Return the last of some machines, in the order of time, that knows nothing from `since_s` on; else the first."""
    found = None
    for one in machines:
        if found is None or one.last_s < since_s:
            found = one
    assert found is not None
    return found


def kept_checkpoints(held: list[Machine], begun: Machine, reached: Machine, since_s: float) -> list[Machine]:
    """Return the checkpoints after an evaluation: those that a late sample overtook leave, one a day comes."""
    left = [one for one in held if one.last_s < since_s]
    if is_new_day(begun.last_s, reached.last_s) and left[-1].last_s < begun.last_s:
        left.append(begun)
    oldest_s = reached.last_s - LATENESS_S
    before = [one for one in left if one.last_s <= oldest_s]
    return left[len(before) - 1 :] if before else left


def is_new_day(before_s: float, after_s: float) -> bool:
    """Say whether a checkpoint lies between two moments."""
    if before_s in {after_s, -NEVER}:
        return False
    return before_s // CHECKPOINT_EVERY_S != after_s // CHECKPOINT_EVERY_S
