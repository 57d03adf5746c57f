"""The demonstration's network server: the simulated sensors are registered there, and do as they are told."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators import chirpstack
from simulators.demo.box import box
from simulators.demo.scenario import Declared, Scenario, devices
from store.access.sealing import Keyring
from store.fleet import tenant_ids
from store.pool import connect
from store.provisioning import orders, servers

_TENANT: Final = "somme"  # above all the others
_KIND: Final = "chirpstack"


if TYPE_CHECKING:
    from simulators.network_server import Network


class DemoNetwork(NamedTuple):
    """A network server on this machine: what waits there for sensors, and how Samara reaches it."""

    network: "Network"
    address: str
    token: str


@asynccontextmanager
async def serving(scenario: Scenario) -> AsyncIterator[DemoNetwork]:
    """Serve a network server that knows the sensors of the scenario."""
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")  # else it complains of each process that is started
    from simulators.network_server import Network  # noqa: PLC0415 - gRPC looks at its environment when it is imported

    every: tuple[Declared, ...] = (*devices(scenario), *box())
    known = [chirpstack.Device(dev_eui=one.dev_eui, name=one.name, profile=one.profile) for one in every]
    network, token = Network(known), secrets.token_urlsafe()
    async with network.serving(token) as address:
        yield DemoNetwork(network, address, token)


async def configure(dsn: str, keyring: Keyring, found: DemoNetwork, scenario: Scenario, now: datetime) -> None:
    """Say that the sensors of the département are registered there, and want to know what it has."""
    (first, *_), models = devices(scenario), {one.model for one in devices(scenario)}
    declared = chirpstack.Device(dev_eui=first.dev_eui, name=first.name, profile=first.profile)
    connection = await connect(dsn, application="samara-demo")
    try:
        tenant_id = (await tenant_ids(connection))[_TENANT]
        async with connection.transaction():
            await servers.set_server(
                connection,
                keyring,
                tenant_id,
                kind=_KIND,
                address=found.address,
                application=declared.application_id,
                profiles=dict.fromkeys(models, declared.profile_id),
                token=found.token,
                now=now,
                as_owner=True,
            )
            await orders.order(connection, keyring, tenant_id, "list", [None], account_id=None, now=now)
    finally:
        await connection.close()
