"""Devices wanted on a network server: what a request says of them, and the orders that are written with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints, ValidationError

from api.access import account_of
from api.context import CLOCK
from api.models import Answer
from api.parameters import Asked
from api.problems import CONFLICT, ProblemError
from api.signing import KEYRING
from domain.provisioning import RootKeys, Step, steps
from store.access import audit
from store.access.device_keys import put_key
from store.access.sealing import Keyring
from store.provisioning import devices, following, orders, servers
from store.provisioning.devices import Sides

JoinEui = Annotated[
    str, StringConstraints(pattern="^[0-9a-f]{16}$"), Field(description="a JoinEUI: 16 lower-case hexadecimal digits")
]
Key = Annotated[
    str,
    StringConstraints(pattern="^[0-9A-Fa-f]{32}$"),
    Field(description="a key: 32 hexadecimal digits. It is not told again"),
]
_NO_SERVER: Final = "No network server is configured for this tenant or one above it."


class Registered(Asked):
    """What a network server needs to know of a device. The keys go through: they are forgotten once it has them."""

    join_eui: JoinEui | None = None
    app_key: Key | None = None
    nwk_key: Key | None = None

    @property
    def keys(self) -> RootKeys | None:
        """Return the keys, None when none is given. Raises ProblemError for a NwkKey alone."""
        if self.app_key is None:
            if self.nwk_key is not None:
                raise ProblemError(CONFLICT, "A NwkKey comes with an AppKey.")
            return None
        return RootKeys(bytes.fromhex(self.app_key), bytes.fromhex(self.nwk_key) if self.nwk_key else None)


def registered(given: dict[str, str]) -> Registered | str:
    """Return the JoinEUI and keys of a form, as people copy them; or the name of the text that says what is wrong."""
    said = {
        name: "".join(one for one in given[name] if one not in " :-.\t").lower() or None
        for name in ("join_eui", "app_key", "nwk_key")
    }
    try:
        found = Registered.model_validate(said)
        assert found.keys is None or found.app_key
    except ValidationError as error:
        return f"keys.wrong.{error.errors()[0]['loc'][0]}"
    except ProblemError:
        return "keys.wrong.nwk_alone"
    return found


class Planned(Answer):
    """What would be done for one device, as far as is known of the network server; nothing, where it is as wanted.

    `needs_profile`: its model has no profile there, so that it cannot be registered.
    """

    dev_eui: str
    steps: list[Step]
    needs_profile: bool


class Wish(NamedTuple):
    """What is wanted for a device of a tenant."""

    dev_eui: str
    join_eui: str | None
    keys: RootKeys | None

    @classmethod
    def of(cls, dev_eui: str, said: Registered) -> "Wish":
        """Return the wish of what a request says."""
        return cls(dev_eui, said.join_eui, said.keys)


async def want(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, wishes: Sequence[Wish], *, keep_keys: bool
) -> list[int]:
    """Write down, in this transaction, that these devices are to be on the network server; return the orders.

    Raises ProblemError when no network server serves the tenant.
    """
    if await servers.serving(connection, tenant_id) is None:
        raise ProblemError(CONFLICT, _NO_SERVER)
    await devices.set_join_euis(connection, tenant_id, {one.dev_eui: one.join_eui for one in wishes if one.join_eui})
    keys = {one.dev_eui: one.keys for one in wishes if one.keys is not None}
    if keep_keys:
        for dev_eui, kept in keys.items():
            await _keep(connection, request.app[KEYRING], (tenant_id, dev_eui), kept)
    return await order(request, connection, tenant_id, "put", [one.dev_eui for one in wishes], keys=keys)


async def _keep(connection: asyncpg.Connection, keyring: Keyring, of: tuple[int, str], keys: RootKeys) -> None:
    kinds: tuple[tuple[Literal["app_key", "nwk_key"], bytes | None], ...] = (
        ("app_key", keys.app_key),
        ("nwk_key", keys.nwk_key),
    )
    for kind, key in kinds:
        if key is not None:
            await put_key(connection, keyring, tenant_id=of[0], dev_eui=of[1], kind=kind, key=key)


async def order(
    request: web.Request,
    connection: asyncpg.Connection,
    tenant_id: int,
    act: orders.Act,
    dev_euis: Sequence[str | None],
    *,
    keys: Mapping[str, RootKeys] = {},
) -> list[int]:
    """Write down an order for each of these devices, by whoever asks; return the numbers."""
    now: datetime = request.app[CLOCK]()
    account_id = account_of(request).account_id
    keyring = request.app[KEYRING]
    return await orders.order(
        connection, keyring, tenant_id, act, dev_euis, account_id=account_id, now=now, keys=keys
    )  # fmt: skip


_NOT_CANCELLED: Final = {
    "in_hand": "The order is being carried out this minute: look again when it is.",
    "over": "The order does not wait: it ended.",
}
_NOT_RETRIED: Final = {
    "in_hand": _NOT_CANCELLED["in_hand"],
    "over": "The order is done.",
    "later": "Something else was wanted of the device since: its last order can be tried again.",
    "keys": "The keys that came with the order were forgotten with it: give them again, as `app_key` and `nwk_key`.",
}


async def cancel(request: web.Request, connection: asyncpg.Connection, tenant_id: int, order_id: int) -> None:
    """Take an order of a tenant back. Raises NotFoundError, and ProblemError with `why` when it cannot be."""
    found = await following.one(connection, tenant_id, order_id)
    done = await orders.cancel(connection, order_id, request.app[CLOCK]())
    if done != "cancelled":
        raise ProblemError(CONFLICT, _NOT_CANCELLED[done], why=done)
    await note(connection, "network_order.cancelled", tenant_id, found)


async def retry(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, order_id: int, said: Registered
) -> None:
    """Try an order of a tenant again. Raises NotFoundError, and ProblemError with `why` when it cannot be."""
    found = await following.one(connection, tenant_id, order_id)
    if found.dev_eui is not None and said.join_eui is not None:
        await devices.set_join_euis(connection, tenant_id, {found.dev_eui: said.join_eui})
    done = await orders.retry(connection, request.app[KEYRING], order_id, request.app[CLOCK](), said.keys)
    if done != "again":
        raise ProblemError(CONFLICT, _NOT_RETRIED[done], why=done)
    await note(connection, "network_order.retried", tenant_id, found)


async def note(connection: asyncpg.Connection, action: str, tenant_id: int, found: following.Order) -> None:
    """Add to the audit log what was done of an order."""
    detail = {"order": found.order_id, "act": found.act}
    await audit.append_own(connection, action, tenant_id=tenant_id, subject=found.dev_eui or "", detail=detail)


async def planned(connection: asyncpg.Connection, tenant_id: int, wishes: Sequence[Wish]) -> list[Planned]:
    """Say what would be done for these devices, without writing anything."""
    by_eui = {one.here.dev_eui: one for one in await devices.sides(connection, tenant_id, [w.dev_eui for w in wishes])}
    return [plan(by_eui[one.dev_eui], one) for one in wishes if one.dev_eui in by_eui]


def plan(sides: Sides, wish: Wish) -> Planned:
    """Say what would be done for one device. Pure."""
    wanted = sides.here._replace(join_eui=wish.join_eui or sides.here.join_eui)
    found = steps(wanted, sides.there, "", has_keys=wish.keys is not None)
    return Planned(
        dev_eui=wish.dev_eui, steps=list(found), needs_profile=sides.there is None and not wanted.profile
    )  # fmt: skip
