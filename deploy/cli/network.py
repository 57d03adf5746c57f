"""samara network import-plan: what a plan foretold, beside what the network hears."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy.cli.common import with_database
from domain.errors import ConfigurationError
from store.pool import database_now
from store.supervision.coverage import PARTS, keep_plan

app = typer.Typer(help="The network's supervision.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `import-plan` a command of its own, though it is alone."""


@app.command("import-plan")
def import_plan_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the plan is called on the page of coverage.")],
    folder: Annotated[Path, typer.Argument(help="What `samara simulate plan` wrote.")],
) -> None:
    """Import the GeoJSON of a plan, in place of the plan of this name."""
    parts = {}
    for part in PARTS:
        path = folder / f"{part}.geojson"
        try:
            parts[part] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: {error}; give the folder that `samara simulate plan` wrote") from error

    async def work(connection: asyncpg.Connection) -> datetime:
        now = await database_now(connection)
        try:
            await keep_plan(connection, name, parts, now)
        except (asyncpg.DataError, ValueError) as error:
            raise ConfigurationError(f"{folder}: {error}; it is not what `samara simulate plan` wrote") from error
        return now

    with_database(context, work)
    typer.echo(f"Imported {', '.join(parts)} of {name}; see /reseau/couverture?plan={name}")
