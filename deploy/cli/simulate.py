"""samara simulate run | judge | scenarios | plan | radio."""

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from deploy.cli.common import run, settings_of, show_table
from deploy.cli.replaying import embedded_broker
from deploy.database import database
from deploy.roles import now
from deploy.settings import Settings
from domain.errors import ConfigurationError
from simulators import scenarios
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.load import spec as load_spec
from simulators.load.spec import LoadSpec, Publishing
from store.pool import connect
from store.reading.links import heard_links

app = typer.Typer(help="Load-test the platform, and plan the network.", no_args_is_help=True)

Out = Annotated[Path | None, typer.Option("--out", help="Where reports go; ./<name>-report by default.")]
Dsn = Annotated[str, typer.Option(help="The platform's database; that of the settings by default.")]
Quiet = Annotated[float, typer.Option(min=0, help="Judge once nothing more was stored for so many seconds.")]


@app.command("scenarios")
def scenarios_command() -> None:
    """List the scenarios that come with Samara."""
    show_table(("name", "what"), scenarios.shipped().items())


@app.command("run")
def run_command(
    context: typer.Context,
    scenario: Annotated[str, typer.Argument(help="A TOML file, or the name of one of `samara simulate scenarios`.")],
    *,
    broker: Annotated[
        str, typer.Option(help="mqtt[s]://[user[:password]@]host[:port]; by default the embedded one.")
    ] = "",
    http: Annotated[str, typer.Option(help="The URL of a webhook instead: http://host/ingest/<source>.")] = "",
    secret: Annotated[str, typer.Option(help="The webhook's secret.", envvar="SAMARA_SIMULATE_SECRET")] = "",
    speed: Annotated[float | None, typer.Option(help="Instead of the scenario's: 1 to 1000; 0 all at once.")] = None,
    rate: Annotated[float | None, typer.Option(help="Instead of a speed: uplinks a second.")] = None,
    declare: Annotated[
        bool, typer.Option("--declare", help="Declare the devices first, under the tenant `simulateur`.")
    ] = False,
    judge: Annotated[
        bool, typer.Option("--judge", help="Compare with what is stored; exit 1 if an obligation is broken.")
    ] = False,
    dsn: Dsn = "",
    quiet_s: Quiet = 10.0,
    out: Out = None,
) -> None:
    """Publish a load as network servers would, with faults, and keep an exact account of it."""
    _need_numpy()
    from deploy import simulating  # noqa: PLC0415 - NumPy is an extra: other commands work without
    from simulators.load import report  # noqa: PLC0415

    settings = _with_dsn(settings_of(context), dsn)
    spec, publishing = _read(scenarios.find(scenario), speed, rate)
    target: BrokerAddress | str = http or (BrokerAddress.from_url(broker) if broker else embedded_broker(settings))
    folder = out or Path(f"{spec.name}-report")
    folder.mkdir(parents=True, exist_ok=True)
    if declare or judge:
        run(_declared(settings, spec, declare=declare))
    with _bar() as bar:
        task = bar.add_task("", total=spec.uplinks, published=0)
        published = run(
            simulating.publish(
                spec,
                publishing,
                target,
                folder / "ledger",
                clock=SystemClock(),
                headers={"Authorization": f"Bearer {secret}"} if secret else {},
                on_progress=lambda at: bar.update(task, completed=at.messages, published=at.messages),
            )
        )
    verdict = run(_judged(settings, folder / "ledger", quiet_s, publishing)) if judge else None
    report.write(spec, publishing, published, verdict, folder)
    _tell(report.headline(published, verdict), verdict, folder)
    if not published.valid or (verdict is not None and verdict.broken):
        raise typer.Exit(1)


@app.command("judge")
def judge_command(
    context: typer.Context,
    scenario: Annotated[str, typer.Argument(help="The scenario that was run.")],
    ledger: Annotated[Path, typer.Argument(help="The ledger that the run left in its report's folder.")],
    *,
    dsn: Dsn = "",
    quiet_s: Quiet = 0.0,
    out: Out = None,
) -> None:
    """Judge an earlier run again: exit 1 if an obligation is broken."""
    _need_numpy()
    from simulators.load import report  # noqa: PLC0415

    settings = _with_dsn(settings_of(context), dsn)
    spec, publishing = _read(scenarios.find(scenario), None, None)
    verdict = run(_judged(settings, ledger, quiet_s, publishing))
    folder = out or ledger.parent
    report.write(spec, publishing, None, verdict, folder)
    _tell(report.headline(None, verdict), verdict, folder)
    if verdict.broken:
        raise typer.Exit(1)


@app.command("plan")
def plan_command(
    context: typer.Context,
    territory: Annotated[
        str, typer.Argument(help="`somme`, a CSV of communes, or a TOML scenario with a table [plan].")
    ] = "somme",
    *,
    antennas: Annotated[int | None, typer.Option(help="How many to place.")] = None,
    candidates: Annotated[Path | None, typer.Option(help="CSV of sites; else the middle of each commune.")] = None,
    existing: Annotated[Path | None, typer.Option(help="CSV of antennas that stand.")] = None,
    other: Annotated[Path | None, typer.Option(help="CSV of a plan B to compare with.")] = None,
    receptions: Annotated[Path | None, typer.Option(help="A capture with distances, to calibrate on.")] = None,
    heard_days: Annotated[
        int, typer.Option(help="Calibrate on what the platform's gateways heard in so many last days.", min=0)
    ] = 0,
    dsn: Dsn = "",
    elevation: Annotated[
        Path | None, typer.Option(help="How high the ground is: an ASCII grid (.asc), a folder of them, or a CSV.")
    ] = None,
    path_loss: Annotated[str | None, typer.Option(help="petajajarvi-2015, hata-rural, …, or calibrated.")] = None,
    walls_db: Annotated[float | None, typer.Option(help="What walls cost.")] = None,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    out: Out = None,
) -> None:
    """Place antennas: coverage, capacity, what each adds, and how far the answer moves with its assumptions."""
    _need_numpy()
    from simulators.plan import report, spec  # noqa: PLC0415 - see above
    from simulators.plan import run as planning  # noqa: PLC0415

    path = Path(territory)
    read = spec.read(path) if path.suffix == ".toml" else spec.PlanSpec(name=path.stem, territory=territory)
    files = {
        "candidates": candidates, "existing": existing, "other": other, "receptions": receptions,
        "elevation": elevation,
    }  # fmt: skip
    values: dict[str, Any] = {"antennas": antennas, "path_loss": path_loss, "walls_db": walls_db}
    values |= {name: str(file.resolve()) for name, file in files.items() if file is not None}
    chosen = replace(read, **{name: value for name, value in values.items() if value is not None})
    folder = out or Path(f"{chosen.name}-plan")
    fit = run(_calibrated(_with_dsn(settings_of(context), dsn), heard_days, chosen.eirp_dbm)) if heard_days else None
    planned = planning.plan(chosen, path.parent if path.suffix == ".toml" else Path(), fit=fit)
    report.write(planned, folder, language)
    typer.echo(report.told(planned, language))
    typer.echo(f"{folder}/plan.html, plan.md, plan.json, cells.geojson, communes.geojson, antennas.geojson, map_*.png")


@app.command("radio")
def radio_command(
    scenario: Annotated[str, typer.Argument(help="A TOML file, or `amiens`, which shows how.")],
    *,
    dask: Annotated[str, typer.Option(help="A Dask scheduler's address, or `local`: one worker a core.")] = "",
    outcomes: Annotated[
        bool, typer.Option("--outcomes", help="Also write each frame and who received it, for a load.")
    ] = False,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    out: Out = None,
) -> None:
    """Simulate the air of a territory: what becomes of each frame, and why."""
    _need_numpy()
    from simulators.radio import placing, report, world  # noqa: PLC0415 - see above
    from simulators.radio import run as running  # noqa: PLC0415
    from simulators.radio import scenario as scenarios_of_radio  # noqa: PLC0415

    path = scenarios_of_radio.find(scenario)
    radio = scenarios_of_radio.read(path)
    folder = out or Path(f"{path.stem}-radio")
    if dask:
        if outcomes:
            raise ConfigurationError("--outcomes and --dask: one or the other")
        made, result = _on_a_cluster(placing.place(radio, path.parent), dask)
        dialogue = None
    else:
        made = world.prepare(radio, path.parent)
        result, dialogue = running.run(made, folder / "outcomes" if outcomes else None)
    said = report.write(made, result, dialogue, folder, language)
    typer.echo(report.lead(said, language))
    typer.echo(f"{folder}/report.html, report.md, report.json" + (", outcomes/" if outcomes else ""))


def _on_a_cluster(placed: Any, address: str) -> Any:
    if find_spec("distributed") is None:
        raise ConfigurationError("--dask needs Dask: pip install 'samara[cluster]'")
    from distributed import Client  # noqa: PLC0415 - an extra of its own

    from simulators.radio import cluster, jit  # noqa: PLC0415

    where: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None} if address == "local" else {}
    with Client(address=None if address == "local" else address, **where) as client:  # type: ignore[no-untyped-call]
        if address == "local":
            client.run(jit.set_threads, 1)  # a worker is a core
        return cluster.run(placed, client)


async def _calibrated(settings: Settings, days: int, eirp_dbm: float) -> Any:
    from simulators.plan import calibration  # noqa: PLC0415 - see above

    async with database(settings) as dsn:
        connection = await connect(dsn, application="samara-simulate")
        try:
            heard = await heard_links(connection, now() - timedelta(days=days), now())
        finally:
            await connection.close()
    links = [
        calibration.Link(
            calibration.distance_m(
                one.latitude_deg, one.longitude_deg, one.gateway_latitude_deg, one.gateway_longitude_deg
            ),
            one.frames,
            one.median_dbm,
            one.weakest_dbm,
        )
        for one in heard
    ]
    return calibration.fit_links(links, eirp_dbm=eirp_dbm)


def _need_numpy() -> None:
    if find_spec("numpy") is None:
        raise ConfigurationError(
            "the simulators need NumPy and Numba: in Samara's folder, pip install --editable '.[simulate]'"
        )


def _with_dsn(settings: Settings, dsn: str) -> Settings:
    """Return the settings, with the database of the option if it says one."""
    if not dsn:
        return settings
    return Settings(**settings.model_dump() | {"database": {"dsn": dsn}})


def _read(path: Path, speed: float | None, rate: float | None) -> tuple[LoadSpec, Publishing]:
    if speed is not None and rate is not None:
        raise ConfigurationError("--speed and --rate: one or the other")
    changed: dict[str, Any] = {} if speed is None else {"speed": speed, "rate": 0.0}
    changed |= {} if rate is None else {"rate": rate}
    from simulators.load import heard  # noqa: PLC0415 - see above

    spec = heard.prepared(replace(load_spec.read(path), **changed), path.parent)
    if not load_spec.says_when(path):
        spec = load_spec.ending_now(spec, now())
    return spec, load_spec.read_publishing(path)


async def _declared(settings: Settings, spec: LoadSpec, *, declare: bool) -> None:
    """Declare the devices, or say that some are not: their frames would count as lost."""
    from deploy import simulating  # noqa: PLC0415 - see above

    async with database(settings) as dsn:
        connection = await connect(dsn, application="samara-simulate")
        try:
            if declare:
                await simulating.declare(connection, spec, now())
            elif unknown := await simulating.undeclared(connection, spec):
                typer.echo(f"{unknown} of {spec.devices} devices are not declared: add --declare", err=True)
        finally:
            await connection.close()


async def _judged(settings: Settings, book: Path, quiet_s: float, publishing: Publishing) -> Any:
    from deploy import simulating  # noqa: PLC0415 - see above

    late_after_s = publishing.late_after_s or None
    async with database(settings) as dsn:
        return await simulating.until_judged(dsn, book, clock=SystemClock(), quiet_s=quiet_s, late_after_s=late_after_s)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.fields[published]:>11,} published"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _tell(sentence: str, verdict: Any, folder: Path) -> None:
    from simulators.load.judge import told  # noqa: PLC0415 - see above

    if verdict is not None:
        typer.echo(told(verdict))
    typer.echo(sentence)
    typer.echo(f"{folder}/report.html, report.md, report.json")
