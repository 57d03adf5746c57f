"""Declare the devices of a list, each on its own: one that cannot be declared does not stop its neighbours."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import NamedTuple

import asyncpg

from decoders.registry import Registry
from deploy.inventory import Listed
from deploy.parameters import checked, constants_of
from domain.errors import ConfigurationError, NotFoundError
from store.assignments import AssignmentError
from store.codecs import bound_models
from store.fleet import DeclarationError, DeviceDeclaration, Model, declare_devices, sync_models
from store.reading.territory import tenant_by_slug


class Told(NamedTuple):
    """What became of one device: `model_id` is the decoder's that it was given; `problem` is '' if it is declared."""

    line: int
    dev_eui: str
    model_id: str | None
    problem: str = ""


async def declare(connection: asyncpg.Connection, listed: Iterable[Listed], now: datetime) -> AsyncIterator[Told]:
    """Declare each device with its site and point, and yield what became of it.

    A model is an id of the registry or of a codec's, or words that name one; a model that is none leaves the device
    without decoder: its uplinks are kept, and can be decoded later. Raises what asyncpg raises.
    """
    registry = Registry.load()
    await sync_models(
        connection,
        [Model(one.id, one.vendor, one.name, one.period_s) for one in registry.models],
    )
    by_codec = await bound_models(connection)
    tenant_ids: dict[str, int] = {}
    for one in listed:
        is_known = one.model in registry.decoders or one.model in by_codec
        model_id = one.model if is_known else registry.match(one.model)
        told = Told(one.line, one.dev_eui, model_id)
        try:
            checked(one.parameters, constants_of(registry, model_id))
            if one.tenant not in tenant_ids:
                tenant_ids[one.tenant] = (await tenant_by_slug(connection, one.tenant)).tenant_id
            await declare_devices(connection, tenant_ids[one.tenant], [_declaration(one, model_id)], now)
        except (NotFoundError, DeclarationError, AssignmentError, ConfigurationError) as error:
            told = told._replace(problem=str(error))
        yield told


def _declaration(one: Listed, model_id: str | None) -> DeviceDeclaration:
    return DeviceDeclaration(
        dev_eui=one.dev_eui,
        name=one.name,
        model_id=model_id,
        site=one.site or None,
        site_kind=one.site_kind or None,
        point=one.point or None,
        latitude_deg=one.latitude_deg,
        longitude_deg=one.longitude_deg,
        parameters=one.parameters,
        use=one.use,
        part_of=one.part_of or None,
    )
