"""What devices are told to do, and how far each is: from the wish to the device's acknowledgement."""

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from api import downlinks, models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.commands import COMMAND_DESK
from api.context import CLOCK, reader
from api.downlinks import Wish
from api.endpoint import delete, get, post
from api.models import Answer, Resource
from api.parameters import Asked, DevEuiPath, Id, OfTenant, PagedOfTenant
from api.problems import CONFLICT, ProblemError
from domain import commands
from domain.commands import MAX_PERIOD_S, most_bytes
from domain.downlinks import State
from store.downlinks import asking
from store.reading.pages import page_of

COMMANDS: Final = "/api/v1/devices/{dev_eui}/commands"
PATH: Final = "/api/v1/devices/{dev_eui}/downlinks"
ONE: Final = PATH + "/{id}"
_TOO_LATE: Final = "It was sent already, or has ended."

FPort = Annotated[int, Field(ge=1, le=223, description="an FPort: from 1 to 223")]


class DownlinkPath(DevEuiPath):
    """One downlink of a device."""

    id: Id


class CommandParameter(Answer):
    """A whole number that a command takes, bounds included, in steps."""

    name: str
    unit: str
    least: int
    most: int
    step: int


class Command(Answer):
    """What the device can be told. `names`: what its codec looks at of a command, as far as reading it says.

    `sets_period`: once acknowledged, the device is expected at the new period.
    """

    name: str
    origin: Literal["model", "codec", "raw"]
    parameters: list[CommandParameter]
    names: list[str]
    sets_period: bool


class Commands(Answer):
    """All that a device can be told. `most_bytes` reach it at the data rate of its last uplink."""

    model_id: str | None
    period_s: int | None
    most_bytes: int
    commands: list[Command]


class NewDownlink(Asked):
    """A command with its parameters; or bytes, `payload` in hexadecimal with their `f_port`, for who administers.

    `f_port` is otherwise for codecs that say none. `period_s`: how often the device will send afterwards, where the
    command itself does not say so. `dry_run` tells the bytes and sends nothing.
    """

    command: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$")] = ""
    parameters: Annotated[dict[str, Any], Field(default_factory=dict)]
    payload: Annotated[str, StringConstraints(pattern="^([0-9A-Fa-f]{2}){1,242}$")] | None = None
    f_port: FPort | None = None
    confirmed: bool = True
    period_s: Annotated[int, Field(ge=1, le=MAX_PERIOD_S)] | None = None
    dry_run: bool = False


class AskedDownlink(Answer):
    """What goes to the device; `id` is null for a dry run. `warnings` are the codec's."""

    id: int | None
    f_port: int
    payload: str
    confirmed: bool
    period_s: int | None
    most_bytes: int
    warnings: list[str]


class Downlink(Resource):
    """What a device was told, as far as is known. `state` is the furthest of the moments that it passed."""

    id: int
    command: str
    parameters: dict[str, Any]
    period_s: int | None
    f_port: int
    payload: str
    confirmed: bool
    state: State
    trouble: str
    created_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    accepted_at: datetime | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    refused_at: datetime | None
    failed_at: datetime | None
    expired_at: datetime | None
    cancelled_at: datetime | None


class DownlinksQuery(PagedOfTenant):
    """In which state."""

    state: State | None = None


@require(INSTALL)
async def list_commands(request: web.Request, path: DevEuiPath) -> Commands:
    """Tell what a device can be told: the commands of its model, and its codec's."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        device = await asking.device(connection, tenant.tenant_id, path.dev_eui)
        codec = await asking.codec_of(connection, device.device_id)
    found = request.app[COMMAND_DESK].of(device.model_id, codec)
    return Commands(
        model_id=device.model_id,
        period_s=device.period_s,
        most_bytes=most_bytes(device.spreading_factor),
        commands=[_command(one) for one in found],
    )


def _command(found: commands.Command) -> Command:
    parameters = [CommandParameter(**one._asdict()) for one in found.parameters]
    return Command(
        name=found.name,
        origin=found.origin,
        parameters=parameters,
        names=list(found.names),
        sets_period=found.sets_period,
    )


@require(INSTALL)
async def create_downlink(
    request: web.Request, connection: asyncpg.Connection, path: DevEuiPath, body: NewDownlink
) -> AskedDownlink:
    """Tell a device to do something. A device of class A hears it after its next uplink."""
    tenant = await tenancy.tenant_of(request, connection)
    if bool(body.command) == (body.payload is not None):
        raise ProblemError(CONFLICT, "Name a `command`, or give a `payload`.")
    payload = None if body.payload is None else bytes.fromhex(body.payload)
    wish = Wish(body.command, body.parameters, payload, body.f_port, body.confirmed, body.period_s)
    prepared = await downlinks.prepare(request, connection, tenant.tenant_id, path.dev_eui, wish)
    made = None
    if not body.dry_run:
        made = await downlinks.ask(request, connection, tenant.tenant_id, wish, prepared)
    encoded = prepared.encoded
    return AskedDownlink(
        id=made,
        f_port=encoded.f_port,
        payload=encoded.payload.hex(),
        confirmed=wish.confirmed,
        period_s=encoded.period_s,
        most_bytes=prepared.most,
        warnings=list(encoded.warnings),
    )


@require(HEALTH)
async def list_downlinks(request: web.Request, path: DevEuiPath, query: DownlinksQuery) -> models.Page[Downlink]:
    """List what a device was told, in that order, and how far each is."""
    asked = pagination.asked(query, "downlinks")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        device = await asking.device(connection, tenant.tenant_id, path.dev_eui)
        found = await asking.downlinks(
            connection,
            tenant.tenant_id,
            device.device_id,
            state=query.state,
            after=asked.after or 0,
            limit=asked.limit + 1,
        )
    page = page_of(found, [one.downlink_id for one in found], asked.limit)
    return pagination.answer(models.Page[Downlink], "downlinks", page, _told)


def _told(found: asking.Downlink) -> Downlink:
    fields = found._asdict()
    del fields["account_id"]
    parameters = json.loads(fields["parameters"])
    told = {"id": fields.pop("downlink_id"), "parameters": parameters, "payload": found.payload.hex()}
    return Downlink(**fields | told)


@require(HEALTH)
async def get_downlink(request: web.Request, path: DownlinkPath) -> Downlink:
    """Tell how far one downlink is."""
    async with reader(request) as connection:
        return await _one(request, connection, path, held=False)


async def _held_downlink(request: web.Request, connection: asyncpg.Connection, path: DownlinkPath) -> Downlink:
    return await _one(request, connection, path, held=True)


async def _one(request: web.Request, connection: asyncpg.Connection, path: DownlinkPath, *, held: bool) -> Downlink:
    tenant = await tenancy.tenant_of(request, connection)
    device = await asking.device(connection, tenant.tenant_id, path.dev_eui)
    return _told(await asking.downlink(connection, tenant.tenant_id, device.device_id, path.id, held=held))


@require(INSTALL)
async def delete_downlink(request: web.Request, connection: asyncpg.Connection, path: DownlinkPath) -> None:
    """Want a downlink back that was not sent yet. One that its network server has already is asked back there."""
    tenant = await tenancy.tenant_of(request, connection)
    device = await asking.device(connection, tenant.tenant_id, path.dev_eui)
    now = request.app[CLOCK]()
    before = await asking.withdraw(connection, tenant.tenant_id, device.device_id, path.id, now)
    if before.state not in {"queued", "accepted"}:
        raise ProblemError(CONFLICT, _TOO_LATE)


ROUTES: Final = (
    get(COMMANDS, list_commands, query=OfTenant),
    get(PATH, list_downlinks),
    post(PATH, create_downlink, query=OfTenant),
    get(ONE, get_downlink, query=OfTenant),
    delete(ONE, delete_downlink, query=OfTenant, held=_held_downlink),
)
