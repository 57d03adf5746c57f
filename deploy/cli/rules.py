"""samara rules list | add | test | backtest | enable | disable | template | hours | tag."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import asyncpg
import typer

from alerting import managing, rule_tests
from alerting.backtest import as_json, summary
from alerting.rules import OpeningHours, What
from deploy.cli.common import settings_of, show_json, show_table, with_database
from deploy.pages import everything
from deploy.roles import now
from domain.errors import ConfigurationError, NotFoundError
from store.alerting.rules import RuleRow, rules, set_calendar
from store.alerting.subjects import is_foreign
from store.alerting.tags import set_tag
from store.reading.territory import Site, Tenant, sites, tenant_by_slug

app = typer.Typer(help="What to watch, and what is told.", no_args_is_help=True)

_Tenant = Annotated[str, typer.Option(help="The tenant, by its slug.")]
_Number = Annotated[int, typer.Argument(help="The rule's number, as `samara rules list` shows it.")]
_LANGUAGE: Literal["fr"] = "fr"
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9:_-]{0,62}")


@app.command("list")
def list_command(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant alone, by its slug.")] = None,
) -> None:
    """List the rules, each with what it does."""

    async def work(connection: asyncpg.Connection) -> list[RuleRow]:
        chosen = None if tenant is None else (await tenant_by_slug(connection, tenant)).tenant_id
        return await rules(connection, chosen)

    show_table(
        ("rule", "enabled", "backtested", "severity", "name", "what it does"),
        [
            (
                one.rule_id,
                "yes" if one.enabled else "no",
                "no" if one.backtest is None else f"{json.loads(one.backtest).get('count', 0)} firings",
                one.severity,
                one.name,
                managing.definition_of(one).sentence(What(""), _LANGUAGE),
            )
            for one in with_database(context, work)
        ],
    )


@app.command("add")
def add_command(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="threshold, silent_sensor, night_flow, …: docs/alerting.md lists them.")],
    values: Annotated[list[str] | None, typer.Argument(help="Fields: quantity=co2 above=1500 for_s=20m")] = None,
    *,
    tenant: _Tenant,
    name: Annotated[str, typer.Option(help="What people call it.")],
    site: Annotated[str | None, typer.Option(help="All points of this site.")] = None,
    point: Annotated[int | None, typer.Option(help="This point alone, by its number.")] = None,
    tag: Annotated[str | None, typer.Option(help="All points of this tag.")] = None,
    severity: Annotated[str, typer.Option(help="info, warning, critical.")] = "warning",
) -> None:
    """Keep a rule. It watches once it was backtested and enabled; without a target, all points of the tenant."""
    fields = {key: _value(text) for key, _, text in (one.partition("=") for one in values or ())}

    async def work(connection: asyncpg.Connection) -> int:
        owner = await tenant_by_slug(connection, tenant)
        given = {
            "site_id": None if site is None else (await _site(connection, owner, site)).site_id,
            "point_id": point,
            "tag": tag,
        }
        named = {key: value for key, value in given.items() if value is not None}
        definition = rule_tests.definition_of({"kind": kind} | fields)
        return await managing.add(
            connection,
            owner.tenant_id,
            name=name,
            kind=kind,
            values=definition.model_dump(exclude_unset=True, mode="json"),
            target=named or {"everything": True},
            severity=severity,
        )

    rule_id = with_database(context, work)
    typer.echo(f"rule {rule_id} kept; see what it would have done: samara rules backtest {rule_id}")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def _site(connection: asyncpg.Connection, tenant: Tenant, name: str) -> Site:
    found = await everything(lambda after: sites(connection, tenant.tenant_id, after=after))
    for one in found:
        if one.name == name:
            return one
    raise NotFoundError(f"{tenant.slug} has no site {name!r}; it has {', '.join(one.name for one in found) or 'none'}")


@app.command("backtest")
def backtest_command(
    context: typer.Context,
    number: _Number,
    days: Annotated[int, typer.Option(min=1, max=1000, help="How far back.")] = 90,
    *,
    as_object: Annotated[bool, typer.Option("--json", help="One JSON object, with a chart's data.")] = False,
) -> None:
    """Say what a rule would have done. Needed before it is enabled."""
    tried = with_database(context, managing.try_rule, number, now(), days)
    if as_object:
        show_json(as_json(tried.found))
        return
    typer.echo(tried.definition.sentence(What(tried.row.name), _LANGUAGE))
    typer.echo(f"{tried.found.subjects} points, {tried.found.samples} measurements")
    typer.echo(summary(tried.found, tried.definition, ZoneInfo(settings_of(context).time_zone), _LANGUAGE))


@app.command("enable")
def enable_command(context: typer.Context, number: _Number) -> None:
    """Let a rule watch. It must have been backtested."""
    with_database(context, managing.enable, number)
    typer.echo(f"rule {number}: enabled")


@app.command("disable")
def disable_command(context: typer.Context, number: _Number) -> None:
    """Let a rule watch no longer; the service that evaluates withdraws its open alerts."""
    with_database(context, managing.disable, number)
    typer.echo(f"rule {number}: disabled")


@app.command("template")
def template_command(
    context: typer.Context,
    template: Annotated[str, typer.Argument(help=", ".join(managing.TEMPLATES))],
    *,
    tenant: _Tenant,
    site: Annotated[str, typer.Option(help="The site, by its name.")],
    enable: Annotated[bool, typer.Option("--enable", help="Enable them too, after their backtest.")] = False,
) -> None:
    """Keep sensible rules for what a site measures, and backtest each."""

    async def work(connection: asyncpg.Connection) -> tuple[list[managing.Tried], bool]:
        owner = await tenant_by_slug(connection, tenant)
        place = await _site(connection, owner, site)
        made = await managing.take_template(connection, owner.tenant_id, place.site_id, template)
        tried = [await managing.try_rule(connection, rule_id, now()) for rule_id in made.rule_ids]
        if enable:
            for rule_id in made.rule_ids:
                await managing.enable(connection, rule_id)
        return tried, made.hours_set

    tried, hours_set = with_database(context, work)
    zone = ZoneInfo(settings_of(context).time_zone)
    for one in tried:
        typer.echo(f"{one.row.rule_id}. {one.row.name} ({one.row.severity})")
        typer.echo(f"   {one.definition.sentence(What(site), _LANGUAGE)}")
        typer.echo("   " + summary(one.found, one.definition, zone, _LANGUAGE).splitlines()[0])
    if hours_set:
        typer.echo(f"Opening hours of {site} were not known: those of the template were set (samara rules hours).")
    typer.echo("enabled" if enable else "not enabled yet: samara rules enable NUMBER")


@app.command("hours")
def hours_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON: docs/alerting.md shows it.")],
    *,
    tenant: _Tenant,
    site: Annotated[str | None, typer.Option(help="Of this site; else of all that have none of their own.")] = None,
) -> None:
    """Set opening hours."""
    hours = _hours(file)

    async def work(connection: asyncpg.Connection) -> None:
        owner = await tenant_by_slug(connection, tenant)
        place = None if site is None else (await _site(connection, owner, site)).site_id
        await set_calendar(connection, owner.tenant_id, place, hours.model_dump_json())

    with_database(context, work)
    typer.echo(f"{site or tenant}: opening hours set")


def _hours(file: Path) -> OpeningHours:
    try:
        return OpeningHours.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{file}: {error}") from None


@app.command("tag")
def tag_command(
    context: typer.Context,
    tag: Annotated[str, typer.Argument(help="Lower-case letters, digits, : _ - such as secteur:nord.")],
    points: Annotated[list[int] | None, typer.Argument(help="All the points that have it.")] = None,
    *,
    tenant: _Tenant,
) -> None:
    """Group points by a word, so that a rule may speak of all of them."""
    if _TAG.fullmatch(tag) is None:
        raise ConfigurationError(f"{tag!r}: a tag is of lower-case letters, digits, : _ and -")

    async def work(connection: asyncpg.Connection) -> None:
        owner = await tenant_by_slug(connection, tenant)
        if await is_foreign(connection, owner.tenant_id, point_ids=points or (), site_id=None, gateway_id=None):
            raise NotFoundError(f"one of these is no point of {tenant}")
        await set_tag(connection, owner.tenant_id, tag, points or ())

    with_database(context, work)
    typer.echo(f"{tag}: {len(points or ())} points")


@app.command("test")
def test_command(
    files: Annotated[list[Path], typer.Argument(help="YAML files of tests; docs/alerting.md shows one.")],
) -> None:
    """Run tests of rules. Needs no database."""
    failed = 0
    for file in files:
        try:
            tests = rule_tests.read(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(f"{file}: {error.strerror}") from None
        for outcome in rule_tests.run(tests):
            typer.echo(f"{'FAILED' if outcome.problems else 'passed'} {file}: {outcome.name}")
            for problem in outcome.problems:
                typer.echo(f"       {problem}")
            failed += bool(outcome.problems)
    if failed:
        raise typer.Exit(1)
