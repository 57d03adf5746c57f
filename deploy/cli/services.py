"""samara demo."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy import logs
from deploy.cli.common import run, settings_of

_CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "lns"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("demo")(demo_command)


def demo_command(
    context: typer.Context,
    captures: Annotated[
        Path | None, typer.Option(help="A directory with captures (chirpstack_v4*.ndjson[.gz]) to replay.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=0, help="How much past to make at the first start; fourteen months otherwise.")
    ] = None,
) -> None:
    """Show everything on this machine: database, broker, simulated sensors. Ctrl-C stops it all."""
    from deploy.demo import demo, say_to_stdout  # noqa: PLC0415 - no other command needs simulators

    settings = settings_of(context)
    if "level" not in settings.log.model_fields_set:
        logs.configure(settings.log.format, "warning")
    directory = captures or _CAPTURES
    files = tuple(sorted(directory.glob("chirpstack_v4*.ndjson*")))
    run(demo(settings, files, None if days is None else timedelta(days=days), say_to_stdout))
