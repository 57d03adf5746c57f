"""samara migrate."""

from typing import Annotated

import typer

from deploy.cli.common import run, settings_of
from deploy.database import database
from deploy.dsns import let_roles_in, passwords
from store.migrate import migrate


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("migrate")(migrate_command)


def migrate_command(
    context: typer.Context,
    timescale: Annotated[
        bool | None, typer.Option(help="Use TimescaleDB or not; by default, when the server offers it.")
    ] = None,
    *,
    pre: Annotated[
        bool, typer.Option("--pre", help="Only what the version before works with: while roles are upgraded.")
    ] = False,
) -> None:
    """Bring the database to the current schema."""
    settings = settings_of(context)

    async def work() -> list[str]:
        async with database(settings) as dsn:
            applied = await migrate(dsn, timescale=timescale, post=not pre)
            await let_roles_in(dsn, passwords(settings, dsn))
            return applied

    applied = run(work())
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("The schema is current.")
