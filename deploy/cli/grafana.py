"""samara grafana sync."""

import secrets
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import asyncpg
import typer

from deploy.cli.common import settings_of, with_database
from deploy.grafana.desired import Organisation, organisations, password_of
from deploy.pages import everything
from deploy.settings import GrafanaSettings
from domain.errors import ConfigurationError
from store.access.readers import Reader, drop_stale_readers, emails, ensure_reader, members, role_of
from store.reading.territory import tenants

if TYPE_CHECKING:
    from grafana_client.api import GrafanaApi

app = typer.Typer(help="Grafana, one organisation for each tenant.", no_args_is_help=True)

_TIMEOUT_S = 20.0
_SALT_BYTES = 16


@app.callback()
def _group() -> None:
    """Keep `sync` a command of its own while it is the only one."""


@app.command("sync")
def sync_command(
    context: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
) -> None:
    """Make organisations, users, data sources, folders and dashboards what they should be."""
    from deploy.grafana.sync import Sync  # noqa: PLC0415 - it brings a client of HTTP that no other command needs

    settings = settings_of(context).grafana
    secret = settings.database_secret.get_secret_value()
    if not (settings.url and settings.database and len(secret) >= 16):
        raise ConfigurationError("grafana: set url, database, and database_secret of 16 characters at least")

    async def work(connection: asyncpg.Connection) -> tuple[list[Organisation], frozenset[str]]:
        everyone = await everything(lambda after: tenants(connection, after=after))
        ids = [None, *(one.tenant_id for one in everyone)]
        if not dry_run:
            for tenant_id in ids:
                role = role_of(tenant_id)
                salt = secrets.token_bytes(_SALT_BYTES)
                await ensure_reader(connection, Reader(role, tenant_id), password_of(secret, role), salt)
            await drop_stale_readers(connection, [role_of(tenant_id) for tenant_id in ids])
        known = await members(connection)
        wanted = organisations(
            everyone, known, database=settings.database, secret=secret, tls=settings.database_tls
        )  # fmt: skip
        return wanted, await emails(connection)

    wanted, known = with_database(context, work)
    sync = Sync(lambda number: client(settings, number), say=typer.echo, apply=not dry_run)
    sync.run(wanted, known)
    said = "would change" if dry_run else "changed"
    typer.echo(f"{len(wanted)} organisations, {sync.changes} things {said}")


def client(settings: GrafanaSettings, organisation: int | None) -> "GrafanaApi":
    """Return a client of Grafana, of one organisation or of the server."""
    from grafana_client.api import GrafanaApi  # noqa: PLC0415 - as `Sync`

    url = urlsplit(settings.url)
    return GrafanaApi(
        auth=(settings.user, settings.password.get_secret_value()),
        host=url.hostname or "",
        port=url.port,
        url_path_prefix=f"{url.path.strip('/')}/".lstrip("/"),
        protocol=url.scheme,
        timeout=_TIMEOUT_S,
        organization_id=organisation,
    )
