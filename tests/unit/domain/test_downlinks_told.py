"""What network servers tell of a downlink: the order and the repetition of it change nothing."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.downlinks import (
    Heard,
    Outgoing,
    Queued,
    Told,
    again_at,
    found_in,
    heard,
    item_of,
    lasts,
    leaves_at,
    strays,
)
from domain.events import ACK, DOWNLINK, LOG, TXACK

NOW = datetime(2026, 11, 22, tzinfo=UTC)
REFERENCE, ITEM = "2a9f", "7c01"


def told(seconds: int, kind: str, **data: Any) -> Told:
    return Told(NOW + timedelta(seconds=seconds), kind, data)


EVENTS = (
    told(1, TXACK, queue_item_id=ITEM),
    told(5, TXACK, queue_item_id=ITEM),
    told(2, ACK, queue_item_id=ITEM, acknowledged=False),
    told(6, ACK, queue_item_id=ITEM, acknowledged=True),
    told(3, LOG, code="EXPIRED", context={"queue_item_id": ITEM}),
    told(3, LOG, code="F_CNT_DOWN", context={"queue_item_id": ITEM}),
    told(3, LOG, code="UPLINK_MIC", context={"queue_item_id": ITEM}),
    told(0, DOWNLINK, state="queued", reference=REFERENCE),
    told(4, DOWNLINK, state="failed", reference=REFERENCE, error="pkg:x", detail="too long"),
    told(9, DOWNLINK, state="invalidated", reference=REFERENCE),
    told(1, TXACK, queue_item_id="another"),
    told(1, TXACK, queue_item_id=""),
    told(1, LOG, code="EXPIRED", context="nonsense"),
    told(1, ACK, queue_item_id=7, acknowledged=True),
)


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.randoms(use_true_random=False))
def test_the_order_and_the_repetition_of_events_change_nothing(events: list[Told], chance: random.Random) -> None:
    again = [*events, *events]
    chance.shuffle(again)
    assert heard(REFERENCE, ITEM, events) == heard(REFERENCE, ITEM, again)


def test_each_event_sets_its_moment() -> None:
    at = [NOW + timedelta(seconds=seconds) for seconds in range(7)]
    assert heard(REFERENCE, ITEM, EVENTS) == Heard(
        at[0], at[1], at[6], at[2], at[3], "the sensor did not acknowledge it"
    )
    assert heard("", "", EVENTS) == Heard()
    assert heard("other", "other", EVENTS) == Heard()
    assert item_of({"context": {"queue_item_id": "x"}}) == "x"


def outgoing(**other: Any) -> Outgoing:
    values = {"dev_eui": "a", "reference": REFERENCE, "f_port": 2, "payload": b"\x01", "confirmed": True}
    return Outgoing(**values | {"expires_at": NOW} | other)


@pytest.mark.parametrize(
    ("queue", "found"),
    [
        ([], None),
        ([Queued("x", 2, b"\x01", confirmed=True)], "x"),
        ([Queued("x", 2, b"\x02", confirmed=True)], None),
        ([Queued("ours", 2, b"\x01", confirmed=True)], None),
        ([Queued("x", 2, b"\x01", confirmed=True, reference="another's")], None),
        (
            [Queued("x", 2, b"\x01", confirmed=True), Queued(REFERENCE, 9, b"", confirmed=False, reference=REFERENCE)],
            REFERENCE,
        ),
    ],
)
def test_a_downlink_is_found_in_a_queue(queue: list[Queued], found: str | None) -> None:
    assert found_in(queue, outgoing(), {"ours"}) == found


def test_strays_are_what_was_sent_since_and_is_nobody_s() -> None:
    assert strays(EVENTS, {ITEM}, NOW) == ["another"]
    assert strays(EVENTS, set(), NOW + timedelta(seconds=2)) == [ITEM]


def test_times() -> None:
    assert lasts(None) == timedelta(days=2)
    assert lasts(86_400) == timedelta(days=3)
    assert lasts(31 * 86_400) == timedelta(days=30)
    assert [again_at(n, NOW) - NOW for n in (1, 2, 100)] == [
        timedelta(seconds=5), timedelta(seconds=10), timedelta(minutes=30),
    ]  # fmt: skip
    assert leaves_at(NOW, 600, NOW + timedelta(seconds=10)) == NOW + timedelta(seconds=600)
    assert leaves_at(NOW, 600, NOW + timedelta(seconds=601)) is None
    assert leaves_at(None, 600, NOW) is None
