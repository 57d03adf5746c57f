"""What commands share: their settings, the database, the event loop, and how they print."""

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from deploy import logs
from deploy.database import database
from deploy.settings import Settings, load
from domain.errors import ConfigurationError
from store.pool import connect_for_long

P = ParamSpec("P")
T = TypeVar("T")


def settings_of(context: typer.Context) -> Settings:
    """Return the settings of this command; set logs up as they say. Raises ConfigurationError."""
    config = context.find_root().obj
    settings = load(config if isinstance(config, Path) else None, os.environ)
    logs.configure(settings.log.format, settings.log.level)
    return settings


def run(coroutine: Any) -> Any:
    """Run a coroutine to its end and return what it gives."""
    return uvloop.run(coroutine)


def with_database(
    context: typer.Context,
    work: Callable[Concatenate[asyncpg.Connection, P], Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run `work(connection, …)` on a connection to the database of the settings."""

    async def connected() -> T:
        async with database(settings) as dsn:
            connection = await connect_for_long(dsn, application="samara")
            try:
                return await work(connection, *args, **kwargs)
            finally:
                await connection.close()

    settings = settings_of(context)
    result: T = run(connected())
    return result


def moment(text: str | None, option: str) -> datetime | None:
    """Return the time that an option says, in UTC; None where it says none. Raises ConfigurationError."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text}: not a time such as 2026-03-29T08:00") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def show_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on a terminal, tab-separated lines into a pipe."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(headers), *cells]:
            typer.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    table = Table(*headers, box=None, header_style="bold")
    for row in cells:
        table.add_row(*row)
    Console().print(table, markup=False) if not cells else Console().print(table)


def show_json(value: object) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
