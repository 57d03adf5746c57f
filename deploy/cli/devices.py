"""samara devices list | import."""

import sys
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy.cli.common import show_table, with_database
from deploy.declaring import Told, declare
from deploy.inventory import COLUMNS, Listed, RowError, read
from deploy.pages import everything
from deploy.roles import now
from domain.errors import ConfigurationError
from store.reading.network import Device, devices
from store.reading.territory import tenant_by_slug, tenants

app = typer.Typer(help="The sensors.", no_args_is_help=True)


@app.command("list")
def list_command(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant alone, by its slug.")] = None,
) -> None:
    """List the devices."""

    async def work(connection: asyncpg.Connection) -> list[tuple[str, Device]]:
        if tenant:
            chosen = [await tenant_by_slug(connection, tenant)]
        else:
            chosen = await everything(lambda after: tenants(connection, after=after))
        return [(one.slug, device) for one in chosen for device in await _devices_of(connection, one.tenant_id)]

    show_table(
        ("dev_eui", "tenant", "name", "model", "last seen", "RSSI", "SNR"),
        [
            (
                device.dev_eui,
                slug,
                device.name,
                device.model_id,
                device.last_seen_at and device.last_seen_at.isoformat(timespec="seconds"),
                device.rssi_dbm,
                device.snr_db,
            )
            for slug, device in with_database(context, work)
        ],
    )


async def _devices_of(connection: asyncpg.Connection, tenant_id: int) -> list[Device]:
    return await everything(lambda after: devices(connection, tenant_id, after=after))


@app.command("import", help=f"Declare the devices of a list; again, nothing changes. Columns: {', '.join(COLUMNS)}.")
def import_command(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV of a spreadsheet, or one JSON object a line; - is standard input.")],
    tenant: Annotated[str, typer.Option(help="The tenant of lines that name none.")] = "",
) -> None:
    """Declare the devices of a list. Doing it again changes nothing."""
    rows = list(read(_content(file), tenant))
    listed = [row for row in rows if isinstance(row, Listed)]
    models = {row.line: row.model for row in listed}

    async def work(connection: asyncpg.Connection) -> list[Told]:
        return [told async for told in declare(connection, listed, now())]

    told = with_database(context, work)
    problems = [(row.line, row.reason) for row in rows if isinstance(row, RowError)]
    problems += [(one.line, f"{one.dev_eui}: {one.problem}") for one in told if one.problem]
    for line, reason in sorted(problems):
        typer.echo(f"{file}:{line}: {reason}", err=True)
    for one in told:
        if models[one.line] and one.model_id is None and not one.problem:
            typer.echo(f"{file}:{one.line}: {one.dev_eui}: no decoder for {models[one.line]!r} yet", err=True)
    typer.echo(f"{sum(not one.problem for one in told)} devices declared, {len(problems)} lines refused")
    if problems:
        raise typer.Exit(1)


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
