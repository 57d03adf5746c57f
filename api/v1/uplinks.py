"""Frames as they were received, with their radio figures."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Protocol
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from api import models, pagination, tenancy
from api.access import READ, require
from api.context import CLOCK, reader
from api.endpoint import get
from api.parameters import LATEST, DevEui, PagedOfTenant, Period
from store.reading import frames

PATH: Final = "/api/v1/uplinks"
LASTING: Final = timedelta(days=7)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST_KEY: Final = 2**63 - 1


class FramesQuery(PagedOfTenant, Period):
    """Which frames of a tenant's devices: by default those of the last 7 days."""

    dev_eui: Annotated[DevEui | None, Field(description="of one device: its DevEUI, 16 hexadecimal digits")] = None


class Reception(models.Answer):
    """One gateway's hearing of an uplink. `gateway_eui` is null for who may not know the network's gateways."""

    gateway_eui: str | None
    rssi_dbm: float | None
    snr_db: float | None


class Uplink(models.Resource):
    """One frame as received; `receptions` begin with the gateway that heard it best."""

    received_at: datetime
    dev_eui: str
    point_id: int
    f_cnt: int
    f_port: int | None
    frequency_hz: int | None
    bandwidth_hz: int | None
    spreading_factor: int | None
    data_rate: int | None
    confirmed: bool
    adr: bool
    outcome: Annotated[str, Field(description="what became of it: decoded, or why not")]
    detail: str
    payload: Annotated[str, Field(description="hexadecimal; empty where a household's meter is told by day")]
    receptions: list[Reception]


@require(READ)
async def list_uplinks(request: web.Request, query: FramesQuery) -> models.Page[Uplink]:
    """List the uplinks of a tenant's devices, the newest first.

    A device counts for a tenant while it measures one of its points.
    """
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        asked = asked_of(query, "uplinks", tenant.tenant_id, ZoneInfo(tenant.time_zone), request.app[CLOCK]())
        found = await frames.frames(connection, asked)
    items = [_to_model(frame) for frame in found[: query.limit]]
    return models.Page[Uplink](items=items, next_cursor=next_cursor("uplinks", found, query.limit))


def asked_of(query: FramesQuery, collection: str, tenant_id: int, zone: ZoneInfo, now: datetime) -> frames.Asked:
    """Return which frames or events are asked; raise ProblemError for a period or cursor that is none."""
    start, end = query.bounds(zone, now, LASTING)
    return frames.Asked(tenant_id, query.dev_eui, start, end, before_of(collection, query.cursor), query.limit)


def before_of(collection: str, cursor: str | None) -> frames.Before:
    """Return where the page begins that a cursor asks for; raise ProblemError for a cursor of another list."""
    if not cursor:
        return frames.Before(LATEST, _FIRST_KEY)
    at, key = pagination.numbers(collection, cursor, 2)
    return frames.Before(min(_EPOCH + min(max(at, 0), 2**53) * _MICROSECOND, LATEST), _clamped(key))


def _clamped(key: int) -> int:
    return min(max(key, -(2**63)), _FIRST_KEY)


class Keyed(Protocol):
    """What stands in a list by time and key."""

    @property
    def received_at(self) -> datetime:
        """Return when it was received."""

    @property
    def key(self) -> int:
        """Return its key at that time."""


def next_cursor(collection: str, found: Sequence[Keyed], limit: int) -> str | None:
    """Return the cursor of what follows the page; None when nothing does."""
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return pagination.encode(collection, (last.received_at - _EPOCH) // _MICROSECOND, last.key)


def _to_model(frame: frames.Frame) -> Uplink:
    fields = frame._asdict()
    del fields["key"]
    fields["payload"] = frame.payload.hex()
    fields["receptions"] = [Reception(**one._asdict()) for one in frame.receptions]
    return Uplink(**fields)


ROUTES: Final = (get(PATH, list_uplinks),)
