"""samara stats."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from deploy.cli.common import show_json, show_table, with_database
from store.reading.accounts import DayAccount, day_accounts
from store.reading.stats import MessageCount, Stats, stats


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("stats")(stats_command)


def stats_command(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for a program.")] = False,
    days: Annotated[int, typer.Option(min=0, help="By day and tenant instead, the last DAYS days (UTC).")] = 0,
) -> None:
    """Count what came in and what became of it: received = stored + duplicate + quarantined + ignored."""
    if days:
        last = datetime.now(UTC).date()
        accounts = with_database(context, day_accounts, last - timedelta(days=days - 1), last)
        if as_json:
            show_json([account._asdict() for account in accounts])
        else:
            show_table([name.replace("_", " ") for name in DayAccount._fields], accounts)
        return
    found = with_database(context, stats)
    if as_json:
        show_json(as_dict(found))
        return
    show_table(
        MessageCount._fields,
        found.messages,
    )
    for title, counts in (
        ("rows", found.rows),
        ("uplinks by outcome", found.uplinks),
        ("network events", found.events),
        ("quarantine by reason", found.quarantine),
    ):
        typer.echo()
        show_table((title, "count"), counts.items())


def as_dict(found: Stats) -> dict[str, object]:
    """Return the counts as plain JSON values."""
    return found._asdict() | {"messages": {one.kind: one._asdict() for one in found.messages}}
