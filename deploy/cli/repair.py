"""samara repair."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from deploy.cli.common import moment, run, settings_of, show_table
from deploy.database import database
from deploy.roles import now
from deploy.settings import Settings
from domain.errors import ConfigurationError
from ingest.repair.opening import open_archive
from ingest.repair.run import Repair, Report, Source, Span
from ingest.settings import AnySource

_DEFAULT_SPAN: Final = timedelta(days=7)
_SHOWN: Final = 50


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("repair")(repair_command)


def repair_command(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Of this network server alone; all that have `repair`.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="ISO 8601, UTC unless it says; a week ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="ISO 8601, UTC unless it says; now.")] = None,
    device: Annotated[str | None, typer.Option(help="The DevEUI of one device.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Store what is found; without it nothing changes.")] = False,
) -> None:
    """Have frames that never came from the history that their network server keeps."""
    settings = settings_of(context)
    ends_at = moment(until, "--to") or now()
    span = Span(moment(since, "--from") or ends_at - _DEFAULT_SPAN, ends_at, device.lower() if device else None)
    if span.since >= span.until:
        raise ConfigurationError("--from is not before --to")
    complete = [
        _tell(run(_repaired(settings, one, span, apply=apply)), apply=apply) for one in _chosen(settings, source)
    ]
    if not all(complete):
        raise typer.Exit(1)


def _chosen(settings: Settings, name: str | None) -> list[AnySource]:
    chosen = [one for one in settings.ingest.sources if one.repair is not None and name in {None, one.name}]
    if not chosen:
        which = "no source" if name is None else f"no source {name!r}"
        raise ConfigurationError(f"{which} has a `repair` table in the settings (docs/how-to/repair-gaps.md)")
    return chosen


async def _repaired(settings: Settings, source: AnySource, span: Span, *, apply: bool) -> Report:
    assert source.repair is not None
    async with (
        database(settings) as dsn,
        open_archive(
            source.repair, clock=now, sleep=asyncio.sleep, max_message_bytes=settings.ingest.max_message_bytes
        ) as archive,
    ):
        return await Repair(dsn, Source(source.name, source.lns), archive, clock=now, apply=apply).run(span)


def _tell(report: Report, *, apply: bool) -> bool:
    """Print one report; return whether everything was read."""
    worst = sorted(report.devices.values(), key=lambda one: (-one.lost, one.dev_eui))
    if worst:
        show_table(
            ("device", "gaps", "lost", "in the history", "still lost", "first after", "last before"),
            [
                (one.dev_eui, one.gaps, one.lost, one.found, one.left, _text(one.after), _text(one.before))
                for one in worst[:_SHOWN]
            ],
        )
    if len(worst) > _SHOWN:
        typer.echo(f"… and {len(worst) - _SHOWN} other devices")
    said = f"{report.source}: {report.lost} frames lost by {len(worst)} devices, {report.found} in the history"
    said += f"; {report.stored} stored, {report.left} still lost" if apply else ""
    typer.echo(said)
    if report.unreadable:
        done = "set aside, see `samara quarantine list`" if apply else "not readable"
        typer.echo(f"{report.source}: {report.unreadable} messages of the history {done}", err=True)
    if report.stopped:
        typer.echo(f"{report.source}: stopped early: {report.stopped}; run it again later", err=True)
    elif report.found and not apply:
        typer.echo("nothing was stored: add --apply")
    return not report.stopped and not report.unreadable


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
