"""samara quarantine list | show | replay."""

import sys
from typing import Annotated, Final

import asyncpg
import typer

from deploy.cli.common import run, settings_of, show_table, with_database
from deploy.database import database
from deploy.roles import now
from deploy.settings import Settings
from domain.errors import ConfigurationError
from domain.quarantine import REASONS
from ingest.replaying import Replayed, replay
from store.pool import connect
from store.quarantine import Quarantined, one_quarantined, quarantined

app = typer.Typer(help="What was set aside instead of stored, and why.", no_args_is_help=True)

_AT_ONCE: Final = 500

Reason = Annotated[str | None, typer.Option(help=f"Of this reason alone: {', '.join(REASONS)}.")]
DevEui = Annotated[str | None, typer.Option(help="Of this device alone.")]


@app.command("list")
def list_command(
    context: typer.Context,
    *,
    reason: Reason = None,
    dev_eui: DevEui = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Those replayed already, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """List what is in quarantine, oldest first."""

    async def work(connection: asyncpg.Connection) -> list[Quarantined]:
        return await quarantined(connection, reason=_known(reason), dev_eui=dev_eui, replayed_too=replayed, limit=limit)

    show_table(
        ("number", "first", "last", "times", "source", "reason", "detail", "topic"),
        [
            (
                one.quarantine_id,
                one.first_at.isoformat(timespec="seconds"),
                one.last_at.isoformat(timespec="seconds"),
                one.times,
                one.source,
                one.reason,
                one.detail[:100],
                one.topic,
            )
            for one in with_database(context, work)
        ],
    )


@app.command("show")
def show_command(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="As `samara quarantine list` says it.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The message alone, byte for byte.")] = False,
) -> None:
    """Show one message, why it was set aside, and what to do."""
    one = with_database(context, one_quarantined, number)
    if raw:
        sys.stdout.buffer.write(one.message)
        return
    shown = one._asdict() | {"remedy": REASONS.get(one.reason, "")}
    del shown["message"]
    for name, value in shown.items():
        typer.echo(f"{name}: {'' if value is None else value}")
    typer.echo(f"\n{one.message.decode('utf-8', 'backslashreplace')}{'' if one.is_whole else ' …'}")


@app.command("replay")
def replay_command(
    context: typer.Context,
    numbers: Annotated[list[int] | None, typer.Argument(help="As `samara quarantine list` says them.")] = None,
    *,
    reason: Reason = None,
    dev_eui: DevEui = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever is in quarantine.")] = False,
) -> None:
    """Store again what was set aside: after a device was declared, a decoder or a range mended."""
    if not (numbers or reason or dev_eui or everything):
        raise ConfigurationError("say which: numbers, --reason, --dev-eui or --all")
    counts = run(_replayed(settings_of(context), numbers, _known(reason), dev_eui))
    typer.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
    if counts["refused again"]:
        raise typer.Exit(1)


async def _replayed(
    settings: Settings, numbers: list[int] | None, reason: str | None, dev_eui: str | None
) -> dict[str, int]:
    counts = {"stored": 0, "stored before": 0, "refused again": 0, "not kept whole": 0}
    after = 0
    async with database(settings) as dsn:
        connection = await connect(dsn, application="samara-quarantine")
        try:
            while chosen := await quarantined(
                connection, reason=reason, dev_eui=dev_eui, ids=numbers, after=after, limit=_AT_ONCE
            ):
                after = chosen[-1].quarantine_id
                async for one in replay(dsn, chosen, clock=now):
                    counts[_outcome(one)] += 1
        finally:
            await connection.close()
    return counts


def _outcome(one: Replayed) -> str:
    if one.written is None:
        return "not kept whole"
    if one.written.quarantined:
        return "refused again"
    return "stored" if one.written.stored else "stored before"


def _known(reason: str | None) -> str | None:
    if reason is not None and reason not in REASONS:
        raise ConfigurationError(f"--reason {reason}: one of {', '.join(REASONS)}")
    return reason
