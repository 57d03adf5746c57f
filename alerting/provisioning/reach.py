"""The network servers that one round of work speaks to: each is opened once, and closed with the round."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import NamedTuple, TypeVar

import asyncpg

from alerting.provisioning.door import Door
from alerting.provisioning.errors import ServerError
from alerting.provisioning.servers import Module, NetworkServer
from store.access.sealing import Keyring
from store.pool import borrowed
from store.provisioning import servers
from store.provisioning.servers import Access

T = TypeVar("T")


class Office(NamedTuple):
    """What a worker works with. `told` is called with (act, outcome) after each attempt."""

    pool: asyncpg.Pool
    keyring: Keyring
    modules: Mapping[str, Module]
    door: Door
    timeout_s: float
    clock: Callable[[], datetime]
    told: Callable[[str, str], None]


class Reach:
    """What is reached in one round."""

    def __init__(self, office: Office, stack: AsyncExitStack) -> None:
        self._office = office
        self._stack = stack
        self._open: dict[Access, asyncio.Task[NetworkServer]] = {}

    async def access(self, tenant_id: int) -> Access:
        """Return how to speak to the network server of a tenant. Raises ServerError, SealError."""
        async with borrowed(self._office.pool) as connection:
            access = await servers.access(connection, self._office.keyring, tenant_id)
        if access is None:
            raise ServerError("no network server is configured for this tenant", permanent=True)
        return access

    async def server(self, access: Access) -> NetworkServer:
        """Speak to a network server until the round ends. Raises ServerError."""
        if access not in self._open:
            self._open[access] = asyncio.create_task(self._opened(access))
        return await asyncio.shield(self._open[access])  # one that is late does not take it from the others

    async def _opened(self, access: Access) -> NetworkServer:
        module = self._office.modules.get(access.kind)
        if module is None:
            raise ServerError(f"this version does not know network servers of the kind {access.kind!r}", permanent=True)
        place = await self._office.door(access.address)
        return await self._stack.enter_async_context(module.opened(access, place, self._office.timeout_s))


async def each(
    office: Office, claimed: Sequence[T], handler: Callable[[Reach], Callable[[T], Awaitable[None]]]
) -> bool:
    """Handle what was claimed, all at once, in one round; say whether there was anything.

    What one of them raises is raised when the others have ended.
    """
    if not claimed:
        return False
    async with AsyncExitStack() as stack:
        handle = handler(Reach(office, stack))
        failures = await asyncio.gather(*(handle(one) for one in claimed), return_exceptions=True)
    for failure in failures:
        if failure is not None:
            raise failure
    return True
