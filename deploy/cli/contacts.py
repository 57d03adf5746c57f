"""samara contacts list | add | test | remove | on-call | escalation: whom a tenant's alerts are told to."""

import json
from typing import Annotated, Any

import asyncpg
import typer

from alerting.contact_rules import LANGUAGES, ContactRules
from alerting.notice import SEVERITIES
from deploy.cli.common import moment, settings_of, show_table, with_database
from deploy.roles import now
from domain.errors import ConfigurationError, NotFoundError
from store.delivery import contacts
from store.delivery.messages import plan_test
from store.reading.territory import tenant_by_slug

app = typer.Typer(help="Whom alerts are told to.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(help="The tenant's slug.")]
Contact = Annotated[int, typer.Argument(help="The contact's number, as `list` shows it.")]


@app.command("list")
def list_command(context: typer.Context, tenant: Tenant) -> None:
    """List a tenant's contacts; addresses are not shown whole."""

    async def work(connection: asyncpg.Connection) -> list[contacts.Contact]:
        found = await tenant_by_slug(connection, tenant)
        return await contacts.contacts_of(connection, [found.tenant_id], now())

    show_table(
        ("contact", "name", "channel", "language", "from", "on call", "preferences"),
        [
            (
                one.contact_id,
                one.name,
                one.channel,
                one.language,
                one.min_severity,
                "now" if one.on_call else ("only" if one.on_call_only else ""),
                json.dumps(dict(one.preferences), sort_keys=True) if one.preferences else "",
            )
            for one in with_database(context, work)
        ],
    )


@app.command("add")
def add_command(
    context: typer.Context,
    tenant: Tenant,
    name: Annotated[str, typer.Argument(help="Who it is, for people.")],
    channel: Annotated[str, typer.Argument(help="email, sms, webhook, mattermost, slack, teams, ntfy, apprise.")],
    target: Annotated[list[str], typer.Argument(help="Where: address=…, number=+33…, url=… secret=…")],
    *,
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    severity: Annotated[str, typer.Option(help="The least that is told: info, warning, critical.")] = "warning",
    on_call_only: Annotated[bool, typer.Option(help="Told during shifts and by escalation alone.")] = False,
    preference: Annotated[
        list[str] | None, typer.Option(help="quiet_from=22:00, quiet_to=07:00, digest=daily, remind_every_s=3600, …")
    ] = None,
) -> None:
    """Add a contact; `samara contacts test` then shows whether it is reached."""
    if language not in LANGUAGES or severity not in SEVERITIES:
        raise ConfigurationError("--language is fr or en; --severity is info, warning or critical")
    address, preferences = _pairs(target), _pairs(preference or [])
    ContactRules(settings_of(context).notifications).check(channel, address, preferences, operator=True)

    async def work(connection: asyncpg.Connection) -> int:
        found = await tenant_by_slug(connection, tenant)
        return await contacts.add_contact(
            connection,
            found.tenant_id,
            name=name,
            channel=channel,
            target=address,
            language=language,
            min_severity=severity,
            on_call_only=on_call_only,
            preferences=preferences,
        )

    typer.echo(f"contact {with_database(context, work)}: added")


@app.command("test")
def test_command(context: typer.Context, tenant: Tenant, contact: Contact) -> None:
    """Send a test message; `samara alerts letters` shows what became of it."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        if not await plan_test(connection, found.tenant_id, contact, now()):
            raise NotFoundError(f"no contact {contact}")

    with_database(context, work)
    typer.echo("a test message is on its way")


@app.command("remove")
def remove_command(context: typer.Context, tenant: Tenant, contact: Contact) -> None:
    """Forget where a contact is reached."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        await contacts.remove_contact(connection, found.tenant_id, contact, now())

    with_database(context, work)
    typer.echo(f"contact {contact}: removed")


@app.command("on-call")
def on_call_command(
    context: typer.Context,
    tenant: Tenant,
    contact: Contact,
    since: Annotated[str, typer.Argument(help="2026-12-24T18:00, UTC unless it says otherwise.")],
    until: Annotated[str, typer.Argument(help="Likewise.")],
) -> None:
    """Put a contact on call."""
    begin, end = moment(since, "SINCE"), moment(until, "UNTIL")
    if begin is None or end is None or begin >= end:
        raise ConfigurationError("SINCE must lie before UNTIL")

    async def work(connection: asyncpg.Connection) -> int:
        found = await tenant_by_slug(connection, tenant)
        return await contacts.add_shift(connection, found.tenant_id, contact, begin, end)

    typer.echo(f"shift {with_database(context, work)}: added")


@app.command("escalation")
def escalation_command(
    context: typer.Context,
    tenant: Tenant,
    steps: Annotated[list[str] | None, typer.Argument(help="30m=CONTACT, 2h=on-call, …; none: no escalation.")] = None,
) -> None:
    """Say whom to tell when nobody has acknowledged after so long. Replaces what was said before."""
    asked = [_step(step) for step in steps or []]

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        await contacts.set_steps(connection, found.tenant_id, asked)

    with_database(context, work)
    typer.echo(f"{tenant}: {len(asked)} steps")


def _step(text: str) -> tuple[int, int | None]:
    after, _, who = text.partition("=")
    units = {"m": 60, "h": 3600}
    if not (after[:-1].isdigit() and after[-1:] in units and (who == "on-call" or who.isdigit())):
        raise ConfigurationError(f"{text}: not a step such as 30m=12 or 2h=on-call")
    return int(after[:-1]) * units[after[-1]], None if who == "on-call" else int(who)


def _pairs(texts: list[str]) -> dict[str, Any]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    if any("=" not in text for text in texts):
        raise ConfigurationError("write name=value, address=mairie@doullens.fr say")
    return pairs
