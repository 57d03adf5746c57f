"""samara decoders list | show | try | page | check."""

from pathlib import Path
from typing import Annotated

import typer

from decoders.javascript.corpus import NO_EXAMPLES, Checked, check
from decoders.javascript.pool import CodecPool
from decoders.page import models_page
from decoders.registry import Decoder, Registry
from deploy.cli.common import run, show_table
from deploy.parameters import checked, parameters_in
from domain.errors import ConfigurationError, NotFoundError
from domain.quantities import FOREIGN_PREFIX, QUANTITIES
from domain.readings import DECODED, Reading

_MOST_PORT = 255

app = typer.Typer(help="The models of sensor that Samara decodes.", no_args_is_help=True)


@app.command("list")
def list_command() -> None:
    """List the models."""
    show_table(
        ("model", "vendor", "name", "period", "quantities"),
        [
            (model.id, model.vendor, model.name, _seconds(model.period_s), " ".join(model.quantities))
            for model in Registry.load().models
        ],
    )


@app.command("show")
def show_command(model: Annotated[str, typer.Argument(help="Its id, as `samara decoders list` says it.")]) -> None:
    """Show one model: its document, byte map, quantities."""
    decoder = _decoder(model)
    typer.echo((decoder.decode.__globals__["__doc__"] or "").strip())
    typer.echo(f"\nversion {decoder.version}, one frame every {_seconds(decoder.model.period_s)}\n")
    if decoder.constants:
        typer.echo(f"To know of each device (`samara devices set`): {', '.join(decoder.constants)}\n")
    show_table(
        ("quantity", "unit", "kind", "from", "to"),
        [
            (known.name, known.unit, known.kind, f"{known.low:g}", f"{known.high:g}")
            for known in (QUANTITIES[name] for name in decoder.model.quantities)
        ],
    )


@app.command("try")
def try_command(
    model: Annotated[str, typer.Argument(help="Its id, as `samara decoders list` says it.")],
    frame: Annotated[
        list[str],
        typer.Argument(
            metavar="[FPORT] HEX [NAME=VALUE]...",
            help="The FPort it came on (else 1), the frame, and what is known of the device: pulse_weight=10 …",
        ),
    ],
) -> None:
    """Decode one frame."""
    decoder = _decoder(model)
    f_port, payload, known = _frame(frame)
    parameters = parameters_in(known)
    checked(parameters, decoder.constants)
    decoded = Registry([decoder]).decode(model, payload, f_port, parameters=parameters)
    if decoded.outcome != DECODED:
        typer.echo(f"{decoded.outcome}: {decoded.detail}" if decoded.detail else decoded.outcome)
        raise typer.Exit(1)
    show_table(("quantity", "channel", "value", "unit", "age"), [_row(reading) for reading in decoded.readings])
    if decoded.detail:
        typer.echo(decoded.detail)


@app.command("page")
def page_command() -> None:
    """Print docs/models.md."""
    typer.echo(models_page(Registry.load().decoders), nl=False)


@app.command("check")
def check_command(
    directory: Annotated[Path, typer.Argument(help="A checkout of codecs with their examples, or one codec's folder.")],
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that do not pass.")] = False,
) -> None:
    """Run the examples of JavaScript codecs, in any published layout. Exit code 1 if one does not pass."""
    if not directory.is_dir():
        raise ConfigurationError(f"{directory}: there is no such directory")
    count: int = run(_checked(directory, only_failed=failed))
    if count:
        raise typer.Exit(1)


async def _checked(directory: Path, *, only_failed: bool) -> int:
    """Print each codec's report as it comes, then the sums; return how many codecs do not pass."""
    codecs = wrong = examples = passed = without = 0
    async with CodecPool(workers=1) as pool:
        async for one in check(directory, pool):
            if not one.verdicts and one.problem == NO_EXAMPLES:
                without += 1
                if not only_failed:
                    typer.echo(f"none     {one.name}: {one.problem}")
                continue
            codecs += 1
            wrong += not one.ok
            examples += len(one.verdicts)
            passed += one.passed
            if not one.ok or not only_failed:
                _show_checked(one)
    typer.echo(
        f"{codecs - wrong} of {codecs} codecs pass, {passed} of {examples} examples; {without} codecs have no examples"
    )
    if not codecs:
        typer.echo("No codec with examples: the layouts known are in docs/how-to/add-a-codec.md.")
    return wrong


def _show_checked(one: Checked) -> None:
    share = f"{one.passed}/{len(one.verdicts)}"
    notes = "; its answers depend on earlier calls" if one.order_matters else ""
    typer.echo(f"{'pass' if one.ok else 'FAIL'} {share:>7}  {one.name} ({one.layout}){notes}")
    if one.problem:
        typer.echo(f"              {one.problem}")
    for verdict in one.verdicts:
        if not verdict.passed:
            typer.echo(f"              {verdict.name or 'example'}: {verdict.reason}")


def _decoder(model: str) -> Decoder:
    found = Registry.load().decoders.get(model)
    if found is None:
        raise NotFoundError(f"no decoder for {model!r}; `samara decoders list` shows the models")
    return found


def _frame(words: list[str]) -> tuple[int, bytes, list[str]]:
    """Return FPort, payload and parameters. Raises BadParameter."""
    known = [word for word in words if "=" in word]
    f_port, *payload = ["1", *(word for word in words if "=" not in word)][-2:]
    if len(words) - len(known) not in {1, 2} or not f_port.isdecimal() or int(f_port) > _MOST_PORT:
        raise typer.BadParameter(f"{' '.join(words)}: a port up to {_MOST_PORT}, if any, then the frame in hexadecimal")
    try:
        return int(f_port), bytes.fromhex(payload[0]), known
    except ValueError:
        raise typer.BadParameter(f"{payload[0]!r} is not hexadecimal") from None


def _row(reading: Reading) -> tuple[object, ...]:
    known = QUANTITIES.get(reading.quantity.removeprefix(FOREIGN_PREFIX))
    when = reading.measured_at.isoformat() if reading.measured_at else f"{reading.age_s:g} s"
    return reading.quantity, reading.channel, f"{reading.value:.10g}", known.unit if known else "", when


def _seconds(period_s: int | None) -> str:
    return "event" if period_s is None else f"{period_s} s"
