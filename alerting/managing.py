"""What people do with rules: add, change, backtest, enable, disable, and take a template for a whole site."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
from pydantic import ValidationError

from alerting.backtest import DAYS, Backtest, as_text, backtest
from alerting.rules import TEMPLATES, Definition, Language, Proposal, RuleError, parse, proposals
from alerting.targets import TargetModel
from domain.errors import NotFoundError
from store.alerting import rules as store
from store.alerting.rules import NewRule, RuleRow, rule, set_backtest
from store.alerting.subjects import is_foreign, measured_quantities, runs_network

SEVERITIES: Final = ("info", "warning", "critical")


class Tried(NamedTuple):
    """A rule with what it would have done."""

    row: RuleRow
    definition: Definition
    found: Backtest


async def add(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    name: str,
    kind: str,
    values: Mapping[str, Any],
    target: Mapping[str, Any],
    severity: str,
) -> int:
    """Keep a rule, not enabled, and return its number. `target` is what `TargetModel` takes.

    Raises RuleError for one that its kind does not allow, NotFoundError for a target that the tenant does not have.
    """
    written, aimed = await _checked(connection, tenant_id, kind, values, target)
    _check_severity(severity)
    return await store.add_rule(connection, NewRule(tenant_id, name, kind, written, aimed, severity))


async def change(
    connection: asyncpg.Connection,
    tenant_id: int,
    rule_id: int,
    *,
    name: str | None = None,
    values: Mapping[str, Any] | None = None,
    target: Mapping[str, Any] | None = None,
    severity: str | None = None,
) -> None:
    """Change what is given of a rule. Another definition or target is another version: disabled, never backtested.

    Raises as `add` does, NotFoundError for a rule that the tenant does not have.
    """
    row = await rule(connection, rule_id, tenant_id)
    if name is not None or severity is not None:
        _check_severity(severity or row.severity)
        await store.label_rule(connection, rule_id, name=name or row.name, severity=severity or row.severity)
    if values is None and target is None:
        return
    written, aimed = await _checked(
        connection,
        tenant_id,
        row.kind,
        json.loads(row.definition) if values is None else values,
        json.loads(row.target) if target is None else target,
    )
    if (json.loads(written), json.loads(aimed)) != (json.loads(row.definition), json.loads(row.target)):
        await store.change_rule(connection, rule_id, definition=written, target=aimed)


async def _checked(
    connection: asyncpg.Connection, tenant_id: int, kind: str, values: Mapping[str, Any], target: Mapping[str, Any]
) -> tuple[str, str]:
    """Return definition and target as they are kept."""
    definition, aimed = parse(kind, values), _target(target)
    if definition.SUBJECT == "gateway" and not await runs_network(connection, tenant_id):
        raise RuleError("gateways are the network's: whoever runs it watches them")
    if (definition.SUBJECT == "gateway") != (aimed.gateway_id is not None or _all_gateways(definition, aimed)):
        raise RuleError(f"{kind}: its target is {'a gateway' if definition.SUBJECT == 'gateway' else 'points'}")
    named = [one.point_id for one in definition.series() if one.point_id is not None]
    if aimed.point_id is not None:
        named.append(aimed.point_id)
    if await is_foreign(connection, tenant_id, point_ids=named, site_id=aimed.site_id, gateway_id=aimed.gateway_id):
        raise NotFoundError("there is no such point, site or gateway here")
    return definition.model_dump_json(exclude_unset=True), aimed.model_dump_json(exclude_defaults=True)


def _target(given: Mapping[str, Any]) -> TargetModel:
    try:
        return TargetModel.model_validate(given)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise RuleError(f"target: {said['msg'].removeprefix('Value error, ')}") from None


def _check_severity(severity: str) -> None:
    if severity not in SEVERITIES:
        raise RuleError(f"severity {severity!r}: one of {', '.join(SEVERITIES)}")


def _all_gateways(definition: Definition, target: TargetModel) -> bool:
    return definition.SUBJECT == "gateway" and target.everything


def definition_of(row: RuleRow) -> Definition:
    """Return a kept rule's definition."""
    return parse(row.kind, json.loads(row.definition))


async def try_rule(
    connection: asyncpg.Connection, rule_id: int, now: datetime, days: int = DAYS, *, tenant_id: int | None = None
) -> Tried:
    """Backtest a rule and keep the result with its version: only then can it be enabled. Raises NotFoundError."""
    row = await rule(connection, rule_id, tenant_id)
    definition = definition_of(row)
    target = TargetModel.model_validate_json(row.target)
    found = await backtest(connection, row.tenant_id, definition, target, now=now, days=days)
    await set_backtest(connection, rule_id, row.version, as_text(found))
    return Tried(row, definition, found)


async def enable(connection: asyncpg.Connection, rule_id: int) -> None:
    """Let a rule watch. Raises NotFoundError, NotBacktestedError."""
    await rule(connection, rule_id)
    async with connection.transaction():
        await store.enable_rule(connection, rule_id)


async def disable(connection: asyncpg.Connection, rule_id: int) -> None:
    """Let a rule watch no longer; evaluation withdraws its open alerts. Raises NotFoundError."""
    await rule(connection, rule_id)
    await store.disable_rule(connection, rule_id)


class Proposed(NamedTuple):
    """What a template makes of a site: the rules kept, not enabled yet."""

    rule_ids: list[int]
    hours_set: bool


async def take_template(
    connection: asyncpg.Connection, tenant_id: int, site_id: int, template: str, language: Language = "fr"
) -> Proposed:
    """Keep a template's rules for what a site measures, and its opening hours where there are none yet.

    What the site has already is not kept twice. Raises RuleError for a template that does not exist, or a site at
    which nothing is measured.
    """
    chosen = TEMPLATES.get(template)
    if chosen is None:
        raise RuleError(f"no template {template!r}; there are {', '.join(TEMPLATES)}")
    by_quantity: dict[str, list[int]] = defaultdict(list)
    for point_id, quantity in await measured_quantities(connection, tenant_id, site_id):
        by_quantity[quantity].append(point_id)
    if not by_quantity:
        raise RuleError("nothing is measured at this site yet: declare its sensors first, and let them speak")
    kept = [
        (one.kind, json.loads(one.target), json.loads(one.definition))
        for one in await store.rules(connection, tenant_id)
    ]
    async with connection.transaction():
        hours_set = chosen.hours is not None and await store.calendar(connection, tenant_id, site_id) is None
        if chosen.hours is not None and hours_set:
            await store.set_calendar(connection, tenant_id, site_id, chosen.hours.model_dump_json())
        rule_ids = [
            await add(
                connection,
                tenant_id,
                name=one.name[language],
                kind=one.kind,
                values=one.values,
                target={"site_id": site_id},
                severity=one.severity,
            )
            for one in proposals(chosen, set(by_quantity))
            if (one.kind, {"site_id": site_id}, _as_kept(one)) not in kept
        ]
    return Proposed(rule_ids, hours_set)


def _as_kept(proposal: Proposal) -> Any:
    return json.loads(parse(proposal.kind, proposal.values).model_dump_json(exclude_unset=True))


__all__ = ["TEMPLATES", "Proposed", "Tried", "add", "change", "disable", "enable", "take_template", "try_rule"]
