"""What decoding needs to know of one device: names and values, as text."""

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import asyncpg
import msgspec

from domain.errors import NotFoundError

Parameters = Mapping[str, str]
NO_PARAMETERS: Final[Parameters] = MappingProxyType({})
_PARAMETERS: Final = msgspec.json.Decoder(dict[str, str])


def parameters_of(text: str) -> Parameters:
    """Return the parameters of a device as the database has them."""
    return NO_PARAMETERS if text == "{}" else _PARAMETERS.decode(text)


class DeviceKnown(NamedTuple):
    """What a device is known to be, and its parameters."""

    dev_eui: str
    tenant: str
    name: str
    model_id: str | None
    parameters: Parameters


SELECT_PARAMETERS: Final = """
SELECT dev_eui, slug, devices.name, model_id, parameters::text
  FROM devices
  JOIN tenants USING (tenant_id)
 WHERE dev_eui = $1
"""


async def device_known(connection: asyncpg.Connection, dev_eui: str) -> DeviceKnown:
    """Return one device. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_PARAMETERS, dev_eui)
    if row is None:
        raise NotFoundError(f"no device {dev_eui}")
    return DeviceKnown(row["dev_eui"], row["slug"], row["name"], row["model_id"], parameters_of(row["parameters"]))


UPDATE_PARAMETERS: Final = """
UPDATE devices SET parameters = (parameters - $3::text[]) || $2::jsonb WHERE dev_eui = $1
"""


async def change_parameters(
    connection: asyncpg.Connection, dev_eui: str, given: Parameters, removed: Collection[str]
) -> None:
    """Give a device these parameters, and take those from it; the others stay."""
    await connection.execute(UPDATE_PARAMETERS, dev_eui, json.dumps(dict(given)), list(removed))
