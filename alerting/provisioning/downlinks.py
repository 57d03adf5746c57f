"""One round of downlinks: what network servers told of them, then those that are due. Any number of workers.

A downlink is asked for once. Where the answer was lost, what the network server told and its queue are read before it
is asked again: the reference that The Things Stack keeps finds it; ChirpStack keeps none, so what carries the same and
is nobody's, in the queue or among what was sent since, is taken for it (docs/decisions/0025-downlinks-by-moments.md).
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Final

import asyncpg

from alerting.provisioning.errors import ServerError, plain
from alerting.provisioning.reach import Office, Reach, each
from alerting.provisioning.servers import NetworkServer
from domain.downlinks import LEFT, NEVER_TOLD, NO_DEVICE, SHARED, Outgoing, again_at, found_in, heard, strays
from store.access.sealing import SealError
from store.downlinks import hearing, sending
from store.downlinks.sending import Claimed
from store.pool import borrowed

LEASE: Final = timedelta(minutes=5)
ACT: Final = "downlink"
_WITHIN_S: Final = 120.0
_AT_ONCE: Final = 8
_CLOCKS: Final = timedelta(seconds=10)  # a network server's and ours
_NOTED: Final = 500


async def downlinks_once(office: Office) -> bool:
    """Do what is due now; say whether there may be more."""
    listened = await _listen(office)
    async with borrowed(office.pool) as connection:
        claimed = await sending.claim(connection, office.clock(), LEASE, _AT_ONCE)
    return await each(office, claimed, lambda reach: _Desk(office, reach).handle) or listened


async def _listen(office: Office) -> bool:
    """Look at the downlinks of the devices of which something was told."""
    async with borrowed(office.pool) as connection, connection.transaction():
        noted = await hearing.take_noted(connection, _NOTED)
        if noted:
            await hearing.hold_devices(connection, noted)
            await _fold(office, connection, noted)
    return bool(noted)


async def _fold(office: Office, connection: asyncpg.Connection, device_ids: Collection[int]) -> None:
    for one in await hearing.followed(connection, device_ids, office.clock()):
        events = await hearing.told_since(connection, one.device_id, one.created_at)
        said = heard(str(one.reference), one.item, events)
        if state := await hearing.keep(connection, one.downlink_id, said._replace(trouble=plain(said.trouble))):
            office.told(ACT, state)


class _Desk:
    """One round of downlinks that are due."""

    def __init__(self, office: Office, reach: Reach) -> None:
        self._office = office
        self._reach = reach

    async def handle(self, one: Claimed) -> None:
        """Send a downlink, or take it back, and write down what became of it."""
        try:
            async with asyncio.timeout(_WITHIN_S):
                await self._handle(one)
        except TimeoutError:
            await self._failed(one, f"it was not done within {_WITHIN_S:.0f} s", permanent=False)
        except SealError as error:
            await self._failed(one, str(error), permanent=True)
        except ServerError as error:
            await self._failed(one, str(error), permanent=error.permanent)

    async def _handle(self, one: Claimed) -> None:
        now = self._office.clock()
        is_over = one.withdrawn_at is not None or one.expires_at <= now
        if one.asked_at is None:
            if is_over:
                await self._end(one)
            else:
                await self._send(one, await self._server(one), _outgoing(one))
            return
        server, downlink = await self._server(one), _outgoing(one)
        item = one.item or await self._lost(one, server, downlink)
        if item is not None and not one.item:
            await self._accepted(one, item)
        if is_over:
            await self._take_back(one, server, downlink, item)
        elif item is None:
            await self._send(one, server, downlink)

    async def _server(self, one: Claimed) -> NetworkServer:
        return await self._reach.server(await self._reach.access(one.tenant_id))

    async def _send(self, one: Claimed, server: NetworkServer, downlink: Outgoing) -> None:
        if not one.is_theirs:
            raise ServerError(NO_DEVICE, permanent=True)
        async with borrowed(self._office.pool) as connection:
            is_wanted = await sending.begin(connection, one.downlink_id, self._office.clock())
        if is_wanted:
            await self._accepted(one, await server.enqueue(downlink))

    async def _lost(self, one: Claimed, server: NetworkServer, downlink: Outgoing) -> str | None:
        """Return what a downlink is called over there whose answer was lost; None when it never came there."""
        async with borrowed(self._office.pool) as connection:
            others = await sending.items_of_others(connection, one)
        found = found_in(await server.queue(downlink.dev_eui), downlink, others)
        if found is not None:
            return found
        assert one.asked_at is not None
        async with borrowed(self._office.pool) as connection:
            events = await hearing.told_since(connection, one.device_id, one.asked_at)
        said = heard(downlink.reference, "", events)
        if any((said.accepted_at, said.sent_at, said.acknowledged_at, said.failed_at)):
            return downlink.reference
        return next(iter(strays(events, others, one.asked_at - _CLOCKS)), None)

    async def _accepted(self, one: Claimed, item: str) -> None:
        """Note that it is over there; what was told of it meanwhile is heard now."""
        async with borrowed(self._office.pool) as connection, connection.transaction():
            await hearing.hold_devices(connection, [one.device_id])
            await sending.accepted(connection, one.downlink_id, item, self._office.clock())
            await _fold(self._office, connection, [one.device_id])
        self._office.told(ACT, "accepted")

    async def _take_back(self, one: Claimed, server: NetworkServer, downlink: Outgoing, item: str | None) -> None:
        taken = "taken" if item is None else await server.take_back(downlink, item)
        if taken == "taken" or one.withdrawn_at is None:
            await self._end(one, "" if taken == "taken" else SHARED if taken == "kept" else NEVER_TOLD)
            return
        async with borrowed(self._office.pool) as connection:
            await sending.keep(connection, one.downlink_id, SHARED if taken == "kept" else LEFT)

    async def _end(self, one: Claimed, trouble: str = "") -> None:
        """Note that it was cancelled, or that it is too late for it."""
        now = self._office.clock()
        async with borrowed(self._office.pool) as connection:
            if one.withdrawn_at is not None:
                await sending.end(connection, one.downlink_id, "cancelled", now, trouble)
            else:
                await sending.end(connection, one.downlink_id, "expired", now, trouble)
        self._office.told(ACT, "cancelled" if one.withdrawn_at is not None else "expired")

    async def _failed(self, one: Claimed, why: str, *, permanent: bool) -> None:
        now = self._office.clock()
        is_over = one.withdrawn_at is not None or one.expires_at <= now
        if is_over and (permanent or one.expires_at + hearing.FOLLOWED_FOR <= now):  # nobody will say more of it
            await self._end(one, why)
            return
        async with borrowed(self._office.pool) as connection:
            if permanent:
                await sending.end(connection, one.downlink_id, "refused", now, why)
            else:
                await sending.try_again(connection, one.downlink_id, again_at(one.attempts + 1, now), why)
        self._office.told(ACT, "refused" if permanent else "again")


def _outgoing(one: Claimed) -> Outgoing:
    return Outgoing(one.dev_eui, str(one.reference), one.f_port, one.payload, one.confirmed, one.expires_at)
