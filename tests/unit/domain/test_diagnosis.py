"""Sensor, radio or antenna: each verdict from what is known, with the reasons that decide it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.diagnosis import CAUSES, DECODER, FINE, Facts, diagnose, is_stuck, silent_after

NOW = datetime(2025, 11, 22, 9, tzinfo=UTC)
WELL = Facts(NOW, NOW - timedelta(minutes=20), 3600, heard=160, lost=2, margin_db=14.0, gateways=2)
SILENT = WELL._replace(last_seen_at=NOW - timedelta(hours=5))


def told(facts: Facts) -> tuple[str, set[str]]:
    found = diagnose(facts)
    return found.verdict, {reason.name for reason in found.reasons}


@pytest.mark.parametrize(
    ("facts", "verdict", "reasons"),
    [
        (WELL, "fine", {"lost"}),
        (WELL._replace(heard=0, lost=0), "fine", set()),
        (SILENT, "sensor", {"silent_hours", "gateways_there", "good_margin"}),
        (SILENT._replace(last_seen_at=None), "never", {"never_heard"}),
        (SILENT._replace(last_seen_at=None, joins=4), "never", {"joins"}),
        (SILENT._replace(gateways_away=2), "gateway", {"silent_hours", "gateways_away"}),
        (SILENT._replace(gateways_away=1), "sensor", {"silent_hours", "gateways_there", "good_margin"}),
        (SILENT._replace(battery_days=-3), "battery", {"silent_hours", "battery_days"}),
        (SILENT._replace(gateways_away=2, battery_days=0), "gateway", {"silent_hours", "gateways_away"}),
        (SILENT._replace(margin_db=2.0), "radio", {"silent_hours", "weak_margin"}),
        (SILENT._replace(lost=100), "radio", {"silent_hours", "lost"}),
        (WELL._replace(lost=40), "radio", {"lost", "disturbed"}),
        (WELL._replace(lost=40, margin_db=1.0), "radio", {"lost", "weak_margin"}),
        (WELL._replace(lost=40, gateways_away=1), "gateway", {"lost", "gateways_away"}),
        (WELL._replace(heard=4, lost=4), "fine", {"lost"}),
        (WELL._replace(undecoded=80), "decoder", {"undecoded"}),
        (WELL._replace(resets=3), "sensor", {"resets"}),
        (WELL._replace(battery_days=40), "battery", {"battery_days"}),
    ],
)
def test_each_fault_is_told_with_its_reasons(facts: Facts, verdict: str, reasons: set[str]) -> None:
    assert told(facts) == (verdict, reasons)


def test_a_sensor_may_miss_two_periods_and_an_hour() -> None:
    assert silent_after(3600) == timedelta(hours=3)
    assert silent_after(60) == timedelta(hours=1)
    assert silent_after(None) == timedelta(days=3)
    edge = WELL._replace(last_seen_at=NOW - timedelta(hours=3))
    assert not edge.is_silent
    assert edge._replace(now=NOW + timedelta(seconds=1)).is_silent


def test_stuck_at_sf12_needs_margin_to_spare_and_enough_frames() -> None:
    assert is_stuck(100, 95, 12.0)
    assert not is_stuck(100, 50, 12.0)
    assert not is_stuck(100, 95, 3.0)
    assert not is_stuck(3, 3, 12.0)
    assert not is_stuck(100, 95, None)
    assert [one.name for one in diagnose(WELL._replace(sf12=160)).remarks] == ["stuck"]


def test_what_is_no_fault_is_a_remark() -> None:
    found = diagnose(WELL._replace(gateways=1, resets=1, margin_db=3.0))
    assert found.verdict == FINE
    assert [one.name for one in found.remarks] == ["one_gateway", "weak_margin", "resets"]


@given(
    st.builds(
        Facts,
        now=st.just(NOW),
        last_seen_at=st.none() | st.timedeltas(timedelta(), timedelta(days=90)).map(lambda ago: NOW - ago),
        period_s=st.none() | st.integers(10, 86_400),
        heard=st.integers(0, 5000),
        lost=st.integers(0, 5000),
        resets=st.integers(0, 9),
        undecoded=st.integers(0, 5000),
        sf12=st.integers(0, 5000),
        margin_db=st.none() | st.floats(-10, 40),
        gateways=st.integers(0, 5),
        gateways_away=st.integers(0, 5),
        battery_days=st.none() | st.integers(-100, 900),
        joins=st.integers(0, 50),
    )
)
def test_silence_always_has_a_cause_and_speech_never_one_of_never(facts: Facts) -> None:
    found = diagnose(facts)
    if facts.is_silent:
        assert found.verdict in CAUSES
        assert found.reasons
    else:
        assert found.verdict in {"gateway", "radio", "battery", "sensor", DECODER, FINE}
    assert not {one.name for one in found.reasons} & {one.name for one in found.remarks}
