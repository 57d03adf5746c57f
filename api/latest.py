"""The latest values of a tenant, as the live stream tells them."""

from functools import partial
from typing import Final

import asyncpg

from api import models
from api.access import READ
from api.context import snapshot
from api.live import News
from api.pagination import everything
from domain.errors import NotFoundError
from domain.quantities import QUANTITIES
from store.access.bearer import narrow
from store.reading import latest, territory

UNKNOWN_UNIT: Final = "1"  # a number that a network server's own codec computed: its unit is not known


def unit_of(quantity: str) -> str:
    """Return the UCUM unit of a quantity."""
    known = QUANTITIES.get(quantity)
    return UNKNOWN_UNIT if known is None else known.unit


async def read_news(pool: asyncpg.Pool, tenant_id: int, cursor: int, bearer: bytes) -> News:
    """Return what changed of a tenant's latest values since `cursor` (0: all of them).

    Raises NotFoundError when the bearer may not read this tenant.
    """
    async with snapshot(pool, bearer) as connection:
        if not await narrow(connection, tenant_id, READ):
            raise NotFoundError
        changes = await latest.changes_since(connection, tenant_id, cursor)
        points = await everything(partial(territory.points, connection, tenant_id))
        devices = frozenset(point.device_id for point in points if point.device_id is not None)
    return News([to_model(value) for value in changes.values], changes.cursor, devices)


def to_model(value: latest.LatestValue) -> models.LatestValue:
    """Return what the API says of a latest value."""
    return models.LatestValue(unit=unit_of(value.quantity), **value._asdict())
