"""What somebody asks a device to do: checked, made into bytes, and written down in the same transaction."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import asyncpg
from aiohttp import web

from api.access import ADMINISTER, account_of
from api.commands import COMMAND_DESK
from api.context import CLOCK
from api.problems import CONFLICT, FORBIDDEN, NO_SUCH_DOWNLINK, ProblemError
from domain.commands import RAW, Encoded, most_bytes
from domain.downlinks import MOST_WAITING, lasts
from domain.errors import SamaraError
from store.access.bearer import may
from store.downlinks import asking
from store.downlinks.asking import Device, NewDownlink
from store.provisioning import servers

_MOST_PARAMETERS: Final = 4000  # characters of JSON
_NO_SERVER: Final = "No network server is configured for this tenant or one above it: docs/provisioning.md."


class Wish(NamedTuple):
    """A command as asked, or bytes (`payload`, with its `f_port`). `confirmed`: the device is to acknowledge it."""

    command: str
    parameters: Mapping[str, Any]
    payload: bytes | None
    f_port: int | None
    confirmed: bool
    period_s: int | None


class Prepared(NamedTuple):
    """What would be sent. `most` bytes would reach the device at its data rate."""

    device: Device
    encoded: Encoded
    most: int


async def prepare(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, dev_eui: str, wish: Wish
) -> Prepared:
    """Return the bytes of what is asked. Raises NotFoundError, and ProblemError saying what is wrong with it."""
    device = await asking.device(connection, tenant_id, dev_eui, held=True)
    if await servers.serving(connection, tenant_id) is None:
        raise ProblemError(CONFLICT, _NO_SERVER, why="no_server")
    encoded = await _encoded(request, connection, tenant_id, device, wish)
    most = most_bytes(device.spreading_factor)
    if len(encoded.payload) > most:
        detail = f"{len(encoded.payload)} bytes; at its data rate (SF{device.spreading_factor or 12}) {most} reach it."
        raise ProblemError(NO_SUCH_DOWNLINK, detail)
    return Prepared(device, encoded, most)


async def _encoded(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, device: Device, wish: Wish
) -> Encoded:
    if wish.payload is not None:
        if not await may(connection, tenant_id, ADMINISTER):
            raise ProblemError(FORBIDDEN, f"Bytes as they are take the permission `{ADMINISTER}` on the tenant.")
        if wish.f_port is None:
            raise ProblemError(NO_SUCH_DOWNLINK, "Bytes need an FPort, from 1 to 223.")
        return Encoded(wish.f_port, wish.payload, period_s=wish.period_s)
    codec = await asking.codec_of(connection, device.device_id)
    desk, now = request.app[COMMAND_DESK], request.app[CLOCK]()
    try:
        made = await desk.encode(
            device.model_id, codec, wish.command, wish.parameters, f_port=wish.f_port, at=now
        )  # fmt: skip
    except SamaraError as error:
        raise ProblemError(NO_SUCH_DOWNLINK, str(error)) from error
    return made if made.period_s is not None else made._replace(period_s=wish.period_s)


async def ask(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, wish: Wish, prepared: Prepared
) -> int:
    """Write down that it is to be sent, and return its number. Raises ProblemError when too many wait."""
    device, encoded = prepared.device, prepared.encoded
    if device.waiting >= MOST_WAITING:
        detail = f"{device.waiting} messages wait for this sensor already: cancel some first."
        raise ProblemError(CONFLICT, detail, why="too_many")
    now = request.app[CLOCK]()
    new = NewDownlink(
        tenant_id,
        device.device_id,
        account_of(request).account_id,
        RAW if wish.payload is not None else wish.command,
        written(wish.parameters),
        encoded.period_s,
        encoded.f_port,
        encoded.payload,
        wish.confirmed,
        now,
        now + lasts(device.period_s),
    )
    return await asking.add(connection, new)


def written(parameters: Mapping[str, Any]) -> str:
    """Return parameters as JSON. Raises ProblemError for what is too long or no JSON."""
    try:
        text = json.dumps(parameters, allow_nan=False)
    except ValueError as error:
        raise ProblemError(NO_SUCH_DOWNLINK, f"Parameters: {error}.") from error
    if len(text) > _MOST_PARAMETERS:
        raise ProblemError(NO_SUCH_DOWNLINK, f"Parameters are {_MOST_PARAMETERS} characters of JSON at most.")
    return text
