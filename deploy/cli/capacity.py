"""samara capacity, samara retention."""

import shutil
from typing import Annotated

import asyncpg
import typer

from deploy.cli.common import settings_of, show_json, show_table, with_database
from deploy.forecast import ENOUGH_ROWS, HORIZONS_YEARS, Line, forecast
from domain.errors import ConfigurationError
from store.maintenance.retention import CLASSES, DERIVED, retention, set_retention
from store.migrate import has_timescale
from store.partitions import PARTITIONED
from store.pool import database_now
from store.sizes import Fleet, Size, fleet, sizes

_GIB = 1024**3
_EVER = "ever"
_MEASUREMENTS, _RECEPTIONS = 5.0, 2.0

retention_app = typer.Typer(help="How long telemetry, and what is derived of it, is kept.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("capacity")(capacity_command)
    app.add_typer(retention_app, name="retention")


def capacity_command(
    context: typer.Context,
    *,
    sensors: Annotated[int, typer.Option(min=0, help="Reckon for so many sensors instead of the fleet.")] = 0,
    period_s: Annotated[int, typer.Option(min=1, help="Seconds between two uplinks of these sensors.")] = 900,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for a program.")] = False,
) -> None:
    """Forecast the disk that the fleet takes, from what is stored, what it sends, and how long that is kept."""

    async def work(connection: asyncpg.Connection) -> tuple[Fleet, list[Size], list[Line]]:
        now = await database_now(connection)
        found = await fleet(connection, now, measurements_per_uplink=_MEASUREMENTS, receptions_per_uplink=_RECEPTIONS)
        if sensors:
            per_uplink = found.measurements_per_uplink
            found = found._replace(
                devices=sensors, uplinks_per_day=sensors * 86400 / period_s, series=round(sensors * per_uplink)
            )
        stored, timescale = await sizes(connection), await has_timescale(connection)
        known = {} if timescale else {
            one.relation: one.row_bytes for one in stored if one.row_bytes and one.rows >= ENOUGH_ROWS
        }  # fmt: skip
        return found, stored, forecast(found, known, await retention(connection), timescale=timescale)

    found, stored, lines = with_database(context, work)
    free = shutil.disk_usage(settings_of(context).data_dir.absolute().anchor).free
    if as_json:
        show_json(
            {
                "fleet": found._asdict(),
                "stored": [one._asdict() for one in stored],
                "forecast": [one._asdict() for one in lines],
            }
        )
        return
    typer.echo(
        f"{found.devices} sensors, {found.uplinks_per_day:.0f} uplinks a day, "
        f"{found.measurements_per_uplink:.1f} measurements and {found.receptions_per_uplink:.1f} receptions each"
    )
    now_bytes = {one.relation: one.total_bytes for one in stored}
    years = [f"GiB after {one} y" for one in HORIZONS_YEARS]
    headers = ("relation", "GiB now", "rows a day", "MiB a day", "kept", *years)
    rows = [
        (
            line.relation,
            f"{now_bytes.get(line.relation, 0) / _GIB:.2f}",
            f"{line.rows_per_day:.0f}",
            f"{line.bytes_per_day / 1024**2:.1f}",
            _EVER if line.keep_months is None else f"{line.keep_months} months",
            *(f"{one / _GIB:.1f}" for one in line.bytes_after),
        )
        for line in lines
    ]
    totals = [f"{sum(line.bytes_after[at] for line in lines) / _GIB:.1f}" for at in range(len(HORIZONS_YEARS))]
    show_table(headers, [*rows, ("all", f"{sum(now_bytes.values()) / _GIB:.2f}", "", "", "", *totals)])
    typer.echo(f"{free / _GIB:.1f} GiB are free on this machine's disk, which may not be the database's.")


@retention_app.command("list")
def list_command(context: typer.Context) -> None:
    """List how long each relation, and each class of quantities, is kept."""
    kept = with_database(context, retention)
    show_table(
        ("relation", "kept, whole months"),
        [(one, kept.get(one, _EVER)) for one in (*PARTITIONED, *CLASSES, *DERIVED)],
    )


@retention_app.command("set")
def set_command(
    context: typer.Context,
    relation: Annotated[str, typer.Argument(help="One of `samara retention list`.")],
    months: Annotated[str, typer.Argument(help="Whole months, or `ever`.")],
) -> None:
    """Keep that many whole months from now on. What is older goes within a day, for good."""
    if months != _EVER and not (months.isdecimal() and int(months)):
        raise ConfigurationError(f"{months!r} is not a number of months, nor `ever`")
    if relation not in (*PARTITIONED, *CLASSES, *DERIVED):
        raise ConfigurationError(f"{relation!r} is not one of `samara retention list`")
    with_database(context, set_retention, relation, None if months == _EVER else int(months))
    typer.echo(f"{relation}: kept {months}{'' if months == _EVER else ' months'}")
