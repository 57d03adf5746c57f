"""The commands, put together."""

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
    grafana,
    initialise,
    keys,
    network,
    quarantine,
    redecode,
    repair,
    replaying,
    rules,
    schema,
    services,
    serving,
    simulate,
    statistics,
    tenants,
)
from deploy.cli.root import new_app

app = new_app()

services.add_to(app)
serving.add_to(app)
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
app.add_typer(keys.app, name="keys")
app.add_typer(grafana.app, name="grafana")
app.add_typer(tenants.app, name="tenants")
app.add_typer(tenants.app, name="tenant", hidden=True)  # as one says it of one
app.add_typer(devices.app, name="devices")
app.add_typer(network.app, name="network")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(rules.app, name="rules")
app.add_typer(decoders.app, name="decoders")
app.add_typer(codecs.app, name="codecs")
app.add_typer(simulate.app, name="simulate")
app.add_typer(alerts.app, name="alerts")
app.add_typer(contacts.app, name="contacts")
