"""What a list of sensors asks of the network server: said before it is taken, written down with each of its rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import asyncpg

from api.provisioning import Planned, Wish, plan
from domain.provisioning import RootKeys
from domain.sensor_list import KEYS, Row
from store.access.sealing import Keyring
from store.import_files import File
from store.provisioning import devices, import_keys, orders

_SOME: RootKeys = RootKeys(bytes(16))  # that there are keys is enough to say what would be done


class Asker(NamedTuple):
    """Who takes a list, and when."""

    keyring: Keyring
    account_id: int | None
    now: datetime


async def planned(connection: asyncpg.Connection, tenant_id: int, rows: Mapping[int, Row]) -> dict[int, Planned]:
    """Return what would be done on the network server for rows that were taken, by place."""
    wishes = {place: _wish(row) for place, row in rows.items()}
    found = await devices.sides(connection, tenant_id, [one.dev_eui for one in wishes.values()])
    by_eui = {one.here.dev_eui: one for one in found}
    return {place: plan(by_eui[one.dev_eui], one) for place, one in wishes.items() if one.dev_eui in by_eui}


def _wish(row: Row) -> Wish:
    return Wish(row.dev_eui, row.join_eui, _SOME if row.has_app_key else None)


async def register(
    connection: asyncpg.Connection, tenant_id: int, found: File, rows: Mapping[int, Row], asker: Asker
) -> int:
    """Want the sensors of rows that were taken on the network server, with their keys; return how many orders.

    A sensor that is there as wanted, and for which no key comes, asks for nothing.
    """
    plans = await planned(connection, tenant_id, rows)
    wanted = {place: row for place, row in rows.items() if place in plans and _is_to_do(plans[place])}
    join_euis = {row.dev_eui: row.join_eui for row in wanted.values() if row.join_eui}
    await devices.set_join_euis(connection, tenant_id, join_euis)
    with_keys = frozenset(row.dev_eui for row in wanted.values() if row.has_app_key)
    numbers = await orders.order(
        connection, asker.keyring, tenant_id, "put", [row.dev_eui for row in wanted.values()],
        account_id=asker.account_id, now=asker.now, listed=orders.Listed(found.import_id, with_keys),
    )  # fmt: skip
    app_cell, nwk_cell = (found.fields.index(key) if key in found.fields else -1 for key in KEYS)
    await import_keys.hand_over(
        connection, found.import_id, dict(zip(numbers, wanted, strict=True)),
        app_cell=app_cell, nwk_cell=nwk_cell, keep_keys=found.keep_keys,
    )  # fmt: skip
    return len(numbers)


def _is_to_do(one: Planned) -> bool:
    return bool(one.steps) or one.needs_profile


async def forgotten(connection: asyncpg.Connection, found: File, rows: Mapping[int, Row]) -> set[int]:
    """Return the rows whose key was in the file and is no longer here: two days passed."""
    if not rows:
        return set()
    there = await import_keys.keyed(connection, found.import_id, min(rows), max(rows) + 1)
    app_cell = found.fields.index(KEYS[0]) if KEYS[0] in found.fields else -1
    return {place for place, row in rows.items() if row.has_app_key and (place, app_cell) not in there}
