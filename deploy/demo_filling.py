"""The past that a first start is given, and what each later one missed: published, stored, rolled up, watched."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry

from deploy import demo_facts, demo_state
from deploy.demo_past import past
from deploy.demo_services import Demo
from deploy.demo_state import DemoState
from deploy.maintaining import Upkeep
from simulators.clock import SystemClock
from simulators.mqtt_publisher import Publisher
from simulators.replay import replay
from store.pool import connect

_POLL_S: Final = 0.01
_AHEAD: Final = 3000  # messages of the past that may be on their way: a slow machine is not flooded with a year


async def fill(started: Demo, upkeep: Upkeep, until_time: datetime, say: Callable[[str], None]) -> None:
    """Publish what is not stored of the time before `until_time`; return once pages, rules and captures have it."""
    state, loop = demo_state.load(started.state_file), asyncio.get_running_loop()
    begin, count, begun_s = state.history_until or started.scenario.past, 0, loop.time()
    async with Publisher(started.broker, client_id="demo-past") as publisher:
        async for part in past(started.scenario, begin, until_time):
            count += await publisher.publish_many(part)
            await _settled(started.running.registry, count - _AHEAD)
        await _settled(started.running.registry, count)
    say(f"  {count} messages of the last {(until_time - begin).days} days stored, after {loop.time() - begun_s:.0f} s")
    started.stored.set()
    await upkeep.caught_up()
    started.whole.set()
    say(f"  The totals of the pages are whole, after {loop.time() - begun_s:.0f} s")
    if state.history_until is None:
        await _watch_over(started, until_time)
        say(f"  Rules watch, after {loop.time() - begun_s:.0f} s")
    state = state._replace(history_until=until_time)
    demo_state.save(started.state_file, state)
    if started.captures and not state.captures_done:
        await _publish_captures(started, state, until_time, say)


async def _settled(registry: CollectorRegistry, count: int) -> None:
    """Return once ingest has dealt with so many messages."""
    dealt_with = ("samara_stored_total", "samara_duplicates_total", "samara_quarantined_total")
    while sum(registry.get_sample_value(name) or 0 for name in dealt_with) < count:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(_POLL_S)


async def _watch_over(started: Demo, moment: datetime) -> None:
    """Have rules watch some communes, once the past that they are tried on is stored."""
    connection = await connect(started.running.dsns.owner, application="samara-demo")
    try:
        await demo_facts.watch(connection, moment)
    finally:
        await connection.close()


async def _publish_captures(started: Demo, state: DemoState, moment: datetime, say: Callable[[str], None]) -> None:
    """Replay what real sensors sent, moved to now; after an interruption, moved to the same moment again."""
    at = state.captures_at or moment
    state = state._replace(captures_at=at)
    demo_state.save(started.state_file, state)
    report = await replay(
        started.captures, started.broker, clock=_FixedNow(at), shift_to_now=True, client_id="demo-captures"
    )
    demo_state.save(started.state_file, state._replace(captures_done=True))
    say(f"  {report.acknowledged} messages of real sensors replayed")


class _FixedNow(SystemClock):
    """The machine's clock, but for the time of day, which stands still."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment given."""
        return self._moment
