"""One round of granting what is wanted: any number of workers on one database, none the leader.

What is done over there is written down at once, step by step. Asked again after a failure or a kill, a device that is
there is looked at and not made a second time.
"""

import asyncio
from datetime import timedelta
from typing import Final

from alerting.provisioning.errors import ServerError
from alerting.provisioning.reach import Office, Reach, each
from alerting.provisioning.servers import NetworkServer
from domain.provisioning import RootKeys, Step, There, Wanted, legible, next_attempt, steps
from store.access.sealing import SealError
from store.pool import borrowed
from store.provisioning import devices, orders
from store.provisioning.orders import Claimed
from store.provisioning.servers import Access

LEASE: Final = timedelta(minutes=5)
_WITHIN_S: Final = 240.0
_AT_ONCE: Final = 8
_MOST: Final = 200_000  # devices of an application


async def work_once(office: Office) -> bool:
    """Do what is due now; say whether there may be more."""
    async with borrowed(office.pool) as connection:
        claimed = await orders.claim(connection, office.clock(), LEASE, _AT_ONCE)
    return await each(office, claimed, lambda reach: _Desk(office, reach).grant)


class _Desk:
    """One round of orders."""

    def __init__(self, office: Office, reach: Reach) -> None:
        self._office = office
        self._reach = reach

    async def grant(self, one: Claimed) -> None:
        """Try to grant a wish, and write down what became of it."""
        office, owner_id = self._office, None
        try:
            access = await self._reach.access(one.tenant_id)
            owner_id = access.owner_id
            async with asyncio.timeout(_WITHIN_S):
                await self._carry_out(one, access)
        except TimeoutError:
            await self._failed(one, owner_id, f"it was not done within {_WITHIN_S:.0f} s", permanent=False)
        except SealError as error:
            await self._failed(one, owner_id, str(error), permanent=True)
        except ServerError as error:
            await self._failed(one, owner_id, str(error), permanent=error.permanent)
        else:
            async with borrowed(office.pool) as connection:
                await orders.end(connection, one.order_id, "done", office.clock())
                await devices.set_trouble(connection, access.owner_id, "")
            office.told(one.act, "done")

    async def _failed(self, one: Claimed, owner_id: int | None, why: str, *, permanent: bool) -> None:
        now = self._office.clock()
        again_at = None if permanent else next_attempt(one.attempts + 1, one.created_at, now)
        async with borrowed(self._office.pool) as connection:
            if again_at is None:
                await orders.end(connection, one.order_id, "failed", now, why)
            else:
                await orders.try_again(connection, one.order_id, again_at, why)
            if owner_id is not None and (again_at is not None or one.act == "list"):
                await devices.set_trouble(connection, owner_id, why)
        self._office.told(one.act, "failed" if again_at is None else "again")

    async def _carry_out(self, one: Claimed, access: Access) -> None:
        server = await self._reach.server(access)
        if one.dev_eui is None:
            await self._list(server, access)
        elif one.act == "delete":
            await self._delete(server, one, access, one.dev_eui)
        else:
            await self._put(server, one, access, one.dev_eui)

    async def _put(self, server: NetworkServer, one: Claimed, access: Access, dev_eui: str) -> None:
        async with borrowed(self._office.pool) as connection:
            wanted = await orders.wanted(connection, one.tenant_id, dev_eui, access.owner_id)
            keys = await orders.keys(connection, self._office.keyring, one)
        if wanted is None:
            raise ServerError("the tenant no longer has this device", permanent=True)
        there, made = None, False
        if wanted.profile and await server.create(wanted):
            await self._record(one, "created")
            made = True
        else:
            found = await server.find(dev_eui)
            there = legible(found) if found else None
            if there is None:
                raise ServerError(_why_not(wanted), permanent=True)
            for step in steps(wanted, there, access.application, has_keys=False):
                await server.change(wanted)
                await self._record(one, step)
        # Whether an attempt that was cut short gave it its keys is not known.
        if keys is None and (made or one.attempts):
            keys = await self._kept(dev_eui)
        await self._key(server, one, wanted, keys)
        async with borrowed(self._office.pool) as connection:
            await devices.put_there(connection, access.owner_id, _now_there(wanted, there))

    async def _kept(self, dev_eui: str) -> RootKeys | None:
        """Return the keys that somebody asked to keep."""
        async with borrowed(self._office.pool) as connection:
            return await orders.kept_keys(connection, self._office.keyring, dev_eui)

    async def _key(self, server: NetworkServer, one: Claimed, wanted: Wanted, keys: RootKeys | None) -> None:
        if keys is not None:
            await server.key(wanted, keys)
            await self._record(one, "keyed")

    async def _delete(self, server: NetworkServer, one: Claimed, access: Access, dev_eui: str) -> None:
        async with borrowed(self._office.pool) as connection:
            is_theirs = await orders.may_take_away(connection, dev_eui, one.tenant_id, access.owner_id)
        if not is_theirs:
            raise ServerError("the device is not this tenant's to take away", permanent=True)
        if await server.delete(dev_eui):
            await self._record(one, "deleted")
        async with borrowed(self._office.pool) as connection:
            await devices.gone_there(connection, access.owner_id, dev_eui)

    async def _list(self, server: NetworkServer, access: Access) -> None:
        began_at = self._office.clock()
        async with borrowed(self._office.pool) as connection:
            unasked = await devices.without_join_eui(connection, access.owner_id)
        found: dict[str, There] = {}
        async for said in server.listed(unasked):
            if (there := legible(said)) is not None:
                found[there.dev_eui] = there
            if len(found) > _MOST:
                raise ServerError(f"it has more than {_MOST} devices in one application", permanent=True)
        async with borrowed(self._office.pool) as connection:
            await devices.listed(connection, access.owner_id, list(found.values()), began_at)

    async def _record(self, one: Claimed, step: Step) -> None:
        async with borrowed(self._office.pool) as connection:
            await orders.record(connection, one.order_id, step)


def _why_not(wanted: Wanted) -> str:
    if not wanted.profile:
        return "its model has no profile on the network server: give it one, or give the device a model"
    return "it is registered there by another tenant or application: take it away there first"


def _now_there(wanted: Wanted, before: There | None) -> There:
    profile = wanted.profile or (before.profile if before else "")
    return There(wanted.dev_eui, wanted.name, profile, wanted.join_eui or (before.join_eui if before else None))
