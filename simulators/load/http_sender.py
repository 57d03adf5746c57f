"""Posts messages as a network server's webhook does: each until it is accepted."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from random import Random
from types import TracebackType
from typing import Final, Self

import aiohttp

from simulators.mqtt_publisher import backoff_s

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)
_CLIENT_ERROR: Final = range(400, 500)
_OF_GATEWAYS: Final = "eu868/gateway/"
_AGAIN: Final = frozenset((408, 425, 429))


class HttpSender:
    """A sink for `simulators.load.run` over HTTP; `concurrency` bounds the requests in flight.

    What ChirpStack would publish on `…/event/<kind>` is posted with `?event=<kind>`, as its HTTP integration does.
    Gateways' messages are not posted: a webhook is told of devices alone. A refusal (4xx) counts in `refused` and is
    not tried again: the ledger says what ought to have happened.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        concurrency: int = 64,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.acknowledged = 0
        self.refused = 0
        self.attempts = 0
        self._url = url
        self._headers = {"Content-Type": "application/json", **headers}
        self._room = asyncio.Semaphore(concurrency)
        self._jitter = jitter or Random(url).random  # noqa: S311 - spreads attempts, guards nothing
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT, connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.drained()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._session is not None:
                await self._session.close()

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> int:
        """Post all, waiting while too many are under way; return how many."""
        count = 0
        for topic, payload in messages:
            if topic.startswith(_OF_GATEWAYS):
                continue
            await self._room.acquire()
            task = asyncio.create_task(self._post(self._address(topic), payload))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            count += 1
        return count

    async def drained(self) -> None:
        """Return when each message was accepted or refused."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _address(self, topic: str) -> str:
        _, event, kind = topic.rpartition("/event/")
        return f"{self._url}?event={kind}" if event else self._url

    async def _post(self, url: str, payload: bytes) -> None:
        assert self._session is not None, "the sender is not open"
        attempt = 0
        try:
            while True:
                self.attempts += 1
                status = await self._status(self._session, url, payload)
                if status // 100 == 2:
                    self.acknowledged += 1
                    return
                if status in _CLIENT_ERROR and status not in _AGAIN:
                    self.refused += 1
                    return
                attempt += 1
                await asyncio.sleep(backoff_s(attempt, self._jitter()))
        finally:
            self._room.release()

    async def _status(self, session: aiohttp.ClientSession, url: str, payload: bytes) -> int:
        """Return the answer's status; 0 when there was none."""
        try:
            async with session.post(url, data=payload) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
