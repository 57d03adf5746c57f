"""samara serve."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from deploy.cli.common import run, settings_of
from deploy.serving import serve
from deploy.workers import serve_workers
from domain.errors import ConfigurationError


class Role(StrEnum):
    """What a process can do."""

    INGEST = "ingest"
    API = "api"
    MAINTENANCE = "maintenance"
    ALERTING = "alerting"
    DELIVERY = "delivery"
    PROVISIONING = "provisioning"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("serve")(serve_command)


def serve_command(
    context: typer.Context,
    roles: Annotated[list[Role] | None, typer.Argument(help="All of them by default.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of `ingest`, by shared subscription.")] = 1,
) -> None:
    """Receive, store and show, until SIGINT or SIGTERM."""
    settings = settings_of(context)
    if workers > 1:
        if roles != [Role.INGEST]:
            raise ConfigurationError("--workers is for `samara serve ingest`: serve the other roles apart")
        run(serve_workers(settings, context.find_root().obj, os.environ, workers))
        return
    run(serve(settings, frozenset(role.value for role in roles or Role)))
