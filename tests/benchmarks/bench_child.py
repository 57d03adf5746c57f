"""A process of a benchmark: `python bench_child.py ROLE`, options as one line of JSON on its standard input.

It says JSON lines: first that it is ready; it begins at the line "go", and ends when its input ends.

    generate  publishes a load (`bench_stream.py`), and says how it went
    ingest    the ingest role as `samara serve` runs it
    reader    the same MQTT reader, which acknowledges at once and does nothing
    naive     what one would write first: see `bench_naive.py`
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from deploy.interpreter import collect_cycles_seldom
from ingest.messages import Message
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttReceiver
from ingest.pipeline import Pipeline
from ingest.runner import Ingest
from ingest.settings import IngestSettings, JetStreamSource, MqttSource

Options = dict[str, Any]
TOPIC = "application/+/device/+/event/up"


def say(**what: Any) -> None:
    """Tell the parent."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


async def generate(options: Options, go: asyncio.Event) -> None:
    """Publish, and say how it went."""
    import bench_load  # noqa: PLC0415 - and the next: they bring NumPy, whose memory is not ingest's
    from bench_stream import Stream  # noqa: PLC0415

    stream = Stream(bench_load.spec_of(options))
    say(ready=True)
    await go.wait()
    sent = await asyncio.to_thread(stream.run, options["host"], options["port"])
    say(**sent._asdict() | {"start_at": sent.start_at.isoformat(), "per_second": sent.uplinks / sent.seconds})


async def ingest(options: Options, go: asyncio.Event) -> None:
    """Run the role, with the interpreter as `samara serve` sets it."""
    async with Ingest(
        _heard(options),
        dsn=options["dsn"],
        folder=Path(options["folder"]),
        worker=options["worker"],
        metrics_registry=CollectorRegistry(),
        clock=now,
        randomness=random.Random(1),
    ) as role:
        collect_cycles_seldom()
        say(ready=True)
        await go.wait()
        task = asyncio.create_task(role.run())
        while not role.is_ready:  # noqa: ASYNC110 - a benchmark may look
            await asyncio.sleep(0.01)
        say(subscribed=True)
        await task


class Sponge:
    """Stands for the pipeline: whatever comes is acknowledged at once. `done` is called after `expected` messages."""

    is_full = False

    def __init__(self, expected: int, done: Callable[[float], None]) -> None:
        self._left = expected
        self._done = done
        self._began_at = 0.0

    def on_room(self, call: Callable[[], None]) -> None:
        """Never full."""

    def offer(self, messages: Sequence[Message]) -> None:
        """Acknowledge."""
        if not self._began_at:
            self._began_at = time.monotonic()
        messages[0].origin.acknowledge([message.token for message in messages])
        self._left -= len(messages)
        if self._left == 0:
            self._done(time.monotonic() - self._began_at)


def receiver_of(source: MqttSource, pipeline: Any) -> MqttReceiver:
    """Return the product's receiver before a pipeline of one's own."""
    return MqttReceiver(
        source,
        (TOPIC,),
        pipeline=cast("Pipeline", pipeline),
        metrics=IngestMetrics(CollectorRegistry()),
        max_message_bytes=256 * 1024,
        max_unacknowledged=20_000,
        clock=now,
        randomness=random.Random(1),
    )


async def reader(options: Options, go: asyncio.Event) -> None:
    """Drain `count` messages, and say how long it took from the first to the last."""
    ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    receiver = receiver_of(_source(options), Sponge(options["count"], ended.set_result))
    collect_cycles_seldom()
    say(ready=True)
    await go.wait()
    task = asyncio.create_task(receiver.run())
    while not receiver.is_subscribed:  # noqa: ASYNC110 - a benchmark may look
        await asyncio.sleep(0.01)
    say(subscribed=True)
    say(seconds=await ended)
    await task


def _heard(options: Options) -> IngestSettings:
    if "servers" in options:
        access = {name: options[name] for name in ("servers", "username", "password")}
        return IngestSettings(jetstream=(JetStreamSource(name="bench", topics=(TOPIC,), **access),))
    return IngestSettings(mqtt=(_source(options),))


def _source(options: Options) -> MqttSource:
    return MqttSource(
        name="bench",
        topics=(TOPIC,),
        **{name: options[name] for name in ("host", "port", "protocol", "client_id", "shared_group")},
    )


ROLES: dict[str, Callable[[Options, asyncio.Event], Awaitable[None]]] = {
    "generate": generate,
    "ingest": ingest,
    "reader": reader,
}


async def main(role: str, options: Options) -> None:
    """Play the role until the parent is gone."""
    loop, go = asyncio.get_running_loop(), asyncio.Event()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    task = asyncio.ensure_future(ROLES[role](options, go))
    task.add_done_callback(lambda done: done.cancelled() or done.exception() is None or commands.feed_eof())
    while await commands.readline():
        go.set()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is the parent's
    first_line = json.loads(sys.stdin.buffer.raw.readline())  # type: ignore[attr-defined]
    if sys.argv[1] == "naive":
        import bench_naive

        bench_naive.run(first_line, say)
    else:
        uvloop.run(main(sys.argv[1], first_line))
