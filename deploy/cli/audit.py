"""samara audit verify | export."""

import json
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy.cli.common import with_database
from domain.errors import ConfigurationError
from store.access import audit
from store.access.audit import Entry

app = typer.Typer(help="Who did what.", no_args_is_help=True)


@app.command("verify")
def verify_command(
    context: typer.Context,
    head: Annotated[
        str, typer.Option(help="NUMBER:DIGEST of an entry noted elsewhere: proves that what came before still stands.")
    ] = "",
    note: Annotated[
        Path | None,
        typer.Option(help="A file, on another disk, that holds the last one noted; it gets the new one."),
    ] = None,
) -> None:
    """Check that no entry was changed or taken out; print the last one's number and digest, to note elsewhere."""
    if head and note is not None:
        raise ConfigurationError("--head and --note: give one of them")
    noted = note.read_text("ascii").strip() if note is not None and note.exists() else head

    async def work(connection: asyncpg.Connection) -> Entry | None:
        return await audit.verified(audit.entries(connection), noted)

    last = with_database(context, work)
    if note is not None and last is not None:
        draft = note.with_name(note.name + ".new")
        draft.write_text(audit.head_of(last) + "\n", "ascii")
        draft.replace(note)
    typer.echo("The log is empty." if last is None else audit.head_of(last))


@app.command("export")
def export_command(context: typer.Context) -> None:
    """Print every entry, oldest first, as a line of JSON."""

    async def work(connection: asyncpg.Connection) -> None:
        async for entry in audit.entries(connection):
            fields = entry._asdict() | {
                "at": entry.at.isoformat(),
                "detail": json.loads(entry.detail),
                "digest": entry.digest.hex(),
            }
            typer.echo(json.dumps(fields, ensure_ascii=False))

    with_database(context, work)
