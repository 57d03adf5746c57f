"""The evaluation of rules: phases, durations, hysteresis, silence, flapping; the order of arrival changes nothing."""

import math
import random
import time
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.rewind import Watched
from alerting.rules import parse
from alerting.rules._base import NEVER, Surroundings
from alerting.state_json import dump_machine, load_machine
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
    Rule,
    Sample,
    State,
)
from alerting.step import initial, step

MINUTE = 60.0
HOUR = 3600.0
START = 1_800_000_000.0


def rule(kind: str = "threshold", around: Surroundings | None = None, **values: Any) -> Rule:
    if kind == "threshold":
        values = {"quantity": "co2", "above": 1500, "clear": 1200, "flap_count": 0} | values
    return Rule(parse(kind, values), around or Surroundings(since_s=START))


def every(period_s: float, *values: float, start: float = START) -> list[Sample]:
    return [(start + place * period_s, 0, float(value)) for place, value in enumerate(values) if value is not None]


def phases(watched: Rule, samples: list[Sample], now_s: float) -> list[tuple[float, str]]:
    stepped = step(watched, initial(watched), samples, now_s)
    return [((one.at_s - START) / MINUTE, one.after) for one in stepped.transitions]


def test_it_fires_once_it_has_been_so_for_long_enough_and_ends_at_the_clear_level() -> None:
    samples = every(10 * MINUTE, 1000, 1600, 1600, 1600, 1400, 1100)
    assert phases(rule(for_s=20 * MINUTE), samples, START + HOUR) == [
        (0, INACTIVE),
        (10, PENDING),
        (30, FIRING),
        (50, RESOLVED),
    ]


def test_a_value_between_the_levels_does_not_begin_and_does_not_end() -> None:
    samples = every(10 * MINUTE, 1400, 1600, 1400, 1600, 1300, 1200)
    assert phases(rule(), samples, START + HOUR) == [(0, INACTIVE), (10, FIRING), (50, RESOLVED)]
    assert phases(rule(for_s=20 * MINUTE), samples, START + HOUR) == [
        (0, INACTIVE),
        (10, PENDING),
        (20, INACTIVE),
        (30, PENDING),
        (40, INACTIVE),
    ]


def test_time_alone_makes_it_fire_and_a_sample_at_that_very_moment_counts_first() -> None:
    assert phases(rule(for_s=15 * MINUTE), every(10 * MINUTE, 1600, 1600), START + 15 * MINUTE)[-1] == (15, FIRING)
    samples = [(START, 0, 1600.0), (START + 15 * MINUTE, 0, 1000.0)]
    assert phases(rule(for_s=15 * MINUTE), samples, START + 15 * MINUTE) == [(0, PENDING), (15, INACTIVE)]


def test_it_goes_on_firing_for_a_while() -> None:
    samples = every(10 * MINUTE, 1600, 1000, 1600, 1000, 1000, 1000, 1000)
    assert phases(rule(keep_firing_s=20 * MINUTE), samples, START + HOUR) == [
        (0, FIRING),
        (10, KEEP_FIRING),
        (20, FIRING),
        (30, KEEP_FIRING),
        (50, RESOLVED),
    ]


@pytest.mark.parametrize(("no_data", "end"), [("keep", (90, NODATA)), ("resolve", (90, RESOLVED))])
def test_silence_leaves_an_alert_open_unless_asked_otherwise(no_data: str, end: tuple[float, str]) -> None:
    watched = rule(no_data=no_data, hold_s=90 * MINUTE)
    assert phases(watched, every(10 * MINUTE, 1600), START + 3 * HOUR) == [(0, FIRING), end]


def test_what_was_firing_before_a_silence_is_the_same_alert_after_it() -> None:
    watched = rule()
    stepped = step(watched, initial(watched), [(START, 0, 1600.0), (START + 5 * HOUR, 0, 1600.0)], START + 6 * HOUR)
    assert [one.after for one in stepped.transitions] == [FIRING, NODATA, FIRING, NODATA]
    assert {one.alert_s for one in stepped.transitions} == {START}
    calm = step(watched, stepped.state, [(START + 7 * HOUR, 0, 1000.0)], START + 7 * HOUR)
    assert calm.transitions[-1].after == RESOLVED


def test_the_second_step_is_told_apart_and_lasts_too() -> None:
    watched = rule(second=2500, for_s=20 * MINUTE)
    samples = every(10 * MINUTE, 1600, 1600, 2600, 2600, 2600, 1600, 1000)
    made = step(watched, initial(watched), samples, START + HOUR).transitions
    assert [((one.at_s - START) / MINUTE, one.after, one.degree) for one in made] == [
        (0, PENDING, 0),
        (20, FIRING, 1),
        (40, FIRING, 2),
        (60, RESOLVED, 2),
    ]
    assert (
        step(watched, initial(watched), every(10 * MINUTE, 2600, 2600, 2600), START + HOUR).transitions[1].degree == 2
    )


def test_flapping_is_one_phase_until_it_is_calm() -> None:
    watched = rule(flap_count=3, flap_window_s=6 * HOUR, calm_s=HOUR, clear=1500)
    samples = every(10 * MINUTE, *([1600, 1000] * 6), *([1000] * 12))
    assert phases(watched, samples, samples[-1][0]) == [
        (0, FIRING),
        (10, RESOLVED),
        (20, FIRING),
        (30, RESOLVED),
        (40, FLAPPING),
        (170, RESOLVED),
    ]


def test_one_that_never_spoke_is_never_seen_and_not_silent() -> None:
    watched = rule("silent_sensor", period_s=600)
    stepped = step(watched, initial(watched), [], START + 1e7)
    assert (stepped.state.phase, stepped.transitions, stepped.state.due_s) == (NEVER_SEEN, [], NEVER)


def test_a_silent_sensor_is_silent_by_its_own_habit() -> None:
    watched = rule("silent_sensor", missed=4, at_least_s=HOUR)
    regular = [(START + hour * HOUR, 0, 0.0) for hour in range(24)]
    at = regular[-1][0]
    assert step(watched, initial(watched), regular, at + 4 * HOUR - 1).state.phase == INACTIVE
    assert step(watched, initial(watched), regular, at + 4 * HOUR).state.phase == FIRING
    rare = [(START + day * 86400.0, 0, 0.0) for day in range(24)]
    assert step(watched, initial(watched), rare, rare[-1][0] + 3 * 86400).state.phase == INACTIVE


def test_what_lies_in_the_future_is_left_for_later() -> None:
    watched = rule()
    samples = [(START, 0, 1000.0), (START + 60, 0, 1600.0)]
    stepped = step(watched, initial(watched), samples, START + 30)
    assert (stepped.state.phase, stepped.state.due_s) == (INACTIVE, START + 60)
    assert step(watched, stepped.state, samples[1:], START + 60).state.phase == FIRING


def test_a_late_sample_is_refused_by_step() -> None:
    watched = rule()
    state = step(watched, initial(watched), [(START, 0, 1.0)], START).state
    with pytest.raises(LateSampleError):
        step(watched, state, [(START - 1, 0, 1.0)], START)


values = st.sampled_from([1000.0, 1200.0, 1300.0, 1500.0, 1600.0, 2600.0])
series = st.lists(
    st.tuples(st.integers(1, 40).map(lambda minutes: minutes * 7 * MINUTE), values), min_size=1, max_size=40
).map(
    lambda gaps: [(START + sum(gap for gap, _ in gaps[: place + 1]), 0, value) for place, (_, value) in enumerate(gaps)]
)
rules = st.builds(
    rule,
    for_s=st.sampled_from([0, 10 * MINUTE, 20 * MINUTE]),
    keep_firing_s=st.sampled_from([0, 15 * MINUTE]),
    second=st.sampled_from([None, 2500]),
    flap_count=st.sampled_from([0, 2, 3]),
    no_data=st.sampled_from(["keep", "resolve"]),
    hold_s=st.sampled_from([30 * MINUTE, 3 * HOUR]),
)


@given(rules, series, st.lists(st.integers(0, 39), max_size=6))
def test_portions_change_nothing(watched: Rule, samples: list[Sample], cuts: list[int]) -> None:
    end = samples[-1][0] + 4 * HOUR
    whole = step(watched, initial(watched), samples, end)
    state, found, begin = initial(watched), {}, 0
    for cut in [*sorted({cut for cut in cuts if cut < len(samples)}), len(samples)]:
        part = samples[begin:cut]
        now = part[-1][0] if part else state.now_s
        stepped = step(watched, state, part, end if cut == len(samples) else now)
        found |= {(one.at_s, one.after): one for one in stepped.transitions}
        state, begin = State(load_machine(dump_machine(stepped.state.machine)), *stepped.state[1:]), cut
    assert state == whole.state
    assert list(found.values()) == whole.transitions


@given(rules, series, st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_arrival_changes_nothing_in_the_end(
    watched: Rule, samples: list[Sample], rng: random.Random, portion: int
) -> None:
    end = samples[-1][0]
    in_order, shuffled = Watched(watched), Watched(watched)
    for one in samples:
        in_order.arrive([one], one[0])
    in_order.arrive([], end)
    mixed = samples[:]
    rng.shuffle(mixed)
    for place in range(0, len(mixed), portion):
        shuffled.arrive(mixed[place : place + portion], end)
        told = shuffled.records[-1].telling
        truth = step(watched, initial(watched), sorted(mixed[: place + portion]), end).state
        if told is not None:  # whatever is told is so at that moment
            assert (told.kind in {"firing", "raised", "flapping"}) == (truth.alert_s != NEVER)
    assert shuffled.state == in_order.state
    assert _recorded(shuffled) == _recorded(in_order)
    assert _open(shuffled) == _open(in_order)


def _recorded(watched: Watched) -> list[tuple[float, str, str]]:
    return sorted((one.at_s, one.before, one.after) for one in watched.known)


def _open(watched: Watched) -> list[float]:
    return [one.started_s for one in watched.alerts if one.ended_s == NEVER]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32), rules)
def test_seven_days_shuffled_end_as_sorted_and_tell_nothing_stale(seed: int, watched: Rule) -> None:
    rng = random.Random(seed)
    samples, level = [], 1200.0
    for place in range(7 * 24 * 4):
        level = min(max(level + rng.gauss(0, 120), 400), 3000)
        samples.append((START + place * 15 * MINUTE, 0, level))
    end = samples[-1][0]
    truth = step(watched, initial(watched), samples, end).state
    mixed = samples[:]
    rng.shuffle(mixed)
    late = Watched(watched)
    for place in range(0, len(mixed), 24):
        late.arrive(mixed[place : place + 24], end)
    assert late.state == truth
    told = [(place, one.telling) for place, one in enumerate(late.records) if one.telling]
    for place, telling in told:
        known = sorted(mixed[: (place + 1) * 24])
        is_open = step(watched, initial(watched), known, end).state.alert_s != NEVER
        assert is_open == (telling.kind in {"firing", "raised", "flapping"})


def test_a_late_sample_does_not_fire_as_live_and_does_not_clear_what_goes_on() -> None:
    watched = Watched(rule())
    watched.arrive(every(10 * MINUTE, 1000, 1000, 1000, 1000), START + 30 * MINUTE)
    watched.arrive([(START + 15 * MINUTE, 0, 1900.0)], START + 31 * MINUTE)
    assert watched.state.phase == RESOLVED
    assert [one.telling for one in watched.records] == [None, None]
    assert [(one.started_s, one.ended_s, one.told) for one in watched.alerts] == [
        (START + 15 * MINUTE, START + 20 * MINUTE, False)
    ]
    firing = Watched(rule())
    firing.arrive(every(10 * MINUTE, 1000, 1600, 1600), START + 20 * MINUTE)
    firing.arrive([(START + 5 * MINUTE, 0, 1000.0)], START + 21 * MINUTE)
    assert firing.state.phase == FIRING
    assert [one.telling.kind if one.telling else None for one in firing.records] == ["firing", None]


def test_an_alert_that_late_samples_disprove_is_withdrawn() -> None:
    watched = Watched(rule(for_s=20 * MINUTE))
    watched.arrive([(START, 0, 1600.0), (START + 25 * MINUTE, 0, 1600.0)], START + 26 * MINUTE)
    watched.arrive([(START + 10 * MINUTE, 0, 1000.0)], START + 27 * MINUTE)
    assert watched.state.phase == PENDING
    assert [one.telling.kind for one in watched.records if one.telling] == ["firing", "withdrawn"]


def test_an_alert_that_is_withdrawn_at_its_last_sample_leaves_no_transition_behind() -> None:
    late, end = Watched(rule(for_s=20 * MINUTE)), START + 25 * MINUTE
    samples = [(START, 0, 1600.0), (START + 10 * MINUTE, 0, 1000.0), (end, 0, 1600.0)]
    late.arrive([samples[0], samples[2]], end)
    late.arrive([samples[1]], end)
    in_order = Watched(rule(for_s=20 * MINUTE))
    in_order.arrive(samples, end)
    told = late.records[-1].telling
    assert told is not None
    assert (told.kind, told.transition) == ("withdrawn", None)
    assert _recorded(late) == _recorded(in_order)


def test_an_alert_keeps_its_number_when_its_start_moves() -> None:
    watched = Watched(rule())
    watched.arrive(every(10 * MINUTE, 1000, 1000, 1600), START + 20 * MINUTE)
    number = watched.alerts[0].alert_id
    watched.arrive([(START + 15 * MINUTE, 0, 1700.0)], START + 21 * MINUTE)
    assert [(one.alert_id, one.started_s) for one in watched.alerts] == [(number, START + 15 * MINUTE)]
    assert watched.records[-1].telling is None


def test_an_alert_whose_start_moved_and_that_was_two_after_all_keeps_its_number_where_it_began() -> None:
    watched, (early, calm, last) = Watched(rule()), every(10 * MINUTE, 1600, 1000, 1600)
    for one in (last, early, calm):
        watched.arrive([one], last[0])
    number = watched.records[0].alerts[0].alert_id
    first, second = watched.alerts
    assert (first.started_s, first.ended_s, first.told) == (early[0], calm[0], False)
    assert (second.started_s, second.ended_s, second.told) == (last[0], NEVER, True)
    assert second.alert_id == number != first.alert_id
    assert [one.telling.kind if one.telling else None for one in watched.records] == ["firing", None, None]


def test_what_began_and_ended_while_nobody_evaluated_is_recorded_and_not_told() -> None:
    watched = Watched(rule())
    watched.arrive([(START, 0, 1000.0)], START)
    watched.arrive(every(10 * MINUTE, 1600, 1000, 1600, 1000, start=START + MINUTE), START + 5 * HOUR)
    assert watched.records[-1].telling is None
    assert [one.told for one in watched.alerts] == [False, False]


def test_a_machine_is_plain_json() -> None:
    watched = rule(for_s=60)
    machine = step(watched, initial(watched), every(60, 1, 1600), START + 61).state.machine
    assert load_machine(dump_machine(machine)) == machine
    assert load_machine(dump_machine(initial(watched).machine)) == initial(watched).machine
    assert machine.bad_s != math.inf


def test_a_sample_told_twice_is_one() -> None:
    watched = Watched(rule("n_of_m", quantity="co2", above=1500, n=2, m=3))
    for _ in range(3):
        watched.arrive([(START, 0, 1600.0)], START + 1)
    assert watched.state.phase == INACTIVE


def test_a_long_history_is_quick_enough_to_be_shown_at_once() -> None:
    watched = rule(for_s=20 * MINUTE)
    times = [START + 60.0 * place for place in range(100_000)]
    began = time.process_time()
    stepped = step(watched, initial(watched), zip(times, repeat(0), repeat(1000.0), strict=False), times[-1])
    assert time.process_time() - began < 1.0  # a million in three seconds is a third of that
    assert len(stepped.transitions) == 1
