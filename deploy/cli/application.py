"""The commands, put together."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import (
    accounts,
    alerts,
    audit,
    capacity,
    codecs,
    contacts,
    decoders,
    devices,
    doctor,
    initialise,
    quarantine,
    redecode,
    repair,
    replaying,
    rules,
    schema,
    services,
    simulate,
    statistics,
    tenants,
)

app = typer.Typer(
    name="samara",
    help="Ingest and supervise a territory's LoRaWAN sensors.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a failure is one sentence; a defect is a plain traceback to send
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="Settings file; ./samara.toml if there is one.")] = None,
) -> None:
    context.obj = config


services.add_to(app)
initialise.add_to(app)
schema.add_to(app)
replaying.add_to(app)
repair.add_to(app)
redecode.add_to(app)
statistics.add_to(app)
doctor.add_to(app)
capacity.add_to(app)
app.add_typer(accounts.app, name="accounts")
app.add_typer(audit.app, name="audit")
app.add_typer(tenants.app, name="tenants")
app.add_typer(devices.app, name="devices")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(rules.app, name="rules")
app.add_typer(decoders.app, name="decoders")
app.add_typer(codecs.app, name="codecs")
app.add_typer(simulate.app, name="simulate")
app.add_typer(alerts.app, name="alerts")
app.add_typer(contacts.app, name="contacts")
