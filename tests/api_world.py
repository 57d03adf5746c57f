"""A small territory for the tests of the API and of the pages, and sensors that speak when told to.

Mareuville has a school and a town hall; Autreville has one point, which nobody of Mareuville must see.
"""

import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg
from aiohttp import web
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry
from yarl import URL

from alerting.contact_rules import ContactRules
from alerting.outbound.settings import DeliverySettings, SmtpSettings
from alerting.rule_desk import RuleDesk
from api.access import PERMISSIONS, digest
from api.app import create_app
from api.demonstration import Label
from api.mailing import Mail, MailError
from api.settings import ApiSettings
from deploy.command_desk import CommandDesk
from deploy.embedded.postgres import role_dsn
from store.access.accounts import account_by_email, add_account, grant
from store.access.keys import add_key
from store.access.roles import ACCOUNTS, API
from store.access.sealing import Keyring, new_key
from store.access.sessions import Lifetime, open_session
from store.assignments import assign
from store.fleet import (
    Model,
    TenantDeclaration,
    declare_device,
    declare_point,
    declare_site,
    declare_tenant,
    sync_models,
)
from store.partitions import ensure_partitions, month_of
from store.pool import SEEN_FIRST, open_pool

NOW = datetime(2025, 11, 22, 9, 0, tzinfo=UTC)  # a Saturday, 10 h in Paris
PAST = timedelta(days=31)
HOLE = (NOW - timedelta(hours=20), NOW - timedelta(hours=14))
HALF_HOUR = timedelta(minutes=30)

KEYRING = Keyring.parse(new_key("tests"))
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # a test proves something else than slowness


class Sensor(NamedTuple):
    point_id: int
    device_id: int


class World(NamedTuple):
    """What was made: points by name."""

    tenant_id: int
    air: Sensor  # temperature and humidity every half hour, with a hole of 6 hours
    water: Sensor  # an index every hour
    door: Sensor  # opens and closes; late
    silent: Sensor  # never heard
    foreign: Sensor  # of the other tenant


class Territory(NamedTuple):
    """A database with all this in it."""

    dsn: str
    world: World


def name_of(dsn: str) -> str:
    """Return the database that an address names."""
    return dsn.rpartition("/")[2].partition("?")[0]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Mails:
    """What would be mailed, and a relay that can be away."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.available = True
        self.is_away = False

    async def send(self, mail: Mail) -> None:
        if self.is_away:
            raise MailError("the relay is away")
        self.sent.append(mail)

    def address(self) -> str:
        """The address in the last mail, without its host."""
        (found,) = re.findall(r"http://[^/\s]+(/\S+)", self.sent[-1].text)
        return str(found)


async def build(connection: asyncpg.Connection) -> World:
    """Declare the territory and write a month of its past."""
    await sync_models(connection, [Model("acme-th", "Acme", "TH", 1800), Model("acme-water", "Acme", "Water", 3600)])
    tenant_id = await _tenant(connection, "mareuville", "Mareuville")
    other_id = await _tenant(connection, "autreville", "Autreville <script>alert(1)</script>")
    school = await declare_site(connection, tenant_id, "École Jules-Verne", latitude_deg=49.9, longitude_deg=2.3)
    hall = await declare_site(connection, tenant_id, "Mairie")
    elsewhere = await declare_site(connection, other_id, "Ailleurs")
    world = World(
        tenant_id=tenant_id,
        air=await _sensor(connection, tenant_id, school, 1, "Air, classe de CM2", "acme-th"),
        water=await _sensor(connection, tenant_id, school, 2, "Eau froide, chaufferie", "acme-water"),
        door=await _sensor(connection, tenant_id, hall, 3, "Porte des archives"),
        silent=await _sensor(connection, tenant_id, hall, 4, "Sonde neuve"),
        foreign=await _sensor(connection, other_id, elsewhere, 5, "Secret"),
    )
    await _past(connection, world)
    return world


async def _tenant(connection: asyncpg.Connection, slug: str, name: str) -> int:
    return await declare_tenant(connection, TenantDeclaration(slug=slug, name=name, kind="commune"))


async def _sensor(
    connection: asyncpg.Connection, tenant_id: int, site_id: int, number: int, name: str, model_id: str | None = None
) -> Sensor:
    device_id = await declare_device(connection, tenant_id, f"{number:016x}", name=name, model_id=model_id)
    point_id = await declare_point(connection, site_id, name)
    await assign(connection, device_id, point_id, NOW - 2 * PAST)
    return Sensor(point_id, device_id)


async def _past(connection: asyncpg.Connection, world: World) -> None:
    rows: list[tuple[int, str, datetime, float]] = []
    at = NOW - PAST
    step = 0
    while at < NOW:
        at, step = at + HALF_HOUR, step + 1
        if not HOLE[0] < at < HOLE[1]:
            rows.append((world.air.device_id, "temperature", at, 19 + step % 48 / 10))
            rows.append((world.air.device_id, "humidity", at, 40 + step % 10))
        if step % 2 == 0:
            rows.append((world.water.device_id, "water_volume", at, 100 + step * 0.01))
        if step % 20 == 0 and at < NOW - timedelta(hours=30):
            rows.append((world.door.device_id, "open", at, step // 20 % 2))
    await ensure_partitions(connection, "measurements", {month_of(at) for _, _, at, _ in rows})
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    await connection.copy_records_to_table(
        "measurements",
        columns=["measured_at", "received_at", "value", "device_id", "quantity_id", "channel"],
        records=[(at, at, value, device_id, ids[quantity], 0) for device_id, quantity, at, value in rows],
    )
    await _mark(connection, {(device_id, at) for device_id, _, at, _ in rows})
    for sensor in (world.air, world.water, world.door):
        last = max(at for device_id, _, at, _ in rows if device_id == sensor.device_id)
        values = {quantity: value for device_id, quantity, at, value in rows if (device_id, at) == (sensor[1], last)}
        await _latest(connection, sensor.device_id, values, last, ids)
    await speak(connection, world.foreign, {"temperature": 11.0}, NOW)


async def speak(connection: asyncpg.Connection, sensor: Sensor, values: Mapping[str, float], at: datetime) -> None:
    """Store one frame as ingest does, and tell that it is committed."""
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    await ensure_partitions(connection, "measurements", {month_of(at)})
    async with connection.transaction():
        await connection.executemany(
            "INSERT INTO measurements (measured_at, received_at, value, device_id, quantity_id, channel)"
            " VALUES ($1, $1, $2, $3, $4, 0)",
            [(at, value, sensor.device_id, ids[quantity]) for quantity, value in values.items()],
        )
        await _latest(connection, sensor.device_id, values, at, ids)
        await _mark(connection, {(sensor.device_id, at)})
        await connection.execute("SELECT pg_notify('samara_committed', $1)", str(sensor.device_id))


async def _mark(connection: asyncpg.Connection, changes: set[tuple[int, datetime]]) -> None:
    """Tell maintenance, and readers meanwhile, which hours have changed."""
    hours = {(device_id, at.replace(minute=0, second=0, microsecond=0)) for device_id, at in changes}
    await connection.copy_records_to_table("changed_hours", columns=["device_id", "hour"], records=list(hours))


async def _latest(
    connection: asyncpg.Connection, device_id: int, values: Mapping[str, float], at: datetime, ids: Mapping[str, int]
) -> None:
    numbers = [ids[quantity] for quantity in values]
    await connection.execute(
        "INSERT INTO latest_frames VALUES ($1, $2, $3, $3, $4, $5, $6)"
        " ON CONFLICT (device_id, layout) DO UPDATE SET measured_at = $3, received_at = $3, readings = $6",
        device_id,
        hash(tuple(numbers)) % 2**31,
        at,
        numbers,
        [0] * len(numbers),
        list(values.values()),
    )


async def sign_in(
    connection: asyncpg.Connection, *roles: tuple[str, int | None], email: str = "somebody@example.fr"
) -> dict[str, str]:
    """Make an account with these roles, each on a tenant (None: all) and its descendants; return its cookie."""
    account_id = await add_account(connection, email, name="Camille Roux")
    assert account_id is not None
    for role, tenant_id in roles:
        await grant(connection, account_id, role, tenant_id, with_descendants=True)
    secret = secrets.token_urlsafe(32)
    life = Lifetime(idle=timedelta(hours=1), whole=timedelta(hours=8))
    await open_session(connection, digest(secret), account_id, life)
    return {"samara": secret}


async def make_key(connection: asyncpg.Connection, email: str = "program@example.fr") -> str:
    """Make an account that may do everything, and a key of it; return the key."""
    await sign_in(connection, ("administrator", None), ("supervisor", None), email=email)
    account_id = await account_by_email(connection, email)
    secret = f"smr_{secrets.token_urlsafe(32)}"
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    await add_key(
        connection,
        digest(secret),
        account_id,
        name="tests",
        hint=secret[:8],
        permissions=PERMISSIONS,
        tenant_id=None,
        expires_at=expires_at,
    )
    return secret


@asynccontextmanager
async def serving(
    dsn: str,
    settings: ApiSettings,
    clock: Clock,
    registry: CollectorRegistry | None = None,
    *,
    mails: Mails | None = None,
    labels: Sequence[Label] = (),
) -> AsyncIterator[str]:
    """Serve the application on the port of `public_url`, else on a free one; give its address, without a slash."""
    pool = await open_pool(role_dsn(dsn, API), size=4, application="samara-api-test", search_path=SEEN_FIRST)
    doorkeepers = await open_pool(role_dsn(dsn, ACCOUNTS), size=2, application="samara-accounts-test")
    app = create_app(
        pool=pool,
        accounts=doorkeepers,
        settings=settings,
        clock=clock,
        registry=registry or CollectorRegistry(),
        hasher=QUICK_HASHER,
        keyring=KEYRING,
        contact_rules=ContactRules(DeliverySettings(smtp=SmtpSettings(host="relay.example"))),
        rule_desk=RuleDesk(),
        command_desk=CommandDesk(),
        mailer=mails or Mails(),
        labels=labels,
    )
    runner = web.AppRunner(app, shutdown_timeout=2)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", URL(settings.public_url).explicit_port or 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        pool.terminate()
        doorkeepers.terminate()
