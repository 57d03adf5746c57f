"""What technicians do on the ground: put in service, replace, move, take away; and how far a sensor is since."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from api import models, pagination, tenancy
from api.access import HEALTH, INSTALL, account_of, require
from api.commissioning import progress_of
from api.context import CLOCK, reader
from api.endpoint import get, post
from api.models import Answer, Resource
from api.parameters import (
    Asked,
    DevEui,
    DevEuiPath,
    Id,
    Latitude,
    Longitude,
    ModelId,
    Note,
    OfTenant,
    PagedOfTenant,
    SiteKind,
    Text,
)
from api.problems import CONFLICT, NO_SUCH_PLACE, UNREADABLE_CODE, ProblemError
from api.provisioning import Registered, Wish, order, want
from domain import labels
from store import commissioning
from store.commissioning import Act, ElsewhereError, OccupiedError, Place
from store.provisioning import servers
from store.reading import installations
from store.reading.pages import page_of

PATH: Final = "/api/v1/installations"
COMMISSIONING: Final = "/api/v1/devices/{dev_eui}/commissioning"
REMOVAL: Final = "/api/v1/devices/{dev_eui}/removal"

Index = Annotated[float, Field(ge=-1e15, le=1e15, description="what the meter shows, in its own unit")]


class NewInstallation(Registered):
    """A sensor, by its DevEUI or by what its code says, and where it goes.

    The point by its id, or the names of a point and of a site, which are made if they are not there. `replaces`: what
    measured the point is taken away; `moves`: what the sensor measured, it measures no longer. `provision`: it is
    to be on the network server as well, with its JoinEUI and keys; `keep_keys` keeps these here too, sealed.
    """

    dev_eui: DevEui | None = None
    code: Annotated[str, StringConstraints(max_length=labels.MAX_LENGTH)] = ""
    point_id: Id | None = None
    site_id: Id | None = None
    site_name: Text | None = None
    site_kind: SiteKind = "other"
    point_name: Text | None = None
    model_id: ModelId | None = None
    name: Text | None = None
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None
    done_at: AwareDatetime | None = None
    replaces: bool = False
    moves: bool = False
    former_index: Index | None = None
    new_index: Index | None = None
    note: Note = ""
    provision: bool = False
    keep_keys: bool = False


class Installed(Answer):
    """What became of it."""

    id: int
    dev_eui: str
    act: Literal["installed", "replaced", "moved"]
    site_id: int
    point_id: int
    served: Annotated[bool, Field(description="whether a network server serves the tenant: keys may have to be given")]


class Removal(Asked):
    """When a sensor was taken away, now unless said; what the meter showed; a remark.

    `deprovision`: it is to be taken away from the network server as well.
    """

    done_at: AwareDatetime | None = None
    former_index: Index | None = None
    note: Note = ""
    deprovision: bool = False


class Installation(Resource):
    """One act. `recorded_at` is later than `done_at` when it was done without a network."""

    id: int
    dev_eui: str
    act: Literal["installed", "replaced", "moved", "removed"]
    point_id: int | None
    done_at: datetime
    recorded_at: datetime
    former_dev_eui: str | None
    former_index: float | None
    new_index: float | None
    latitude_deg: models.LatitudeDeg | None
    longitude_deg: models.LongitudeDeg | None
    note: str


class Commissioning(Answer):
    """How far a sensor is since it was put in place. `margin_db` is over what its spreading factor needs."""

    state: Literal["waiting", "joined", "late", "heard"]
    in_service: bool
    done_at: datetime
    expected_at: Annotated[datetime, Field(description="when the first frame should have come")]
    joins: int
    frames: int
    heard_at: datetime | None
    quality: Literal["good", "fair", "fragile", "unknown"]
    margin_db: float | None
    antennas: int
    spreading_factor: int | None
    rssi_dbm: float | None
    advice: list[str]


@require(INSTALL)
async def create_installation(request: web.Request, connection: asyncpg.Connection, body: NewInstallation) -> Installed:
    """Put a sensor in service. Sending the same again changes nothing."""
    tenant = await tenancy.tenant_of(request, connection)
    dev_eui = _dev_eui(body)
    if body.point_id is None and (body.point_name is None or (body.site_id is None and body.site_name is None)):
        raise ProblemError(NO_SUCH_PLACE)
    place = Place(
        body.site_id, body.site_name or "", body.site_kind, body.point_id, body.point_name or "", body.model_id,
        body.name or "", body.latitude_deg, body.longitude_deg,
    )  # fmt: skip
    act = Act(
        _moment(body.done_at, request), account_of(request).account_id, body.note, body.replaces, body.moves,
        body.former_index, body.new_index,
    )  # fmt: skip
    with conflicts():
        done = await commissioning.put_in_service(connection, tenant.tenant_id, dev_eui, place, act)
    if body.provision:
        await want(request, connection, tenant.tenant_id, [Wish.of(dev_eui, body)], keep_keys=body.keep_keys)
    return Installed(
        id=done.installation_id, dev_eui=dev_eui, act=done.act, site_id=done.site_id, point_id=done.point_id,
        served=await servers.serving(connection, tenant.tenant_id) is not None,
    )  # fmt: skip


def _dev_eui(body: NewInstallation) -> str:
    if body.dev_eui is not None:
        return body.dev_eui
    try:
        return labels.read(body.code).dev_eui
    except labels.LabelError as error:
        raise ProblemError(UNREADABLE_CODE, str(error), why=error.why, found=error.found) from error


@contextmanager
def conflicts() -> Iterator[None]:
    """Tell what stands against an act so that a program can ask about it: `why` occupied or elsewhere."""
    try:
        yield
    except OccupiedError as error:
        raise ProblemError(CONFLICT, str(error), why="occupied", dev_eui=error.dev_eui) from error
    except ElsewhereError as error:
        raise ProblemError(CONFLICT, str(error), why="elsewhere", point_id=error.point_id) from error


def _moment(given: datetime | None, request: web.Request) -> datetime:
    now = request.app[CLOCK]()
    return min(given or now, now)  # a phone's clock may be ahead


@require(INSTALL)
async def remove_device(request: web.Request, connection: asyncpg.Connection, path: DevEuiPath, body: Removal) -> None:
    """Take a sensor away, into stock. Its point keeps its history."""
    tenant = await tenancy.tenant_of(request, connection)
    act = Act(
        _moment(body.done_at, request), account_of(request).account_id, body.note, former_index=body.former_index
    )  # fmt: skip
    await commissioning.take_away(connection, tenant.tenant_id, path.dev_eui, act)
    if body.deprovision:
        await order(request, connection, tenant.tenant_id, "delete", [path.dev_eui])


@require(HEALTH)
async def list_installations(request: web.Request, query: PagedOfTenant) -> models.Page[Installation]:
    """List what was done on a tenant's sensors, in the order in which it was recorded."""
    asked = pagination.asked(query, "installations")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await installations.of_tenant(
            connection, tenant.tenant_id, after=asked.after or 0, limit=asked.limit + 1
        )
    page = page_of(found, [one.installation_id for one in found], asked.limit)
    return pagination.answer(models.Page[Installation], "installations", page, _told)


def _told(found: installations.Installation) -> Installation:
    fields = {name: value for name, value in found._asdict().items() if name in Installation.model_fields}
    return Installation(id=found.installation_id, **fields)


@require(HEALTH)
async def get_commissioning(request: web.Request, path: DevEuiPath) -> Commissioning:
    """Tell how far a sensor is since it was last put in place."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        done = await installations.last_of(connection, tenant.tenant_id, path.dev_eui)
        found = await progress_of(connection, tenant.tenant_id, done, request.app[CLOCK]())
    fields = found._asdict() | {"advice": list(found.advice)}
    return Commissioning(in_service=found.in_service, done_at=done.done_at, **fields)


ROUTES: Final = (
    get(PATH, list_installations),
    post(PATH, create_installation, query=OfTenant, problems=(NO_SUCH_PLACE, UNREADABLE_CODE)),
    get(COMMISSIONING, get_commissioning, query=OfTenant),
    post(REMOVAL, remove_device, query=OfTenant),
)
