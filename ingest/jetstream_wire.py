"""What is said to JetStream on one connection: requests for messages, and acknowledgements that it confirms."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import Counter

_LANE_MESSAGES: Final = 1_000
_LANE_BYTES: Final = 16 * 1024 * 1024  # twice the largest message that nats-server takes
_EXPIRES_S: Final = 20.0
_HEARTBEAT_S: Final = 2.0
_SILENT_AFTER_S: Final = 2.5 * _HEARTBEAT_S
_CONFIRM_WITHIN_S: Final = 2.0
_EXPECTED: Final = ("404", "408", "409 Batch Completed", "409 Message Size Exceeds MaxBytes")


class Lane:
    """One request for messages after the other, each answered on the lane's own subject."""

    def __init__(self, client: Client, subject: str, take: Callable[[Sequence[Msg]], None]) -> None:
        self._client = client
        self._subject = subject
        self._take = take
        self._inbox = client.new_inbox()
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Msg] = []
        self._number = 0
        self._current = ""
        self._missing = 0
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._heard_at = 0.0
        request = {
            "batch": _LANE_MESSAGES,
            "max_bytes": _LANE_BYTES,
            "expires": int(_EXPIRES_S * 1e9),
            "idle_heartbeat": int(_HEARTBEAT_S * 1e9),
        }
        self._request = json.dumps(request).encode()

    async def open(self) -> None:
        """Begin to listen for answers."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._heard)

    async def request(self) -> str:
        """Ask for messages and return when the request has ended: '' as it should, else the reason."""
        self._missing, self._ended, self._heard_at = _LANE_MESSAGES, self._loop.create_future(), self._loop.time()
        self._number += 1
        self._current = f"{self._inbox}.{self._number}"
        await self._client.publish(self._subject, self._request, reply=self._current)
        while True:
            await asyncio.wait((self._ended,), timeout=_SILENT_AFTER_S)
            if self._ended.done():
                return self._ended.result()
            if self._loop.time() - self._heard_at > _SILENT_AFTER_S:
                return "silence"  # whoever had the request is gone

    async def _heard(self, message: Msg) -> None:
        self._heard_at = self._loop.time()
        if message.reply.startswith("$JS.ACK."):
            if not self._waiting:
                self._loop.call_soon(self._pass_on)
            self._waiting.append(message)
            self._missing -= 1
            if self._missing == 0:
                self._end("")
        elif message.subject == self._current:  # else it is about a request that has ended
            headers = message.headers or {}
            status = f"{headers.get('Status', '')} {headers.get('Description', '')}"
            if not status.startswith("100"):  # a sign of life
                self._end("" if status.startswith(_EXPECTED) else status)

    def _end(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_result(why)

    def _pass_on(self) -> None:
        messages, self._waiting = self._waiting, []
        self._take(messages)


class Confirmations:
    """Acknowledgements that the cluster confirms. One that is not confirmed in time is sent once more."""

    def __init__(self, client: Client, unconfirmed: Counter) -> None:
        self._client = client
        self._unconfirmed = unconfirmed
        self._inbox = client.new_inbox()
        self._loop = asyncio.get_running_loop()
        self._to_send: deque[str] = deque()
        self._asked = asyncio.Event()
        self._nothing_open = asyncio.Event()
        self._nothing_open.set()
        self._open: dict[str, tuple[str, float]] = {}  # its own subject -> the acknowledgement, and when it was sent
        self._number = 0

    async def open(self) -> None:
        """Begin to listen for confirmations."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._confirmed)

    def ask(self, replies: Sequence[str]) -> None:
        """Acknowledge the messages that came with these reply subjects."""
        self._to_send.extend(replies)
        self._asked.set()
        self._nothing_open.clear()

    async def run(self) -> None:
        """Send what is asked, and again what is not confirmed, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _CONFIRM_WITHIN_S)
            await self._send()
            for reply in self._late(self._loop.time()):
                await self._client.publish(reply, b"+ACK", reply=self._inbox_of(reply))

    async def finish(self) -> None:
        """Send what is left and return once all is confirmed."""
        await self._send()
        await self._nothing_open.wait()

    async def _send(self) -> None:
        self._asked.clear()
        while self._to_send:
            reply = self._to_send.popleft()
            await self._client.publish(reply, b"+ACK", reply=self._inbox_of(reply))

    def _inbox_of(self, reply: str) -> str:
        self._number += 1
        inbox = f"{self._inbox}.{self._number}"
        self._open[inbox] = (reply, self._loop.time())
        return inbox

    def _late(self, now_s: float) -> list[str]:
        """Take those that were not confirmed in time; return those to send again."""
        late = []
        for inbox, (reply, sent_s) in list(self._open.items()):
            if now_s - sent_s < _CONFIRM_WITHIN_S:
                break  # they are in the order of sending
            del self._open[inbox]
            late.append(reply)
        self._unconfirmed.inc(len(late))
        return late

    async def _confirmed(self, message: Msg) -> None:
        self._open.pop(message.subject, None)
        if not self._open and not self._to_send:
            self._nothing_open.set()
