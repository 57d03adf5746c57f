"""samara init."""

import os
import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from deploy.initialising import MOSQUITTO_UID, Asked, installation
from deploy.roles import now
from domain.errors import ConfigurationError
from ingest import lns


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("init")(init_command)


def init_command(
    directory: Annotated[Path, typer.Argument(help="Where to write; made if it does not exist.")],
    domain: Annotated[str, typer.Option(help="The name under which people reach the pages.")],
    network_server: Annotated[
        list[str] | None, typer.Option(help="NAME=KIND, once for each network server that speaks MQTT.")
    ] = None,
) -> None:
    """Write what an installation in containers needs: compose.yaml, .env with new secrets, settings, Mosquitto's."""
    servers = dict(_pair(one) for one in network_server or ["chirpstack=chirpstack"])
    made = installation(
        Asked(domain, servers),
        {name: server.TOPICS for name, server in lns.load().items()},
        now=now(),
        secret=secrets.token_bytes,
        version=version("samara"),
    )
    there = [path for path in made if (directory / path).exists()]
    if there:
        raise ConfigurationError(f"{directory}: {', '.join(there)} is there already; nothing was written")
    for path, file in made.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=file.mode)
        target.write_bytes(file.content)
        if file.owner and os.geteuid() == 0:
            os.chown(target, file.owner, file.owner)
    typer.echo(f"{directory}: written. Next: cd {directory} && docker compose up --detach")
    if os.geteuid() != 0:
        theirs = " ".join(path for path, file in made.items() if file.owner)
        typer.echo(f"First, for Mosquitto's user to read its files: sudo chown {MOSQUITTO_UID} {theirs}")
    typer.echo("Give each network server its MQTT_PASSWORD_… of .env, mosquitto/ca.pem, and port 8883.")


def _pair(text: str) -> tuple[str, str]:
    name, sign, kind = text.partition("=")
    if not sign:
        raise ConfigurationError(f"--network-server {text}: it should be NAME=KIND, such as chirpstack=chirpstack")
    return name, kind
