"""The engine against a brute-force one, closed forms, and published cases."""

import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ConfigurationError
from simulators.radio import air as names
from simulators.radio import chance, engine, jit, kernel, propagation, thresholds, traffic, validation
from simulators.radio.air import Air, Frames, State
from simulators.radio.counting import Result
from simulators.radio.traffic import Talk

PAGE = Path(__file__).parents[3] / "docs" / "simulator-validation.md"


@pytest.fixture(scope="module")
def numeric() -> list[validation.Row]:
    return list(validation.rows())


def test_closed_forms(numeric: list[validation.Row]) -> None:
    assert [row for row in numeric if not row.holds] == []


@pytest.mark.parametrize("case", validation.NS3_CASES, ids=lambda case: case.name)
def test_published_interference_cases(case: validation.Case) -> None:
    assert validation.survives(case) == case.survives


def test_the_page_says_what_the_command_says(numeric: list[validation.Row]) -> None:
    written, made = (re.split(r"(\d\.\d{4})", text) for text in (PAGE.read_text(), validation.markdown(numeric)))
    assert written[::2] == made[::2]
    for one, other in zip(written[1::2], made[1::2], strict=True):
        assert float(one) == pytest.approx(float(other), abs=0.001)  # another processor rounds its logarithms otherwise


def world(
    *,
    devices: int = 300,
    gateways: int = 5,
    seed: int = 1,
    period_s: float = 20.0,
    k_factor: float = -1.0,
    capture: str = "goursaud",
    pattern: int = traffic.PERIODIC,
) -> tuple[Talk, Air]:
    """A small crowded territory of eight kilometres."""
    rng = np.random.default_rng(seed)
    line = propagation.line("petajajarvi-2015", 30, 1.5)
    gains = propagation.gains(
        device_xy_m=rng.random((devices, 2)) * 8000,
        device_loss_db=rng.random(devices) * 30,
        gateway_xy_m=rng.random((gateways, 2)) * 8000,
        gateway_antenna_db=np.full(gateways, 3.0),
        lines=[line] * gateways,
        decorrelation_m=100.0,
        seed=seed,
    )
    factor = (np.arange(devices) % 6).astype(np.uint8)
    talk = Talk(
        period_s=np.full(devices, period_s),
        factor=factor,
        airtime_us=traffic.airtimes_us(np.full(devices, 20), factor),
        lock_us=traffic.locks_us(factor),
        power_mw=np.full(devices, 25.0, dtype=np.float32),
        jitter=0.3,
        pattern=pattern,
        channels=3,
        seed=seed,
    )
    air = validation.air(gains, capture, k_factor=k_factor, seed=seed)
    return talk, air._replace(closed_us=np.array([[1, 10_000_000, 30_000_000], [3, 0, 5_000_000]], dtype=np.int64))


SENDING_US = [(at, at + 400_000) for at in range(1_000_000, 60_000_000, 5_000_000)]  # gateway 0's own transmissions


def sending(demodulators: int) -> State:
    """The state of a silent air in which gateway 0 will transmit."""
    state = State.empty([demodulators] * 5)
    state.sending_us[0, : len(SENDING_US)] = SENDING_US
    state.deaf_us[0] = SENDING_US[-1][1]
    return state


def heard(frames: Frames, air: Air, gateway: int) -> list[float]:
    """Received powers, as the kernel computes them."""
    powers = []
    for device, turn, sent in zip(frames.device, frames.turn, frames.power_mw, strict=True):
        power = float(sent) * float(air.gain[gateway, device])
        if air.k_factor >= 0:
            power *= propagation.faded(air.seed, gateway, int(device), int(turn), air.k_factor)
        powers.append(power)
    return powers


def brute_force(frames: Frames, air: Air, gateway: int, demodulators: int, *, sends: bool) -> list[int]:
    """The rules of the kernel's first lines, said in the plainest way: every frame against every other."""
    powers = heard(frames, air, gateway)
    closed = [(a, b) for one, a, b in air.closed_us if one == gateway]
    sending = SENDING_US if sends and gateway == 0 else []
    busy: list[int] = []
    outcomes = []
    for one, power in enumerate(powers):
        start, end, sf = frames.start_us[one], frames.end_us[one], frames.factor[one]
        busy = [until for until in busy if until > start]
        if power < air.sensitivity_mw[sf]:
            outcomes.append(names.WEAK)
        elif any(a < end and start < b for a, b in closed):
            outcomes.append(names.OUT_OF_SERVICE)
        elif any(a <= start < b for a, b in sending):
            outcomes.append(names.HALF_DUPLEX)
        elif len(busy) == demodulators:
            outcomes.append(names.NO_DEMODULATOR)
        else:
            busy.append(end)
            kept = names.RECEIVED if _undisturbed(frames, air, powers, one) else names.INTERFERED
            outcomes.append(names.HALF_DUPLEX if any(a < end and start < b for a, b in sending) else kept)
    return outcomes


def _undisturbed(frames: Frames, air: Air, powers: list[float], one: int) -> bool:
    sf, energy = int(frames.factor[one]), [0.0] * 6
    for other, power in enumerate(powers):
        if other != one and frames.channel[other] == frames.channel[one]:
            shared = min(frames.end_us[one], frames.end_us[other]) - max(frames.lock_us[one], frames.start_us[other])
            energy[frames.factor[other]] += power * max(0, int(shared))
    own = powers[one] * int(frames.end_us[one] - frames.lock_us[one])
    ratios = [own / one if one else math.inf for one in energy]
    return all(ratio > air.thresholds[sf, place] for place, ratio in enumerate(ratios))


@pytest.mark.parametrize("k_factor", [-1.0, 0.0, 4.0])
@pytest.mark.parametrize("capture", ["goursaud", "croce"])
def test_the_engine_agrees_with_brute_force_on_every_frame(capture: str, k_factor: float) -> None:
    talk, air = world(capture=capture, k_factor=k_factor)
    air = air._replace(floor_mw=np.zeros(6))
    frames = traffic.frames(talk, 0, 35_000_000)
    near, longest_us = np.ascontiguousarray(air.gain.T), int(talk.airtime_us.max())
    chunk, _ = engine.step(engine.silence([6] * 5), frames, air, near, longest_us, 0, engine.FOR_EVER_US)
    outcome = chunk.outcome
    in_turn = one_by_one(frames, air, near, longest_us, sending(6))
    seen: set[int] = set()
    for gateway in range(5):
        assert outcome[gateway].tolist() == brute_force(frames, air, gateway, 6, sends=False)
        expected = brute_force(frames, air, gateway, 6, sends=True)
        assert in_turn[gateway].tolist() == expected
        seen |= set(expected)
    assert seen == {1, 2, 3, 4, 5, 6}


def one_by_one(
    frames: Frames, air: Air, near: npt.NDArray[np.float32], longest_us: int, state: State
) -> npt.NDArray[np.uint8]:
    """Each frame through all gateways, its end before any later start."""
    outcome, desk = np.zeros((len(frames.start_us), 5), dtype=np.uint8).T, kernel.desk(5)
    previous, _, _ = kernel.linked(frames.channel)
    moments = [(int(end), 0, frame) for frame, end in enumerate(frames.end_us)]
    moments += [(int(start), 1, frame) for frame, start in enumerate(frames.start_us)]
    latest: dict[int, int] = {}
    for _, starts, frame in sorted(moments):
        channel = int(frames.channel[frame])
        if starts:
            latest[channel] = frame
            kernel.enter(frames, frame, air, near, state, outcome)
        else:
            kernel.leave(frames, frame, latest[channel], previous, longest_us, air, near, state, outcome, desk)
    return outcome


def same(one: Result, other: Result) -> bool:
    fields = ("by_factor", "by_gateway", "sent", "delivered", "by_copies")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)


@pytest.mark.parametrize("pattern", [traffic.PERIODIC, traffic.POISSON])
def test_results_depend_neither_on_chunks_nor_on_cores(pattern: int) -> None:
    talk, air = world(period_s=5.0, k_factor=0.0, pattern=pattern)
    whole = engine.run(talk, air, duration_us=120_000_000, chunk_us=120_000_000)
    assert whole.frames == pytest.approx(300 * 24, rel=0.05)
    assert whole.by_factor[:, names.PENDING].sum() == 0
    for chunk_us in (1_000_000, 7_000_001, 50_000_000):
        assert same(whole, engine.run(talk, air, duration_us=120_000_000, chunk_us=chunk_us))
    jit.set_threads(1)
    try:
        assert same(whole, engine.run(talk, air, duration_us=120_000_000))
    finally:
        jit.set_threads(2)
    other = engine.run(talk._replace(seed=2), air._replace(seed=2), duration_us=120_000_000)
    assert not same(whole, other)


def test_the_floor_changes_nothing_that_matters() -> None:
    talk, air = world(k_factor=-1.0)
    with_floor = engine.run(talk, air, duration_us=300_000_000)
    without = engine.run(talk, air._replace(floor_mw=np.zeros(6)), duration_us=300_000_000)
    assert np.abs(with_floor.by_factor - without.by_factor).sum() <= 0.001 * without.frames


def test_counts_add_up() -> None:
    talk, air = world()
    result = engine.run(talk, air, duration_us=200_000_000)
    assert result.sent.sum() == result.by_factor.sum() == result.by_chunk[:, 0].sum() == result.by_copies.sum()
    assert result.delivered.sum() == result.by_factor[:, names.RECEIVED].sum() == result.by_copies[1:].sum()
    assert (result.by_gateway.sum(axis=1) == result.frames).all()
    assert result.delivery == pytest.approx(result.delivered.sum() / result.sent.sum())


@given(start=st.integers(0, 10**8), length=st.integers(1, 10**8), cut=st.integers(0, 10**8))
@settings(max_examples=30, deadline=None)
def test_traffic_is_the_same_however_it_is_cut(start: int, length: int, cut: int) -> None:
    talk, _ = world(devices=20, pattern=traffic.POISSON)
    whole = traffic.frames(talk, start, start + length)
    middle = start + min(cut, length)
    halves = Frames.joined(traffic.frames(talk, start, middle), traffic.frames(talk, middle, start + length))
    assert all(np.array_equal(one, other) for one, other in zip(whole, halves, strict=True))
    assert all(before <= after for before, after in pairwise(whole.start_us.tolist()))


def test_fast_devices_are_near_and_slow_ones_far() -> None:
    sensitivity = np.power(10.0, np.array(thresholds.sensitivity_dbm("sx1301")) / 10)
    gains = np.power(10.0, np.array([[-130.0, -150.5, -160.0, -180.0]]) / 10).astype(np.float32)
    factors = engine.fastest_factors(gains[0], 10**1.4, sensitivity, 10.0)
    assert factors.tolist() == [0, 5, 5, 5]
    assert engine.fastest_factors(gains[0], 10**1.4, sensitivity, 0.0).tolist() == [0, 5, 5, 5]


@pytest.mark.parametrize(
    ("model", "expected_db"),
    [
        # By hand, at 5 km, gateway at 30 m, device at 1.5 m, 868.1 MHz.
        ("free-space", 105.20),
        ("petajajarvi-2015", 145.17),
        ("bor-2016", 171.03),
        ("hata-urban", 150.62),
        ("hata-suburban", 140.77),
        ("hata-rural", 122.26),
    ],
)
def test_path_losses(model: str, expected_db: float) -> None:
    line = propagation.line(model, 30.0, 1.5)
    assert propagation.loss_db(line.at_1km_db, line.slope_db, 5000.0) == pytest.approx(expected_db, abs=0.01)


def test_okumura_hata_is_refused_outside_its_validity() -> None:
    for heights in ((29.0, 1.5), (201.0, 1.5), (30.0, 0.5), (30.0, 11.0)):
        with pytest.raises(ConfigurationError, match="Okumura"):
            propagation.line("hata-urban", *heights)
    for unknown in (lambda: propagation.line("x", 30, 1.5), lambda: thresholds.sensitivity_dbm("x"),
                    lambda: thresholds.capture("x")):  # fmt: skip
        with pytest.raises(ConfigurationError):
            unknown()


def _field(offset_m: float) -> npt.NDArray[Any]:
    return np.array(
        [propagation.shadow(7, 0, 1000.0 * n + offset_m, 700.0 * n, 100.0) for n in range(20_000)], dtype=np.float64
    )


def test_shadowing_is_standard_and_its_memory_ends() -> None:
    here = _field(0.0)
    assert here.mean() == pytest.approx(0, abs=0.03)
    assert here.std() == pytest.approx(1, abs=0.02)
    near, far = (np.corrcoef(here, _field(offset))[0, 1] for offset in (10.0, 250.0))
    assert near > 0.9
    assert abs(far) < 0.03


def test_chance_has_its_distributions() -> None:
    uniform = np.array([chance.uniform(1, 2, 3, count) for count in range(20_000)])
    normal = np.array([chance.normal(1, 2, 3, count) for count in range(20_000)])
    assert 0 < uniform.min() < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    assert (normal.mean(), normal.std()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))
    for p, z in ((0.5, 0.0), (0.975, 1.959964), (0.001, -3.090232), (0.999, 3.090232)):
        assert chance.inverse_normal(p) == pytest.approx(z, abs=1e-5)
    assert int(chance.bits(1, 2, 3, 4)) != int(chance.bits(1, 2, 4, 3))


def test_rice_tends_to_a_steady_channel() -> None:
    spread = [
        np.std([propagation.faded(1, 0, 0, turn, k_factor) for turn in range(4000)]) for k_factor in (0.0, 4.0, 100.0)
    ]
    assert spread[0] == pytest.approx(1.0, abs=0.06)
    assert spread[0] > spread[1] > spread[2]
    assert np.mean([propagation.faded(1, 0, 0, turn, 4.0) for turn in range(4000)]) == pytest.approx(1, abs=0.03)
