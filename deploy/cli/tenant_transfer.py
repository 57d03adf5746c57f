"""samara tenants export | import | remove | move | forget."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import typer

from deploy.cli.common import run, settings_of, show_table, with_database
from deploy.database import database
from deploy.roles import now
from deploy.settings import Settings
from deploy.tenant_archive import Here, Imported, Manifest, export_tenant, import_tenant
from deploy.tenant_move import Move, Moved, remove_tenant
from domain.errors import ConfigurationError
from store.pool import connect_for_long

T = TypeVar("T")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("export")(export_command)
    app.command("import")(import_command)
    app.command("remove")(remove_command)
    app.command("move")(move_command)
    app.command("forget")(forget_command)


def export_command(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="The tenant.")],
    directory: Annotated[Path, typer.Argument(help="A folder to make.")],
) -> None:
    """Write everything of a tenant into a folder: CSV files, and a manifest with their digests."""

    async def work(connection: asyncpg.Connection) -> Manifest:
        return await export_tenant(connection, slug, directory, now())

    manifest = with_database(context, work)
    show_table(("file", "rows", "SHA-256"), [(one.name, one.rows, one.sha256) for one in manifest.files if one.rows])
    typer.echo(
        f"{slug}: {sum(one.rows for one in manifest.files)} rows in {directory}; network keys are not among them"
    )


def import_command(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="The folder of an export.", exists=True, file_okay=False)],
    *,
    slug: Annotated[str, typer.Option("--as", help="Its name in addresses here; the one it had.")] = "",
    parent: Annotated[str, typer.Option(help="The slug of the tenant above it.")] = "",
    enable_rules: Annotated[
        bool, typer.Option("--enable-rules", help="Leave rules enabled that were; without it, none is.")
    ] = False,
) -> None:
    """Bring in a tenant that was exported, here or elsewhere: everything of it, or nothing."""
    done = run(_import(settings_of(context), directory, slug=slug, parent=parent, enable_rules=enable_rules))
    show_table(("file", "rows", "new here"), [(name, *one) for name, one in done.files.items() if one.rows])
    if done.disabled:
        typer.echo(f"{done.disabled} rules are disabled until somebody enables them (samara rules).")
    typer.echo("People have no access yet: grants.csv says who had (samara accounts invite).")


async def _import(settings: Settings, directory: Path, *, slug: str, parent: str, enable_rules: bool) -> Imported:
    async with database(settings) as dsn:
        connection = await connect_for_long(dsn, application="samara-transfer")
        aside = await connect_for_long(dsn, application="samara-transfer")
        try:
            return await import_tenant(
                Here(connection, aside), directory, now(), slug=slug, parent=parent, enable_rules=enable_rules
            )
        finally:
            await aside.close()
            await connection.close()


def move_command(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="The tenant.")],
    neighbour: Annotated[str, typer.Argument(help="Where to: one of [[ingest.neighbours]].")],
    *,
    url: Annotated[str, typer.Option(help="Of the pages there: https://oise.example.fr")],
    dsn_file: Annotated[Path, typer.Option(help="A file with the address of the database there, as its owner.")],
) -> None:
    """Move a tenant to another installation that hears the same network servers, while its sensors go on."""
    settings = settings_of(context)
    if neighbour not in {one.name for one in settings.ingest.neighbours}:
        raise ConfigurationError(f"{neighbour!r} is not one of [[ingest.neighbours]]")

    async def work(move: Move) -> Moved:
        return await move.run(neighbour, url.rstrip("/"))

    done = run(_moving(settings, _address(dsn_file), slug, work))
    typer.echo(
        f"{slug}: at {neighbour} with {done.uplinks} uplinks, {done.measurements} measurements;"
        f" alerting paused for {done.pause_s:.1f} s. In an hour: samara tenants forget {slug}"
    )


def forget_command(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="A tenant that was moved.")],
    *,
    dsn_file: Annotated[Path, typer.Option(help="A file with the address of the database there, as its owner.")],
    at_once: Annotated[bool, typer.Option("--at-once", help="Though it was moved less than an hour ago.")] = False,
) -> None:
    """Copy what came late, then remove here what is there: the sign that says where it is stays."""

    async def work(move: Move) -> int:
        return await move.forget(at_once=at_once)

    typer.echo(f"{slug}: {run(_moving(settings_of(context), _address(dsn_file), slug, work))} rows removed here")


def remove_command(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="The tenant.")],
    export: Annotated[Path, typer.Argument(help="The folder of its export.", exists=True, file_okay=False)],
) -> None:
    """Delete a tenant and everything of it, of which there is an export."""
    typer.echo(f"{slug}: {with_database(context, remove_tenant, slug, export)} rows removed")


def _address(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"--dsn-file {file}: {error.strerror}") from None


async def _moving(settings: Settings, other: str, slug: str, work: Callable[[Move], Awaitable[T]]) -> T:
    async with database(settings) as dsn, AsyncExitStack() as stack:
        connections = []
        for address in (dsn, dsn, other, other):
            connections.append(await connect_for_long(address, application="samara-transfer"))
            stack.push_async_callback(connections[-1].close)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return await work(Move(Here(*connections[:2]), Here(*connections[2:]), slug, settings.data_dir, now))
