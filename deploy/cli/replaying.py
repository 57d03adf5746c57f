"""samara replay."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from deploy.cli.common import run, settings_of
from deploy.database import broker_directory
from deploy.embedded.broker import EmbeddedBroker, running
from deploy.settings import Settings
from domain.errors import ConfigurationError
from simulators import replay as player
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("replay")(replay_command)


def replay_command(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(help='Lines of {"topic": …, "payload": …}, plain or gzip; - is the standard input.')
    ],
    speed: Annotated[str, typer.Option(help="1 is as it happened, 60 a minute a second, max all at once.")] = "max",
    broker: Annotated[
        str, typer.Option(help="mqtt[s]://[user[:password]@]host[:port]; by default the embedded one.")
    ] = "",
    *,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times so that the last message is of now.")
    ] = False,
) -> None:
    """Publish captured messages again."""
    settings = settings_of(context)
    address = BrokerAddress.from_url(broker) if broker else embedded_broker(settings)
    with Progress(
        TextColumn("{task.fields[published]:>9,} published {task.fields[acknowledged]:>9,} acknowledged"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("", total=1.0, published=0, acknowledged=0)

        def tell(now: player.Progress) -> None:
            bar.update(task, completed=now.fraction, published=now.published, acknowledged=now.acknowledged)

        report = run(
            player.replay(
                files,
                address,
                clock=SystemClock(),
                speed=_speed(speed),
                shift_to_now=shift_to_now,
                on_progress=tell,
            )
        )
    _tell(report)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ConfigurationError(f"--speed {text}: a number above 0, or max")
    return speed


def embedded_broker(settings: Settings) -> BrokerAddress:
    """Return the broker that runs embedded here; raise ConfigurationError if none does."""
    access = running(broker_directory(settings))
    if access is None:
        raise ConfigurationError("no embedded broker runs here: say which with --broker mqtt://host:port")
    return BrokerAddress(host=EmbeddedBroker.host, **access._asdict())


def _tell(report: player.ReplayReport) -> None:
    rate = report.messages / report.seconds if report.seconds else 0.0
    typer.echo(
        f"{report.messages} messages published, {report.acknowledged} acknowledged, "
        f"in {report.seconds:.1f} s ({rate:.0f}/s)"
    )
    for problem in report.problems:
        typer.echo(f"{problem.file}:{problem.line}: {problem.reason}", err=True)
    if report.skipped:
        typer.echo(f"{report.skipped} lines skipped: they are not messages", err=True)
