"""What a tenant has watched: rules in words, tried on the past before they are enabled, and what they found."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from alerting import rules
from api import answers, models, pagination, tenancy
from api.access import MANAGE, READ, require
from api.context import reader
from api.endpoint import delete, get, patch, post
from api.models import Resource
from api.parameters import Asked, Id, IdPath, OfTenant, PagedOfTenant, Text
from api.problems import CHANGED_MEANWHILE, CONFLICT, NO_SUCH_RULE, ProblemError
from api.rules_told import TARGETS, Rule, rule_of
from api.ruling import RULE_DESK, language_of
from store.access import audit
from store.alerting import rules as stored
from store.reading.pages import page_of

PATH: Final = "/api/v1/rules"

Severity = Literal["info", "warning", "critical"]
KindName = Annotated[str, StringConstraints(pattern="^[a-z0-9_]{1,40}$")]
Tag = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9:_-]{0,62}$")]


class NewRule(Asked):
    """A rule of a point, a site, a tag, a gateway (one of them), else of all points. `kinds` tells what each takes."""

    name: Text
    kind: KindName
    definition: dict[str, Any] = Field(default_factory=dict)
    severity: Severity = "warning"
    point_id: Id | None = None
    site_id: Id | None = None
    tag: Tag | None = None
    gateway_id: Id | None = None


class ChangedRule(Asked):
    """What is to be otherwise; the rest stays. Another definition or target disables it until it is tried again."""

    name: Text | None = None
    definition: dict[str, Any] | None = None
    severity: Severity | None = None
    point_id: Id | None = None
    site_id: Id | None = None
    tag: Tag | None = None
    gateway_id: Id | None = None
    enabled: bool | None = None


class RuleAlert(Resource):
    """One time that a rule fired. `told` is false of what was only known afterwards, from late measurements."""

    point: str | None
    site: str | None
    phase: str
    degree: int
    sentence: str
    started_at: datetime
    ended_at: datetime | None
    told: bool


@require(READ)
async def list_rules(request: web.Request, query: PagedOfTenant) -> models.Page[Rule]:
    """List what a tenant has watched."""
    asked = pagination.asked(query, "rules")
    language = language_of(request)
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await stored.rules(connection, tenant.tenant_id, after=asked.after or 0, limit=asked.limit + 1)
    page = page_of(found, [one.rule_id for one in found], asked.limit)
    return pagination.answer(models.Page[Rule], "rules", page, lambda one: rule_of(one, language))


@require(READ)
async def get_rule(request: web.Request, path: IdPath, query: OfTenant) -> Rule:
    """Tell one rule. Its ETag, given back in If-Match, keeps a change from undoing somebody else's."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await stored.rule(connection, path.id, tenant.tenant_id)
    return rule_of(found, language_of(request))


@require(MANAGE)
async def create_rule(request: web.Request, connection: asyncpg.Connection, body: NewRule) -> Rule:
    """Keep a rule, not enabled: try it on the past next."""
    tenant = await tenancy.tenant_of(request, connection)
    try:
        rule_id = await request.app[RULE_DESK].add(
            connection,
            tenant.tenant_id,
            name=body.name,
            kind=body.kind,
            values=body.definition,
            target=_target(body.model_dump(include=set(TARGETS))),
            severity=body.severity,
        )
    except rules.RuleError as error:
        raise ProblemError(NO_SUCH_RULE, str(error)) from error
    detail = {"name": body.name, "kind": body.kind}
    await audit.append_own(connection, "rule.created", tenant_id=tenant.tenant_id, subject=str(rule_id), detail=detail)
    return rule_of(await stored.rule(connection, rule_id, tenant.tenant_id), language_of(request))


def _target(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule is aimed at; all points when nothing is named."""
    return {name: value for name, value in given.items() if value is not None} or {"everything": True}


@require(MANAGE)
async def change_rule(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: ChangedRule) -> Rule:
    """Change what is given of a rule; enable or disable it. One that was not tried on the past is not enabled."""
    tenant = await tenancy.tenant_of(request, connection)
    before = await _unchanged(request, connection, tenant.tenant_id, path.id)
    given = body.model_dump(exclude_unset=True)
    aimed = {name: value for name, value in given.items() if name in TARGETS}
    try:
        await request.app[RULE_DESK].change(
            connection,
            tenant.tenant_id,
            path.id,
            name=body.name,
            values=body.definition,
            target=_target(aimed) if aimed else None,
            severity=body.severity,
        )
        if body.enabled is not None:
            await _switch(connection, path.id, enabled=body.enabled)
    except rules.RuleError as error:
        raise ProblemError(NO_SUCH_RULE, str(error)) from error
    except stored.NotBacktestedError as error:
        raise ProblemError(CONFLICT, "Try the rule on the past first: POST …/backtest.") from error
    after = await stored.rule(connection, path.id, tenant.tenant_id)
    for action in _actions(before, after):
        detail = {"name": after.name, "version": after.version}
        await audit.append_own(connection, action, tenant_id=tenant.tenant_id, subject=str(path.id), detail=detail)
    return rule_of(after, language_of(request))


async def _switch(connection: asyncpg.Connection, rule_id: int, *, enabled: bool) -> None:
    if enabled:
        await stored.enable_rule(connection, rule_id)
    else:
        await stored.disable_rule(connection, rule_id)


def _actions(before: stored.RuleRow, after: stored.RuleRow) -> list[str]:
    """Return what the audit log calls the difference."""
    found = []
    labels = (before.name, before.severity, before.version) != (after.name, after.severity, after.version)
    if labels:
        found.append("rule.changed")
    if before.enabled != after.enabled:
        found.append("rule.enabled" if after.enabled else "rule.disabled")
    return found


async def _unchanged(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, rule_id: int
) -> stored.RuleRow:
    """Return a rule, locked; raise ProblemError when it is not the one that If-Match speaks of."""
    await stored.lock_rule(connection, tenant_id, rule_id)
    found = await stored.rule(connection, rule_id, tenant_id)
    answers.refuse_changed(request, rule_of(found, language_of(request)))
    return found


@require(MANAGE)
async def delete_rule(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Take a rule off the list: it watches no longer, and its open alerts are withdrawn. What it found stays."""
    tenant = await tenancy.tenant_of(request, connection)
    found = await _unchanged(request, connection, tenant.tenant_id, path.id)
    await stored.disable_rule(connection, path.id, forget=True)
    await audit.append_own(
        connection, "rule.deleted", tenant_id=tenant.tenant_id, subject=str(path.id), detail={"name": found.name}
    )


@require(READ)
async def list_rule_alerts(request: web.Request, path: IdPath, query: OfTenant) -> models.Page[RuleAlert]:
    """List the last hundred times that a rule fired, the latest first."""
    del query
    language = language_of(request)
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        rule = await stored.rule(connection, path.id, tenant.tenant_id)
        found = await stored.alerts_of_rule(connection, tenant.tenant_id, path.id, 100)
    definition = rules.parse(rule.kind, json.loads(rule.definition))
    items = [
        RuleAlert(
            sentence=definition.explain(json.loads(one.reason), language),
            **{name: value for name, value in one._asdict().items() if name != "reason"},
        )
        for one in found
    ]
    return models.Page[RuleAlert](items=items, next_cursor=None)


ROUTES: Final = (
    get(PATH, list_rules),
    post(PATH, create_rule, query=OfTenant, problems=(NO_SUCH_RULE,)),
    get(f"{PATH}/{{id}}", get_rule),
    patch(f"{PATH}/{{id}}", change_rule, query=OfTenant, problems=(NO_SUCH_RULE, CHANGED_MEANWHILE)),
    delete(f"{PATH}/{{id}}", delete_rule, query=OfTenant, problems=(CHANGED_MEANWHILE,)),
    get(f"{PATH}/{{id}}/alerts", list_rule_alerts),
)
