"""samara audit verify | export."""

import json
from typing import Annotated

import asyncpg
import typer

from deploy.cli.common import with_database
from domain.errors import SamaraError
from store.access import audit
from store.access.audit import Entry

app = typer.Typer(help="Who did what.", no_args_is_help=True)


class TamperedError(SamaraError):
    """The audit log is not what was written; whoever owns the database's tables alone can have changed it."""


@app.command("verify")
def verify_command(
    context: typer.Context,
    head: Annotated[
        str, typer.Option(help="NUMBER:DIGEST of an entry noted elsewhere: proves that what came before still stands.")
    ] = "",
) -> None:
    """Check that no entry was changed or taken out; print the last one's number and digest, to note elsewhere."""

    async def work(connection: asyncpg.Connection) -> Entry | None:
        previous: Entry | None = None
        noted = not head
        async for entry in audit.entries(connection):
            wrong = audit.fault(previous, entry)
            if wrong:
                raise TamperedError(wrong)
            noted = noted or head == f"{entry.entry_id}:{entry.digest.hex()}"
            previous = entry
        if not noted:
            raise TamperedError(f"entry {head} is not there: the log was written anew, or cut before it")
        return previous

    last = with_database(context, work)
    typer.echo("The log is empty." if last is None else f"{last.entry_id}:{last.digest.hex()}")


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
