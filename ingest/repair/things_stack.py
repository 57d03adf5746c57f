"""The storage integration of The Things Stack v3, over HTTP.

Source: "Storage Integration", "Retrieve Messages", "Storage Integration API", "Pagination", "Errors" and "Rate
Limiting" of thethingsindustries.com/docs; applicationserver_integrations_storage.proto.
  GET /api/v3/as/applications/<application>[/devices/<device id>]/packages/storage/uplink_message
      ?after=&before=&order=received_at&limit=     times of the application server, both left out
  -> lines of JSON, {"result": <what MQTT publishes on .../up>}, or {"error": ...} when it fails midway
  GET /api/v3/applications/<application>/devices?field_mask=ids&limit=&page=    what devices are called there

No field mask: the message must be the one that was published. Pages are by time, each from a little before the end
of the last. A page may hold a thousand, say those who use it; the bound is not documented, so that only a page far
below it is known to be the last. Requests are rare (ten a minute on The Things Network), so few are made, and a
stream that breaks goes on from where it broke. The devices' names need a right of their own, and the identity
server may be elsewhere: without them, the whole application is asked, and others' uplinks are read over.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import msgspec
import structlog
from msgspec import Raw, Struct

from domain.errors import ConfigurationError
from ingest.lns import _fields as fields
from ingest.repair.archive import Archived, ArchiveUnavailableError, Window
from ingest.repair.lines import Line, Lines
from ingest.repair.windows import Ask, all_together, plan
from ingest.settings import RepairSettings

log = structlog.get_logger()

TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_BACKOFF_S: Final = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
_LONGEST_WAIT_S: Final = 300.0  # that a server may ask for
_LIMIT: Final = 1000
_SURELY_LAST: Final = 100  # a page of fewer is the last: no server bounds its pages below that
_OVERLAP: Final = timedelta(milliseconds=1)  # of two pages, for uplinks of the same moment
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REFUSED_CODES: Final = frozenset({7, 16})  # gRPC: PERMISSION_DENIED, UNAUTHENTICATED
_NOBODY: Final = "-"  # stands in the topic for a device whose name cannot be read


class _Ids(Struct, frozen=True):
    device_id: str = ""
    dev_eui: str = ""


class _Result(Struct, frozen=True):
    end_device_ids: _Ids = _Ids()
    received_at: str = ""


class _Error(Struct, frozen=True):
    code: int = 0
    message: str = ""


class _Streamed(Struct, frozen=True):
    result: Raw = Raw()
    error: _Error | None = None


class _Device(Struct, frozen=True):
    ids: _Ids = _Ids()


class _Devices(Struct, frozen=True):
    end_devices: tuple[_Device, ...] = ()


_STREAMED: Final = msgspec.json.Decoder(_Streamed)
_RESULT: Final = msgspec.json.Decoder(_Result)
_DEVICES: Final = msgspec.json.Decoder(_Devices)
_ERROR: Final = msgspec.json.Decoder(_Error)


class _LaterError(Exception):
    """The server asks to come back later; `wait_s` when it says how much."""

    def __init__(self, said: str, wait_s: float | None = None) -> None:
        super().__init__(said)
        self.wait_s = wait_s


class _NotFoundError(Exception):
    """There is nothing of this name there."""


_BROKEN: Final = (aiohttp.ClientError, TimeoutError, OSError, _LaterError)


class ThingsStackStorage:
    """The archive of one application. `sleep` takes seconds."""

    def __init__(
        self,
        settings: RepairSettings,
        *,
        session: aiohttp.ClientSession,
        sleep: Callable[[float], Awaitable[None]],
        max_message_bytes: int,
    ) -> None:
        self._session = session
        self._sleep = sleep
        self._max_message_bytes = max_message_bytes
        self._topic = settings.application  # with its tenant, as MQTT has it
        self._application = settings.application.partition("@")[0]
        self._api = f"{settings.url.rstrip('/').removesuffix('/api/v3')}/api/v3"
        self._headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        self._names: dict[str, str] | None = None

    async def read(self, windows: Sequence[Window]) -> AsyncGenerator[Archived, None]:
        """Yield the uplinks: see `ingest.repair.archive.Archive.read`."""
        for path, ask in await self._questions(windows):
            try:
                async with aclosing(self._answers(path, ask.after, ask.before)) as answers:
                    async for one in answers:
                        yield one
            except _NotFoundError as error:
                if ask.dev_eui is None:
                    raise ConfigurationError(f"no storage of application {self._application!r}: {error}") from None

    async def _questions(self, windows: Sequence[Window]) -> list[tuple[str, Ask]]:
        asks, root = plan(windows), f"{self._api}/as/applications/{self._application}"
        names: dict[str, str] = {}
        if any(ask.dev_eui is not None for ask in asks):
            try:
                names = await self._devices()
            except (ConfigurationError, _NotFoundError) as error:
                log.info("devices_not_listed", detail=str(error), action="asking for the whole application")
                asks = all_together(windows)
        questions = []
        for ask in asks:
            if ask.dev_eui is None:
                questions.append((f"{root}/packages/storage/uplink_message", ask))
            elif ask.dev_eui in names:  # else it is of another application, which has nothing of it
                questions.append((f"{root}/devices/{names[ask.dev_eui]}/packages/storage/uplink_message", ask))
        return questions

    # --- the stored uplinks ---------------------------------------------------------------------------------

    async def _answers(self, url: str, after: datetime, before: datetime) -> AsyncGenerator[Archived, None]:
        """Yield the uplinks of one question, page after page, however often it breaks."""
        failures = 0
        while True:
            count, newest = 0, after
            parameters = {"before": _said(before), "order": "received_at", "limit": str(_LIMIT), "after": _said(after)}
            try:
                async with aclosing(self._lines(url, parameters)) as lines:
                    async for line in lines:
                        one, at = self._archived(line)
                        count += 1
                        newest = max(newest, at or newest)
                        yield one
            except _BROKEN as error:
                failures = 1 if newest - _OVERLAP > after else failures + 1
                await self._wait(error, failures)
            else:
                if count < _SURELY_LAST:
                    return
                if newest == after:
                    raise ArchiveUnavailableError(f"The Things Stack: {count} messages, and no time to go on from")
                failures = 0
            after = newest - _OVERLAP if newest - _OVERLAP > after else newest

    async def _lines(self, url: str, parameters: dict[str, str]) -> AsyncGenerator[Line, None]:
        lines = Lines(self._max_message_bytes)
        headers = self._headers | {"Accept": "text/event-stream"}
        async with self._session.get(
            url, params=parameters, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            await _accept(response)
            async for chunk in response.content.iter_any():
                for line in lines.feed(chunk):
                    yield line
            for line in lines.rest():
                if line.size == len(line.text) and not _is_json(line.text):
                    raise _LaterError("the stream ended within a message")
                yield line

    def _archived(self, line: Line) -> tuple[Archived, datetime | None]:
        """Return the message and its time there; what is not a message is given as it is, to be set aside."""
        text = line.text.removeprefix(b"data:")
        try:
            streamed = _STREAMED.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Archived(self._topic_of(_NOBODY), line.text, line.size), None
        if streamed.error is not None:
            if streamed.error.code in _REFUSED_CODES:
                raise _access_refused(streamed.error.message)
            raise _LaterError(streamed.error.message)
        body = bytes(streamed.result) or text
        try:
            result = _RESULT.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Archived(self._topic_of(_NOBODY), body, len(body)), None
        at = fields.moment(result.received_at)
        known = at if at is not None and at.tzinfo is not None else None
        return Archived(self._topic_of(result.end_device_ids.device_id or _NOBODY), body, len(body)), known

    def _topic_of(self, device_id: str) -> str:
        return f"v3/{self._topic}/devices/{device_id}/up"

    # --- the devices' names ---------------------------------------------------------------------------------

    async def _devices(self) -> dict[str, str]:
        """Return what each DevEUI is called there, asked once."""
        if self._names is None:
            names: dict[str, str] = {}
            page = 1
            while found := await self._devices_page(page):
                names.update((device.ids.dev_eui.lower(), device.ids.device_id) for device in found)
                page += 1
            self._names = names
        return self._names

    async def _devices_page(self, page: int) -> tuple[_Device, ...]:
        url = f"{self._api}/applications/{self._application}/devices"
        parameters = {"field_mask": "ids", "limit": str(_LIMIT), "page": str(page)}
        failures = 0
        while True:
            try:
                async with self._session.get(
                    url, params=parameters, headers=self._headers, timeout=TIMEOUT, allow_redirects=False
                ) as response:
                    await _accept(response)
                    return _DEVICES.decode(await response.read()).end_devices
            except _BROKEN as error:
                failures += 1
                await self._wait(error, failures)
            except msgspec.DecodeError as error:
                raise ArchiveUnavailableError(f"The Things Stack: not a list of devices: {error}") from None

    async def _wait(self, error: Exception, failures: int) -> None:
        """Wait before the next attempt; raise ArchiveUnavailableError when there were enough."""
        said = str(error) or type(error).__name__
        if failures > len(_BACKOFF_S):
            raise ArchiveUnavailableError(f"The Things Stack: {said}") from error
        asked_s = error.wait_s if isinstance(error, _LaterError) else None
        wait_s = _BACKOFF_S[failures - 1] if asked_s is None else asked_s
        log.info("things_stack_again", detail=said, wait_s=wait_s)
        await self._sleep(wait_s)


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


async def _accept(response: aiohttp.ClientResponse) -> None:
    """Return when the answer is one; raise what its status means."""
    if response.status == HTTPStatus.OK:
        return
    said = _reason(await response.content.read(10_000), response)
    if response.status in _REFUSED:
        raise _access_refused(said)
    if response.status == HTTPStatus.NOT_FOUND:
        raise _NotFoundError(said)
    if response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _LaterError(said, _wait_s(response.headers))
    raise ArchiveUnavailableError(f"The Things Stack: {said}")


def _reason(body: bytes, response: aiohttp.ClientResponse) -> str:
    try:
        said = _ERROR.decode(body).message
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = ""
    return f"HTTP {response.status} {said or response.reason or ''}".strip()


def _wait_s(headers: Any) -> float | None:
    """Return how long the server asks to wait; The Things Stack has a header of its own for it."""
    for name in ("Retry-After", "X-Rate-Limit-Retry"):
        try:
            wait_s = int(headers.get(name, ""))
        except ValueError:
            continue  # absent, or a date: our own back-off will do
        if wait_s > 0:
            return min(wait_s, _LONGEST_WAIT_S)
    return None


def _access_refused(said: str) -> ConfigurationError:
    return ConfigurationError(
        f"The Things Stack refuses the API key ({said}): it needs the right to read application traffic"
    )
