"""A tenant with a row in every relation that leaves with it, beside another tenant that must not."""

import re
from pathlib import Path

import asyncpg
from api_world import NOW
from api_world import build as build_world

from store.access.accounts import add_account, grant
from store.access.audit import append
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


async def build(connection: asyncpg.Connection) -> None:
    """Make Mareuville with everything, and Autreville beside it."""
    world = await build_world(connection)
    air, water = world.air, world.water
    school = await connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", air.point_id)
    for relation in ("uplinks", "receptions", "network_events"):
        await ensure_partitions(connection, relation, [month_of(NOW)])
    names = {
        "tenant": world.tenant_id,
        "device": air.device_id,
        "point": air.point_id,
        "meter": water.point_id,
        "site": school,
        "now": f"'{NOW.isoformat()}'::timestamptz",
    }
    script = Path(__file__).with_name("leaver.sql").read_text("utf-8")
    await connection.execute(re.sub(r"(?<![:\w]):([a-z]+)\b", lambda found: str(names[found[1]]), script))
    account_id = await add_account(connection, "maire@mareuville.fr", name="M. le Maire")
    assert account_id is not None
    await grant(connection, account_id, "manager", world.tenant_id, with_descendants=False)
    await append(connection, "site.made", actor="samara", tenant_id=world.tenant_id, subject="École")


async def other_numbers(connection: asyncpg.Connection) -> None:
    """Declare others first, so that the same thing has another number here."""
    await sync_models(connection, [Model("acme-th", "Acme", "TH", 1800)])
    for number in range(3):
        slug = f"ailleurs-{number}"
        tenant_id = await declare_tenant(connection, TenantDeclaration(slug=slug, name=slug, kind="commune"))
        site_id = await declare_site(connection, tenant_id, "Site")
        for other in range(5):
            await declare_point(connection, site_id, f"Point {other}")
            await declare_device(connection, tenant_id, f"{0xA0 + 16 * number + other:016x}")
    await connection.execute("INSERT INTO sources (name) VALUES ('other'), ('lns')")
    await connection.execute("INSERT INTO gateways (gateway_eui) VALUES ('00000000000000cc'), ('00000000000000ab')")
    await connection.execute("INSERT INTO decoders (model_id, version) VALUES ('acme-th', 'v0')")
    await connection.execute(
        "INSERT INTO contacts (tenant_id, name, channel, target) SELECT tenant_id, slug, 'email', '{}' FROM tenants"
    )
