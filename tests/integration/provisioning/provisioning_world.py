"""The application and a provisioning worker on one database, and what people ask of them."""

import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import api_world
import asyncpg

from alerting.provisioning import servers
from alerting.provisioning.door import door
from alerting.provisioning.downlinks import downlinks_once
from alerting.provisioning.reach import Office
from alerting.provisioning.settings import ProvisioningSettings
from alerting.provisioning.worker import work_once
from deploy.embedded.postgres import role_dsn
from store.access.roles import PROVISIONING
from store.pool import open_pool

sys.path.append(str(Path(__file__).parents[1] / "api"))
from api_served import Served, serve

AIR = f"{1:016x}"  # Mareuville's, of the model acme-th
JOIN_EUI = "70b3d57ed0000001"
APP_KEY = "00112233445566778899aabbccddeeff"
NWK_KEY = "ffeeddccbbaa99887766554433221100"


class Desk(NamedTuple):
    """What the tests have in hand. `told` is what the worker said of each attempt."""

    served: Served
    office: Office
    told: Counter[tuple[str, str]]

    async def ask(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        mark = "&" if "?" in path else "?"
        address = f"/api/v1/{path}" + ("" if "tenant=" in path else f"{mark}tenant=mareuville")
        async with self.served.http.request(method, address, json=body if method != "GET" else None) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if status != 204 else None

    async def configure(
        self,
        address: str,
        application: str,
        token: str,
        profile: str,
        tenant: str = "mareuville",
        kind: str = "chirpstack",
    ) -> None:
        body = {
            "kind": kind,
            "address": address,
            "application": application,
            "token": token,
            "profiles": [{"model_id": "acme-th", "profile": profile}],
        }
        await self.ask("POST", f"network-server?tenant={tenant}", 201, **body)

    async def put(self, *dev_euis: str, **other: Any) -> None:
        devices = [{"dev_eui": one, **other} for one in dev_euis]
        await self.ask("POST", "network-orders", 201, act="put", devices=devices)

    async def work(self) -> None:
        """Do all that is due now."""
        while await work_once(self.office) or await downlinks_once(self.office):
            pass

    async def later(self, **by: float) -> None:
        self.served.clock.now += timedelta(**by)
        await self.work()

    async def orders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("GET", "network-orders"))["items"]
        return found

    async def secrets(self) -> int:
        count = "SELECT count(*) FROM network_secrets WHERE order_id IS NOT NULL"
        return int(await self.served.connection.fetchval(count))


async def desk_of(territory: api_world.Territory, *inside: str) -> AsyncIterator[Desk]:
    async for served in serve(territory):
        pool = await open_pool(role_dsn(territory.dsn, PROVISIONING), size=4, application="test")
        told = Counter[tuple[str, str]]()
        settings = ProvisioningSettings(servers=inside, timeout_s=5)
        office = Office(
            pool,
            api_world.KEYRING,
            servers.load(),
            door(settings),
            settings.timeout_s,
            served.clock,
            lambda act, outcome, told=told: told.update([(act, outcome)]),
        )
        yield Desk(served, office, told)
        await pool.close()


async def device(connection: asyncpg.Connection, dev_eui: str, column: str) -> Any:
    return await connection.fetchval(f"SELECT {column} FROM devices WHERE dev_eui = $1", dev_eui)
