"""samara redecode."""

import getpass
import sys
from collections import defaultdict
from datetime import datetime
from typing import Annotated, Final

import asyncpg
import typer

from decoders.registry import Registry
from deploy.cli.common import moment, run, settings_of, show_table, with_database
from deploy.database import database
from deploy.roles import now
from deploy.settings import Settings
from domain.errors import ConfigurationError
from domain.times import EARLIEST
from ingest.redecode.run import Asked, Report, apply, show
from ingest.redecode.tally import ADDED, CHANGED, KEPT, REMOVED, Tally
from store.redecoding_record import Progress, progress

_LISTED: Final = 50


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("redecode")(redecode_command)


def redecode_command(
    context: typer.Context,
    *,
    model: Annotated[str | None, typer.Option(help="All devices of this model.")] = None,
    device: Annotated[str | None, typer.Option(help="The DevEUI of one device.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="ISO 8601, UTC unless it says; the first uplink.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="ISO 8601, UTC unless it says; now.")] = None,
    why: Annotated[str, typer.Option(help="The reason; kept with who asked. Needed with --apply.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Rewrite; without it nothing changes.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="What was decoded again before, by whom and why.")] = False,
) -> None:
    """Decode stored uplinks again with the decoders of today, and show what that changes."""
    if listed:
        _show_records(with_database(context, _records))
        return
    if (model is None) == (device is None):
        raise ConfigurationError("say what: --model or --device")
    if apply and not why.strip():
        raise ConfigurationError("--apply needs --why: the reason is kept with the record")
    asked = Asked(device.lower() if device else None, model, moment(since, "--from") or EARLIEST, moment(until, "--to"))
    report: Report = run(_redecoded(settings_of(context), asked, why.strip() if apply else None))
    _tell(report)


async def _redecoded(settings: Settings, asked: Asked, why: str | None) -> Report:
    async with database(settings) as dsn:
        registry = Registry.load()
        if why is None:
            return await show(dsn, asked, registry=registry, now=now(), on_progress=_progress)
        who = getpass.getuser()
        return await apply(dsn, asked, registry=registry, now=now(), asked_by=who, reason=why, on_progress=_progress)


def _progress(tally: Tally) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{tally.uplinks:,} uplinks")
        sys.stderr.flush()


def _tell(report: Report) -> None:
    tally, record, went_on, names, dev_euis = report
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    show_table(
        ("outcome before", "after", "uplinks"),
        [(before, after, count) for (before, after), count in sorted(tally.outcomes.items())],
    )
    if tally.changes:
        typer.echo()
        show_table(
            ("quantity", "readings before", "after", "added", "removed", "changed"), _quantity_rows(tally, names)
        )
    if tally.samples:
        typer.echo()
        show_table(("device", "time", "quantity", "channel", "before", "after"), _sample_rows(tally, names, dev_euis))
    if tally.refused:
        typer.echo()
        rows = [(name, reason, count) for (name, reason), count in sorted(tally.refused.items())]
        show_table(("quantity", "not stored", "readings"), rows)
    typer.echo(f"\n{tally.uplinks} uplinks of {len(dev_euis)} devices decoded again.")
    if record is None:
        typer.echo("Nothing was changed: add --apply --why '…'.")
    elif went_on:
        said = record.asked_at.isoformat(timespec="seconds")
        typer.echo(f"Record {record.redecoding_id}, begun {said} by {record.asked_by}, taken up where it had stopped.")
    else:
        typer.echo(f"Record {record.redecoding_id}; `samara redecode --list` shows it.")


def _quantity_rows(tally: Tally, names: dict[int, str]) -> list[tuple[object, ...]]:
    counts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys((KEPT, ADDED, REMOVED, CHANGED), 0))
    for (quantity_id, kind), count in tally.changes.items():
        counts[quantity_id][kind] = count
    return sorted(
        (
            names[quantity_id],
            one[KEPT] + one[CHANGED] + one[REMOVED],
            one[KEPT] + one[CHANGED] + one[ADDED],
            one[ADDED],
            one[REMOVED],
            one[CHANGED],
        )
        for quantity_id, one in counts.items()
    )


def _sample_rows(tally: Tally, names: dict[int, str], dev_euis: dict[int, str]) -> list[tuple[object, ...]]:
    return [
        (
            dev_euis[one.device_id],
            one.measured_at.isoformat(timespec="seconds"),
            names[one.quantity_id],
            one.channel,
            "" if one.before is None else f"{one.before:.10g}",
            "" if one.after is None else f"{one.after:.10g}",
        )
        for kind in sorted(tally.samples)
        for one in tally.samples[kind]
    ]


async def _records(connection: asyncpg.Connection) -> list[Progress]:
    return await progress(connection, _LISTED)


def _show_records(records: list[Progress]) -> None:
    show_table(
        ("record", "asked", "by", "why", "what", "from", "to", "devices", "uplinks", "added", "removed", "changed",
         "not stored", "finished"),
        [
            (
                one.record.redecoding_id,
                _text(one.record.asked_at),
                one.record.asked_by,
                one.record.reason,
                one.record.dev_eui or one.record.model_id,
                _text(one.record.since),
                _text(one.record.until),
                f"{one.done}/{one.devices}",
                one.uplinks,
                one.added,
                one.removed,
                one.changed,
                one.refused,
                _text(one.record.finished_at),
            )
            for one in records
        ],
    )  # fmt: skip


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
