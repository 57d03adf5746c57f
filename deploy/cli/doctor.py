"""samara doctor."""

from typing import Annotated

import typer

from deploy.cli.common import run, settings_of, show_json
from deploy.findings import Finding, worst
from deploy.roles import now
from deploy.settings import Settings
from domain.errors import ConfigurationError

_SIGNS = {"ok": "ok     ", "warning": "WARNING", "wrong": "WRONG  "}


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("doctor")(doctor_command)


def doctor_command(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for a program.")] = False,
) -> None:
    """Check settings, database, brokers, clock and disk, and say what to do. Exit code 1 if something is wrong."""
    try:
        settings = settings_of(context)
    except ConfigurationError as error:
        findings = [Finding("settings", "wrong", line, "see deploy/samara.example.toml") for line in _lines(error)]
        _show(findings, as_json=as_json)
        raise typer.Exit(1) from None
    findings = [Finding("settings", "ok", "complete"), *run(_examined(settings))]
    _show(findings, as_json=as_json)
    raise typer.Exit(1 if worst(findings) == "wrong" else 0)


async def _examined(settings: Settings) -> list[Finding]:
    from deploy.doctor import examine  # noqa: PLC0415 - no other command needs what it asks with

    return [finding async for finding in examine(settings, now())]


def _lines(error: ConfigurationError) -> list[str]:
    return str(error).splitlines()


def _show(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        show_json([finding._asdict() for finding in findings])
        return
    for finding in findings:
        typer.echo(f"{_SIGNS[finding.verdict]}  {finding.subject}: {finding.said}")
        if finding.advice:
            typer.echo(f"         -> {finding.advice}")
