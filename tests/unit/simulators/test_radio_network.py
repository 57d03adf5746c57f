"""Devices that listen: ADR, joins, retries, answers."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.lorawan import adr
from simulators.lorawan.adr import Heard, Link
from simulators.radio import air, network, run, switched_on, world
from simulators.radio.air import Frames
from simulators.radio.counting import Result
from simulators.radio.devices import Agenda, Devices, pop, push
from simulators.radio.network import Dialogue
from simulators.radio.outcomes import JOIN, Part
from simulators.radio.scenario import HERE, Fleet, Gateway, Radio
from simulators.radio.server import CHIRPSTACK, SEMTECH, Downlink, _wanted
from simulators.radio.world import World

NEAR = Fleet(name="near", devices=40, period_s=600.0, spread_m=3000.0)


def made(*fleets: Fleet, gateways: int = 2, **options: Any) -> World:
    masts = tuple(Gateway(name=f"g{place}", latitude=49.9 + place * 0.03, longitude=2.3) for place in range(gateways))
    return world.prepare(Radio(fleets=fleets or (NEAR,), gateways=masts, **({"hours": 2.0} | options)), HERE)


def told(scenario: World, **how: Any) -> tuple[Result, Dialogue]:
    return network.run(scenario, **how)


def parts(scenario: World) -> Part:
    """All frames of a run as one part, without its receptions."""
    found = list(run.parts(scenario))
    return Part(*(np.concatenate([getattr(part, name) for part in found]) for name in Part._fields))


def test_nothing_depends_on_how_time_is_cut_nor_on_how_much_is_computed_at_once() -> None:
    busy = made(
        replace(NEAR, devices=30, period_s=60.0, confirmed=True, downlink_share=0.1),
        replace(NEAR, name="stuck", spreading_factor=12),
        adr="chirpstack", joins=True, fading="rayleigh", hours=0.25,
    )  # fmt: skip
    whole, said = told(busy)
    assert whole.frames > 500
    assert whole.by_chunk.tolist() == told(busy, room=40)[0].by_chunk.tolist()
    for how in ({"chunk_us": 100_000_007}, {"room": 50}, {"chunk_us": 700_000_000, "room": 33}):
        other, again = told(busy, **how)
        for name in ("by_factor", "by_gateway", "sent", "delivered", "by_copies"):
            assert np.array_equal(getattr(whole, name), getattr(other, name))
        for name in ("messages", "delivered", "unsent", "answers", "joined_us", "power", "transmissions"):
            assert np.array_equal(getattr(said, name), getattr(again, name))


def test_without_anything_to_hear_both_engines_agree() -> None:
    quiet = made(replace(NEAR, devices=200), hours=6.0)
    alone, _ = run.run(quiet)
    listening, said = told(quiet)
    assert said.messages.sum() == alone.frames == listening.frames
    assert not said.answers.any()
    assert listening.delivery == pytest.approx(alone.delivery, abs=0.005)


@pytest.mark.parametrize("algorithm", ["chirpstack", "semtech"])
def test_adr_brings_near_devices_to_sf7_and_low_power(algorithm: str) -> None:
    result, said = told(made(adr=algorithm, hours=8.0, path_loss="free-space"))
    assert said.factors[-1].tolist() == [40, 0, 0, 0, 0, 0]
    assert (said.power > 0).all()
    assert result.by_factor[5].sum() > 0  # they begin at SF12
    hours_until_fast = [int(np.argmax(said.factors[:, 5] == 0))]
    assert hours_until_fast == [0 if algorithm == "chirpstack" else 3]  # after one frame, or twenty at 6 an hour
    assert said.answers[2, 3] >= 40


def test_stuck_devices_stay() -> None:
    _, said = told(made(replace(NEAR, spreading_factor=12), adr="chirpstack"))
    assert said.factors[-1].tolist() == [0, 0, 0, 0, 0, 40]
    assert not said.answers.any()


def test_confirmed_frames_are_sent_again_until_they_are_acknowledged() -> None:
    result, said = told(made(replace(NEAR, devices=5, confirmed=True)))
    assert result.frames == said.messages.sum() == said.answers[1, 3]
    unheard = made(replace(NEAR, devices=5, confirmed=True, indoor_db=90.0, tries=4), hours=6.0)
    result, said = told(unheard)
    assert result.frames == pytest.approx(4 * said.messages.sum(), abs=15)
    assert not said.delivered.any()
    frames = parts(unheard)
    for device in range(5):
        mine = frames.device == device
        gaps = np.diff(frames.start_us[mine]) - (frames.end_us - frames.start_us)[mine][:-1]
        assert gaps.min() >= 2_200_000 + 1_000_000  # RX1 at 1 s, RX2 at 2 s, and a pause of 1 s at least
        assert (np.diff(frames.f_cnt[mine]) >= 0).all()


def test_unconfirmed_frames_are_repeated() -> None:
    result, said = told(made(replace(NEAR, devices=10, transmissions=3)))
    assert result.frames == pytest.approx(3 * said.messages.sum(), abs=30)


def test_devices_join_before_they_talk() -> None:
    scenario = made(joins=True, hours=1.0)
    result, said = told(scenario)
    frames = parts(scenario)
    joins = frames.kind == JOIN
    assert said.joined[-1] == 40
    assert (frames.end_us - frames.start_us)[joins][frames.spreading_factor[joins] == 7].max() == 61_696  # 23 bytes
    assert set(frames.frequency_hz[joins].tolist()) <= {868_100_000, 868_300_000, 868_500_000}
    for device in range(40):
        mine = frames.device == device
        assert frames.kind[mine][0] == JOIN
        nonces = frames.f_cnt[mine & joins]
        assert nonces.tolist() == list(range(len(nonces)))
        wait_us = said.joined_us[device] - frames.end_us[mine & joins][-1]
        assert wait_us > 5_000_000
        assert frames.f_cnt[mine & ~joins][0] == 0
    assert result.frames == len(frames.device)
    assert said.unsent.sum() >= 40


def test_those_who_cannot_join_ask_less_and_less() -> None:
    frames = parts(made(replace(NEAR, devices=3, indoor_db=90.0, spreading_factor=12), joins=True, hours=24.0))
    for device in range(3):
        starts = frames.start_us[frames.device == device] / 3.6e9
        assert 15 <= (starts - starts[0] < 1).sum() <= 30  # 36 s of air in the first hour, SF12
        assert 15 <= (starts - starts[0] < 11).sum() - (starts - starts[0] < 1).sum() <= 30  # 36 s in the next ten


def _busy_share(frames: Frames | Part, device: int, low: bool) -> float:  # noqa: FBT001
    mine = frames.device == device
    within = mine & ((frames.frequency_hz >= 868_000_000) == low)
    return float((frames.end_us - frames.start_us)[within].sum() / frames.end_us.max())


def test_duty_cycles_are_kept_by_devices_and_gateways() -> None:
    chatty = made(replace(NEAR, devices=8, period_s=20.0, spreading_factor=12, confirmed=True), gateways=1, hours=3.0)
    frames = parts(chatty)
    for device in range(8):
        assert all(_busy_share(frames, device, low) <= 0.0102 for low in (True, False))
    _, said = told(chatty)
    assert said.unsent.sum() > 0
    acknowledgement_s = 1.155
    for sent, share in ((said.answers[1, 0], 0.02), (said.answers[1, 1], 0.10)):
        assert 0 < sent * acknowledgement_s <= 3 * 3600 * share * 1.02


def test_a_gateway_that_answers_is_deaf() -> None:
    crowd = replace(NEAR, devices=300, period_s=120.0)
    silent, _ = told(made(crowd, gateways=1))
    answering, said = told(made(replace(crowd, confirmed=True, tries=1), gateways=1))
    assert said.answers[1, :2].sum() > 100
    assert silent.by_gateway[0, air.HALF_DUPLEX] == 0
    assert answering.by_gateway[0, air.HALF_DUPLEX] > 0
    assert answering.delivery < silent.delivery


def test_sixteen_demodulators_hear_more_than_eight() -> None:
    crowd = made(replace(NEAR, devices=3000, period_s=120.0), gateways=1, capture="none", hours=0.5)
    few, _ = run.run(crowd)
    masts = tuple(replace(one, demodulators=16) for one in crowd.radio.gateways)
    many, _ = run.run(crowd._replace(radio=replace(crowd.radio, gateways=masts)))
    assert few.by_gateway[0, air.NO_DEMODULATOR] > 3 * many.by_gateway[0, air.NO_DEMODULATOR]


@cache
def quiet() -> tuple[Devices, Downlink]:
    scenario = made()
    return switched_on.devices(scenario), switched_on.downlink(scenario.radio)


@given(
    st.lists(st.tuples(st.floats(-30, 15, width=32), st.integers(1, 3)), min_size=1, max_size=30),
    st.integers(0, 5), st.integers(0, 7), st.integers(1, 3),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_compiled_adr_is_the_one_that_is_written_down(
    heard: list[tuple[float, int]], data_rate: int, power: int, again: int
) -> None:
    fleet, down = quiet()
    counters = np.cumsum([step for _, step in heard]).tolist()
    history = [Heard(f_cnt, snr_db) for f_cnt, (snr_db, _) in zip(counters, heard, strict=True)][-20:]
    for algorithm, law in ((CHIRPSTACK, adr.chirpstack), (SEMTECH, adr.semtech)):
        server = switched_on.server(fleet, 2)
        for one in history:
            place = server.at[0]
            server.snr_db[0, place], server.seen[0, place] = one.snr_db, one.f_cnt
            server.at[0], server.known[0] = (place + 1) % 20, min(20, server.known[0] + 1)
        server.power[0], server.transmissions[0] = power, again
        got = _wanted(server, down._replace(algorithm=algorithm), 0, data_rate)
        assert Link(*got) == law(Link(data_rate, power, again), history)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 1000)), max_size=60, unique_by=lambda one: one[1]))
@settings(max_examples=100, deadline=None)
def test_the_agenda_gives_devices_by_time(entries: list[tuple[int, int]]) -> None:
    agenda = Agenda(np.zeros(60, np.int64), np.zeros(60, np.int32), np.zeros(1, np.int32))
    for time_us, device in entries:
        push(agenda, time_us, device)
    assert [pop(agenda) for _ in entries] == [device for _, device in sorted(entries)]
