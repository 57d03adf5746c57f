"""Which devices spoke last, as this process was told by the commits: where the newest frames are to be looked for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MOST: Final = 100  # devices that are remembered


class Recent:
    """The devices of the last commits. A commit of very many devices names none, and is not seen here."""

    def __init__(self) -> None:
        self._devices: dict[int, None] = {}
        self.changed = asyncio.Event()  # another one after each change
        self.is_closed = False
        self.readers = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count one who follows, for as long as they do."""
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1

    @property
    def devices(self) -> list[int]:
        """The devices that spoke last, the last one first."""
        return list(reversed(self._devices))

    def wake(self, devices: frozenset[int] | None) -> None:
        """Take note that frames of these devices were committed (None: of nobody knows which)."""
        if not devices:
            return
        for device_id in list(devices)[:MOST]:
            self._devices.pop(device_id, None)
            self._devices[device_id] = None
        while len(self._devices) > MOST:
            del self._devices[next(iter(self._devices))]
        self._tell()

    def close(self) -> None:
        """End whoever waits."""
        self.is_closed = True
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
