"""samara alerts list | show | ack | assign | comment | silence | unsilence | letters | resend."""

from datetime import timedelta
from typing import Annotated

import asyncpg
import typer

from alerting.delivery.wording import explained, title
from deploy.cli.common import moment, show_table, with_database
from deploy.roles import now
from domain.errors import ConfigurationError, NotFoundError
from store.delivery import incidents, reading, silences
from store.delivery.messages import revive
from store.reading.territory import tenant_by_slug

app = typer.Typer(help="What is wrong, what was done about it, and who was told.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(help="The tenant's slug.")]
Number = Annotated[int, typer.Argument(help="The incident's number, as `list` shows it.")]
Who = Annotated[str, typer.Option(help="Who does it, for the record.")]


@app.command("list")
def list_command(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Argument(help="The tenant's slug; none: the network's own.")] = None,
    *,
    past: Annotated[bool, typer.Option(help="Those that are over as well.")] = False,
    text: Annotated[str | None, typer.Option(help="What to look for in site, rule and cause.")] = None,
    since: Annotated[str | None, typer.Option(help="2026-11-01T00:00, UTC unless it says otherwise.")] = None,
) -> None:
    """List incidents, newest first."""
    begin = moment(since, "--since")

    async def work(connection: asyncpg.Connection) -> list[reading.Summary]:
        tenant_id = None if tenant is None else (await tenant_by_slug(connection, tenant)).tenant_id
        is_open = None if past else True
        return await reading.incidents(connection, tenant_id, is_open=is_open, since=begin, text=text)

    show_table(
        ("incident", "severity", "rule", "site", "alerts", "opened", "closed", "acknowledged by", "assigned to"),
        [
            (
                one.incident_id,
                one.severity,
                one.rule_name or one.cause,
                one.site_name,
                one.alerts,
                one.opened_at,
                one.closed_at,
                one.acknowledged_by,
                one.assigned_to,
            )
            for one in with_database(context, work)
        ],
    )


@app.command("show")
def show_command(context: typer.Context, incident: Number) -> None:
    """Show one incident: its alerts in words, what it explains, and what happened to it."""

    async def work(connection: asyncpg.Connection) -> tuple[reading.Incident, list[reading.Happening]]:
        return await reading.incident(connection, incident), await reading.happenings(connection, incident)

    found, events = with_database(context, work)
    typer.echo(f"{title(found, 'en')} ({found.severity}), opened {found.opened_at}")
    for firing in found.firings:
        end = "" if firing.ended_at is None else f", ended {firing.ended_at}"
        where = ", ".join(part for part in (firing.point_name, firing.site_name) if part)
        typer.echo(f"  {where or firing.rule_name}: {explained(firing, 'en')} Since {firing.started_at}{end}")
    for name, count in found.held:
        typer.echo(f"  explains {count} alerts of {name}")
    show_table(("at", "what", "who", "note"), [(one.at, one.kind, one.who, one.note) for one in events])


@app.command("ack")
def ack_command(
    context: typer.Context, tenant: Tenant, incident: Number, who: Who, note: Annotated[str, typer.Option()] = ""
) -> None:
    """Say that somebody takes care of it: reminders and escalation stop."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        await incidents.acknowledge(connection, found.tenant_id, incident, who=who, note=note, now=now())

    with_database(context, work)
    typer.echo(f"incident {incident}: acknowledged")


@app.command("assign")
def assign_command(
    context: typer.Context, tenant: Tenant, incident: Number, to: Annotated[str, typer.Argument()], who: Who
) -> None:
    """Say who is to take care of it."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        await incidents.assign(connection, found.tenant_id, incident, to=to, who=who, now=now())

    with_database(context, work)
    typer.echo(f"incident {incident}: assigned to {to}")


@app.command("comment")
def comment_command(
    context: typer.Context, tenant: Tenant, incident: Number, note: Annotated[str, typer.Argument()], who: Who
) -> None:
    """Write a remark under it."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        await incidents.comment(connection, found.tenant_id, incident, who=who, note=note, now=now())

    with_database(context, work)
    typer.echo(f"incident {incident}: noted")


@app.command("silence")
def silence_command(
    context: typer.Context,
    tenant: Tenant,
    hours: Annotated[float, typer.Argument(help="For how long from now.")],
    reason: Annotated[str, typer.Argument(help="Why, for the record.")],
    who: Who,
    *,
    rule: Annotated[int | None, typer.Option(help="Of one rule.")] = None,
    site: Annotated[int | None, typer.Option(help="At one site.")] = None,
    point: Annotated[int | None, typer.Option(help="At one point.")] = None,
) -> None:
    """Tell nothing for a while; everything is recorded, and what goes on at the end is told."""
    if not 0 < hours <= 24 * 366:
        raise ConfigurationError("HOURS lies between 0 and a year")

    async def work(connection: asyncpg.Connection) -> int:
        found = await tenant_by_slug(connection, tenant)
        return await silences.silence(
            connection,
            found.tenant_id,
            rule_id=rule,
            site_id=site,
            point_id=point,
            since=now(),
            until=now() + timedelta(hours=hours),
            reason=reason,
            who=who,
        )

    typer.echo(f"silence {with_database(context, work)}: begun")


@app.command("unsilence")
def unsilence_command(
    context: typer.Context, tenant: Tenant, silence: Annotated[int, typer.Argument(help="Its number.")]
) -> None:
    """End a silence before its time."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        await silences.end_silence(connection, found.tenant_id, silence, now())

    with_database(context, work)
    typer.echo(f"silence {silence}: ended")


@app.command("letters")
def letters_command(
    context: typer.Context,
    tenant: Tenant,
    *,
    state: Annotated[str | None, typer.Option(help="waiting, sent, dropped, digested, dead.")] = None,
    incident: Annotated[int | None, typer.Option(help="Of one incident.")] = None,
) -> None:
    """List what was sent to whom, and what could not be."""

    async def work(connection: asyncpg.Connection) -> list[reading.Letter]:
        found = await tenant_by_slug(connection, tenant)
        return await reading.letters(connection, found.tenant_id, state=state, incident_id=incident)

    show_table(
        ("letter", "what", "severity", "state", "to", "by", "due", "attempts", "error", "ended"),
        [tuple(one) for one in with_database(context, work)],
    )


@app.command("resend")
def resend_command(
    context: typer.Context, tenant: Tenant, letter: Annotated[int, typer.Argument(help="Its number.")]
) -> None:
    """Send a dead letter after all."""

    async def work(connection: asyncpg.Connection) -> None:
        found = await tenant_by_slug(connection, tenant)
        if not await revive(connection, found.tenant_id, letter, now()):
            raise NotFoundError(f"no dead letter {letter}")

    with_database(context, work)
    typer.echo(f"letter {letter}: on its way")
