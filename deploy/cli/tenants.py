"""samara tenants list | add, and those of `tenant_transfer`."""

from typing import Annotated

import asyncpg
import typer

from deploy.cli import tenant_transfer
from deploy.cli.common import settings_of, show_table, with_database
from deploy.pages import everything
from store.fleet import TenantDeclaration, declare_tenant
from store.reading.territory import Tenant, tenants

app = typer.Typer(help="The collectivités.", no_args_is_help=True)
tenant_transfer.add_to(app)


@app.command("list")
def list_command(context: typer.Context) -> None:
    """List the tenants."""

    async def work(connection: asyncpg.Connection) -> list[Tenant]:
        return await everything(lambda after: tenants(connection, after=after))

    found = with_database(context, work)
    slugs = {tenant.tenant_id: tenant.slug for tenant in found}
    show_table(
        ("slug", "name", "kind", "parent", "INSEE", "SIREN", "time zone"),
        [
            (one.slug, one.name, one.kind, slugs.get(one.parent_id or 0), one.insee, one.siren, one.time_zone)
            for one in found
        ],
    )


@app.command("add")
def add_command(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="Its name in addresses: lower-case letters, digits and hyphens.")],
    name: Annotated[str, typer.Argument(help="Its name for people.")],
    *,
    kind: Annotated[str, typer.Option(help="syndicat, departement, epci, commune, sdis, water_union, other.")] = (
        "commune"
    ),
    parent: Annotated[str | None, typer.Option(help="The slug of the tenant above it.")] = None,
    insee: Annotated[str | None, typer.Option(help="INSEE code: 5 characters for a commune.")] = None,
    siren: Annotated[str | None, typer.Option(help="SIREN: 9 digits.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name; that of the settings by default.")] = None,
) -> None:
    """Declare a tenant, or change the one that has this slug."""
    zone = time_zone or settings_of(context).time_zone
    with_database(context, declare_tenant, TenantDeclaration(slug, name, kind, parent, insee, siren, zone))
    typer.echo(f"{slug}: declared")
