"""Lanes, budgets, quarantine, turns: decided without a clock of their own."""

from datetime import UTC, datetime

from decoders.javascript.calls import Codec, CodecCall, CodecResult
from decoders.javascript.queueing import BATCH_CALLS, Line, Waiting
from decoders.javascript.standing import (
    BUDGET_US,
    BUDGET_US_PER_S,
    CLEAN_CALLS,
    MAX_STOPPED,
    SLOW_CALL_US,
    TENANT_BUDGET_US,
    TENANT_BUDGET_US_PER_S,
    Budget,
    Standing,
)

CODEC = Codec.of("function decodeUplink() {}")
RECEIVED = datetime(2024, 1, 1, tzinfo=UTC)


class Nowhere:
    is_abandoned = False

    def deliver(self, place: int, result: CodecResult) -> None:
        raise AssertionError((place, result))


def proven() -> Standing:
    standing = Standing(0.0)
    for _ in range(CLEAN_CALLS):
        standing.settle("data", 20)
    return standing


def test_clean_calls_lead_to_the_quick_lane() -> None:
    standing = Standing(0.0)
    assert standing.lane == "slow"
    assert proven().lane == "quick"


def test_a_stopped_or_slow_call_leads_back() -> None:
    for status, cpu_us in (("timeout", 50_000), ("killed", 100), ("data", SLOW_CALL_US + 1)):
        standing = proven()
        standing.settle(status, cpu_us)  # type: ignore[arg-type]
        assert standing.lane == "slow"


def test_an_error_thrown_now_and_then_is_no_offence() -> None:
    standing = proven()
    for _ in range(100):
        for _ in range(10):
            standing.settle("data", 20)
        standing.settle("thrown", 900)
        assert standing.lane == "quick"


def test_who_behaves_to_be_let_in_and_then_loops_waits_ten_times_as_long_each_time() -> None:
    standing, waited = Standing(0.0), []
    for _ in range(3):
        calls = 0
        while standing.lane == "slow":
            standing.settle("data", 20)
            calls += 1
        waited.append(calls)
        standing.settle("timeout", 50_000)
    assert waited == [CLEAN_CALLS, 10 * CLEAN_CALLS, 100 * CLEAN_CALLS]


def test_a_codec_that_only_throws_is_slow() -> None:
    standing = proven()
    standing.settle("thrown", 900)
    assert standing.lane == "slow"


def test_what_only_reaches_its_limits_is_put_away() -> None:
    standing = Standing(0.0)
    for _ in range(MAX_STOPPED - 1):
        standing.settle("timeout", 50_000)
    standing.settle("data", 20)
    for _ in range(MAX_STOPPED - 1):
        standing.settle("memory", 9_000)
    assert not standing.quarantined
    standing.settle("timeout", 50_000)
    assert standing.refusal(1e9) == "quarantined"


def test_a_budget_runs_out_and_fills_again() -> None:
    standing = Standing(0.0)
    for _ in range(BUDGET_US // 50_000):
        assert standing.refusal(0.0) is None
        standing.settle("timeout", 50_000)
    assert standing.refusal(0.0) == "over_budget"
    assert standing.refusal(1.0) is None
    standing.settle("timeout", BUDGET_US_PER_S)
    assert standing.refusal(1.0) == "over_budget"


def test_many_codecs_of_a_tenant_share_a_budget() -> None:
    shared = Budget(0.0, TENANT_BUDGET_US, TENANT_BUDGET_US_PER_S)
    codecs = [Standing(0.0, shared) for _ in range(100)]
    ran = 0
    for standing in codecs:
        if standing.refusal(0.0) is None:
            standing.settle("timeout", 50_000)
            ran += 1
    assert ran == TENANT_BUDGET_US / 50_000


def test_who_is_proven_has_no_budget() -> None:
    standing = proven()
    for _ in range(1000):
        standing.settle("data", SLOW_CALL_US)
    assert standing.refusal(0.0) is None


def test_three_kills_are_a_quarantine() -> None:
    standing = Standing(0.0)
    for expected in (False, False, True):
        standing.settle("killed", 0)
        assert standing.quarantined is expected
    assert standing.refusal(1e6) == "quarantined"


def line_of(*tenants: int, mean_us: float = 20.0) -> Line:
    line = Line()
    for place, tenant in enumerate(tenants):
        standing = Standing(0.0)
        standing.mean_us = mean_us
        line.add(Waiting(CodecCall(tenant, CODEC, b"", 1, RECEIVED), Nowhere(), place, standing))
    return line


def test_tenants_take_turns() -> None:
    batch = line_of(*[1] * 1000, 2, 2, 3).take()
    assert [waiting.call.tenant_id for waiting in batch[:6]] == [1, 2, 3, 1, 2, 1]
    assert len(batch) == BATCH_CALLS


def test_order_within_a_tenant_is_kept_over_batches() -> None:
    line = line_of(*[1] * 120)
    places = [waiting.place for _ in range(3) for waiting in line.take()]
    assert places == list(range(120))
    assert not line
    assert line.take() == []


def test_a_batch_of_slow_codecs_is_short() -> None:
    assert len(line_of(*[1] * 100, mean_us=4_000.0).take()) == 3
