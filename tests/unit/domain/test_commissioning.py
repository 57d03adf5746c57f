"""In service or not, and why."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.commissioning import Heard, margin_db, progress

AT = datetime(2025, 11, 22, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FRAME = Heard(AT + MINUTE, 7, 2, 5.0, -100.0, "decoded")


def test_nothing_yet_is_no_fault_before_a_period_and_a_little_more() -> None:
    waiting = progress(AT, 600, [], [], AT + 11 * MINUTE)
    assert (waiting.state, waiting.expected_at) == ("waiting", AT + 12 * MINUTE)
    assert waiting.advice == ("wake", "declared", "antenna")
    late = progress(AT, 600, [], [], AT + 13 * MINUTE)
    assert (late.state, late.advice) == ("late", ("wake", "keys", "declared", "closer"))


def test_a_join_says_that_the_keys_are_right_and_counts_anew() -> None:
    joined = progress(AT, 600, [], [AT + 5 * MINUTE], AT + 13 * MINUTE)
    assert (joined.state, joined.joins, joined.expected_at) == ("joined", 1, AT + 17 * MINUTE)
    assert joined.advice == ("press",)


def test_an_unknown_period_is_said() -> None:
    assert progress(AT, None, [], [], AT).advice[-1] == "period"


@pytest.mark.parametrize(
    ("frame", "quality", "advice", "in_service"),
    [
        (FRAME, "good", (), True),
        (FRAME._replace(antennas=1), "fair", ("alone",), True),
        (FRAME._replace(snr_db=0.0), "fair", (), True),
        (FRAME._replace(snr_db=-4.0), "fragile", ("higher", "outside"), False),
        (FRAME._replace(spreading_factor=12, snr_db=-4.0), "good", (), True),
        (FRAME._replace(snr_db=None), "unknown", (), True),
        (FRAME._replace(outcome="no_decoder"), "good", ("model",), True),
    ],
)
def test_quality_is_the_margin_over_the_floor_and_the_number_of_antennas(
    frame: Heard, quality: str, advice: tuple[str, ...], *, in_service: bool
) -> None:
    found = progress(AT, 600, [frame], [], AT + 2 * MINUTE)
    assert (found.state, found.quality, found.advice, found.in_service) == ("heard", quality, advice, in_service)


def test_one_bad_frame_among_good_ones_does_not_count() -> None:
    frames = [FRAME, FRAME, FRAME._replace(snr_db=-8.0)]
    assert progress(AT, 600, frames, [], AT).margin_db == margin_db(FRAME) == 12.5
