"""Network keys of devices: written here, and never told."""

from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import StringConstraints

from api import tenancy
from api.access import INSTALL, require
from api.endpoint import post
from api.parameters import Asked, DevEui, OfTenant
from api.signing import KEYRING
from store.access.device_keys import put_key

PATH: Final = "/api/v1/devices/{dev_eui}/keys"
Key = Annotated[str, StringConstraints(pattern="^[0-9A-Fa-f]{32}$")]


class KeysPath(Asked):
    """One device."""

    dev_eui: DevEui


class NetworkKeys(Asked):
    """Keys of a device, 32 hexadecimal digits each. They are not told again, by nobody."""

    app_key: Key
    nwk_key: Key | None = None


@require(INSTALL)
async def write_keys(request: web.Request, connection: asyncpg.Connection, path: KeysPath, body: NetworkKeys) -> None:
    """Keep the network keys of a device, sealed."""
    tenant = await tenancy.tenant_of(request, connection)
    keyring = request.app[KEYRING]
    await put_key(
        connection,
        keyring,
        tenant_id=tenant.tenant_id,
        dev_eui=path.dev_eui,
        kind="app_key",
        key=bytes.fromhex(body.app_key),
    )
    if body.nwk_key is not None:
        await put_key(
            connection,
            keyring,
            tenant_id=tenant.tenant_id,
            dev_eui=path.dev_eui,
            kind="nwk_key",
            key=bytes.fromhex(body.nwk_key),
        )


ROUTES: Final = (post(PATH, write_keys, query=OfTenant),)
