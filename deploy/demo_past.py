"""The demonstration's past, made in a process of its own, so that what is shown meanwhile does not wait for it.

    python -m deploy.demo_past STORY MEMORY_S START END

writes parts of it to its output, each with its length before; a pipe that is full keeps it from running ahead.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.errors import SamaraError
from simulators.demo.scenario import Message, Scenario, history

_PART: Final = timedelta(days=1)
_RECENT: Final = timedelta(days=31)
_LENGTH_BYTES: Final = 4
_AHEAD_BYTES: Final = 4 << 20
_DECODER: Final = msgspec.msgpack.Decoder(list[tuple[str, bytes]])


class PastError(SamaraError):
    """The process that makes the past ended before its end."""


async def past(scenario: Scenario, start: datetime, end: datetime) -> AsyncIterator[list[Message]]:
    """Yield the messages of [start, end) in parts, day by day as `days` says. Raises PastError."""
    told = (scenario.story.isoformat(), str(scenario.memory.total_seconds()), start.isoformat(), end.isoformat())
    maker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        *told,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        limit=_AHEAD_BYTES,
        start_new_session=True,  # Ctrl-C is for us; without us its output is closed, and it ends
    )
    assert maker.stdout is not None
    try:
        while True:
            try:
                length = await maker.stdout.readexactly(_LENGTH_BYTES)
                part = await maker.stdout.readexactly(int.from_bytes(length, "big"))
            except asyncio.IncompleteReadError:
                break
            yield _DECODER.decode(part)
        if await maker.wait():
            raise PastError(f"the past could not be made: python -m {__name__} ended with code {maker.returncode}")
    finally:
        if maker.returncode is None:
            maker.kill()
            await maker.wait()


def days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the days of [start, end): those of the last month, which people look at first, then what was before."""
    recent = max(start, end - _RECENT)
    for first, last in ((recent, end), (start, recent)):
        begin = first
        while begin < last:
            yield begin, min(last, begin + _PART)
            begin += _PART


def main(story: str, memory_s: str, start: str, end: str) -> None:
    """Write the messages of [start, end)."""
    scenario = Scenario(story=datetime.fromisoformat(story), memory=timedelta(seconds=float(memory_s)))
    for begin, last in days(datetime.fromisoformat(start), datetime.fromisoformat(end)):
        part = msgspec.msgpack.encode(list(history(scenario, begin, last)))
        sys.stdout.buffer.write(len(part).to_bytes(_LENGTH_BYTES, "big") + part)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BrokenPipeError:
        sys.exit(1)
