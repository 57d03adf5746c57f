"""samara devices list | import | show | set | gaps."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import typer

from decoders.registry import Registry
from deploy.cli.common import moment, show_json, show_table, with_database
from deploy.declaring import Told, declare
from deploy.inventory import COLUMNS, Listed, RowError, read
from deploy.pages import everything
from deploy.parameters import checked, constants_of, parameters_in
from deploy.roles import now
from domain.errors import ConfigurationError
from store.gaps import DeviceGaps, gaps
from store.parameters import change_parameters, device_known
from store.reading.network import Device, devices
from store.reading.territory import tenant_by_slug, tenants

app = typer.Typer(help="The sensors.", no_args_is_help=True)

_GAPS_SPAN: Final = timedelta(days=7)


@app.command("list")
def list_command(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant alone, by its slug.")] = None,
) -> None:
    """List the devices."""

    async def work(connection: asyncpg.Connection) -> list[tuple[str, Device]]:
        if tenant:
            chosen = [await tenant_by_slug(connection, tenant)]
        else:
            chosen = await everything(lambda after: tenants(connection, after=after))
        return [(one.slug, device) for one in chosen for device in await _devices_of(connection, one.tenant_id)]

    show_table(
        ("dev_eui", "tenant", "name", "model", "last seen", "RSSI", "SNR"),
        [
            (
                device.dev_eui,
                slug,
                device.name,
                device.model_id,
                device.last_seen_at and device.last_seen_at.isoformat(timespec="seconds"),
                device.rssi_dbm,
                device.snr_db,
            )
            for slug, device in with_database(context, work)
        ],
    )


async def _devices_of(connection: asyncpg.Connection, tenant_id: int) -> list[Device]:
    return await everything(lambda after: devices(connection, tenant_id, after=after))


@app.command("import", help=f"Declare the devices of a list; again, nothing changes. Columns: {', '.join(COLUMNS)}.")
def import_command(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV of a spreadsheet, or one JSON object a line; - is standard input.")],
    tenant: Annotated[str, typer.Option(help="The tenant of lines that name none.")] = "",
) -> None:
    """Declare the devices of a list. Doing it again changes nothing."""
    rows = list(read(_content(file), tenant))
    listed = [row for row in rows if isinstance(row, Listed)]
    models = {row.line: row.model for row in listed}

    async def work(connection: asyncpg.Connection) -> list[Told]:
        return [told async for told in declare(connection, listed, now())]

    told = with_database(context, work)
    problems = [(row.line, row.reason) for row in rows if isinstance(row, RowError)]
    problems += [(one.line, f"{one.dev_eui}: {one.problem}") for one in told if one.problem]
    for line, reason in sorted(problems):
        typer.echo(f"{file}:{line}: {reason}", err=True)
    for one in told:
        if models[one.line] and one.model_id is None and not one.problem:
            typer.echo(f"{file}:{one.line}: {one.dev_eui}: no decoder for {models[one.line]!r} yet", err=True)
    typer.echo(f"{sum(not one.problem for one in told)} devices declared, {len(problems)} lines refused")
    if problems:
        raise typer.Exit(1)


@app.command("show")
def show_command(context: typer.Context, device: Annotated[str, typer.Argument(help="Its DevEUI.")]) -> None:
    """Show a device, and what its decoder knows of it."""
    found = with_database(context, device_known, device.lower())
    name, model = found.name or "(no name)", found.model_id or "unknown"
    typer.echo(f"{found.dev_eui}  {name}, tenant {found.tenant}, model {model}")
    for parameter, value in sorted(found.parameters.items()):
        typer.echo(f"  {parameter}={value}")
    missing = [one for one in constants_of(Registry.load(), found.model_id) if one not in found.parameters]
    if missing:
        typer.echo(f"  its decoder would also need {', '.join(missing)}: `samara devices set`")


@app.command("set")
def set_command(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Its DevEUI.")],
    parameters: Annotated[list[str], typer.Argument(help="pulse_weight=10 pulse_unit=L, say; name= removes.")],
) -> None:
    """Tell what decoding needs to know of a device: the weight of its pulses, a constant of its probe."""
    removed = [word[:-1] for word in parameters if word.endswith("=")]
    given = parameters_in(word for word in parameters if not word.endswith("="))

    async def work(connection: asyncpg.Connection) -> list[str]:
        found = await device_known(connection, device.lower())
        after = {name: value for name, value in found.parameters.items() if name not in removed} | given
        remarks = checked(after, constants_of(Registry.load(), found.model_id))
        await change_parameters(connection, found.dev_eui, given, removed)
        return remarks

    for remark in with_database(context, work):
        typer.echo(remark)
    typer.echo(f"{device.lower()}: set; `samara redecode --device {device.lower()}` applies it to what came before")


@app.command("gaps")
def gaps_command(
    context: typer.Context,
    *,
    since: Annotated[str | None, typer.Option("--from", help="ISO 8601, UTC unless it says; a week ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="ISO 8601, UTC unless it says; now.")] = None,
    device: Annotated[str | None, typer.Option(help="The DevEUI of one device.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects, for a program.")] = False,
) -> None:
    """List the frames that never came, by the frame counters: lost in the air, or by a broker that was killed."""
    ends_at = moment(until, "--to") or now()
    begins_at = moment(since, "--from") or ends_at - _GAPS_SPAN

    async def work(connection: asyncpg.Connection) -> list[DeviceGaps]:
        dev_eui = device.lower() if device else None
        return [one async for one in gaps(connection, source=None, since=begins_at, until=ends_at, dev_eui=dev_eui)]

    found = [(one.dev_eui, *gap) for one in with_database(context, work) for gap in one.gaps]
    names = ("dev_eui", "frames", "after", "before")
    if as_json:
        show_json([dict(zip(names, row, strict=True)) for row in found])
        return
    show_table(names, [(*row[:2], *(at.isoformat(timespec="seconds") for at in row[2:])) for row in found])
    typer.echo(f"{sum(row[1] for row in found)} frames of {len({row[0] for row in found})} devices never came")


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
