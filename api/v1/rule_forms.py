"""What helps to write a rule: the kinds with their forms, and templates for the usual places."""

from typing import Annotated, Any, Final

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from alerting import rules
from api import models, tenancy
from api.access import MANAGE, READ, require
from api.context import reader
from api.endpoint import get, post
from api.models import Answer, Resource
from api.parameters import Asked, Id, OfTenant
from api.problems import NO_SUCH_RULE, ProblemError
from api.rules_told import RuleKind, kind_of
from api.ruling import RULE_DESK, language_of
from store.access import audit
from store.alerting.subjects import measured_quantities

KINDS: Final = "/api/v1/rule-kinds"
TEMPLATES: Final = "/api/v1/rule-templates"

TemplateName = Annotated[str, StringConstraints(pattern="^[a-z_]{1,40}$")]


class Proposal(Answer):
    """A rule that suits a place, as it would be kept."""

    name: str
    kind: str
    severity: str
    definition: dict[str, Any]
    sentence: str


class RuleTemplate(Resource):
    """Sensible rules for one kind of place, those for which something is measured."""

    template: str
    title: str
    proposals: list[Proposal]


class TemplatesQuery(OfTenant):
    """For which place."""

    site_id: Annotated[Id | None, Field(description="for what is measured at that site; else at any")] = None


class TakenTemplate(Asked):
    """Which template for which site."""

    template: TemplateName
    site_id: Id


class Taken(Answer):
    """The rules that a template made, not enabled: those that the site has already are not made twice."""

    rules: list[int]


@require(READ)
async def list_rule_kinds(request: web.Request, query: OfTenant) -> models.Page[RuleKind]:
    """List the kinds of rules, each with its form."""
    del query
    async with reader(request) as connection:
        await tenancy.tenant_of(request, connection)
    language = language_of(request)
    items = [kind_of(kind, language) for kind in rules.kinds().values()]
    return models.Page[RuleKind](items=items, next_cursor=None)


@require(READ)
async def list_templates(request: web.Request, query: TemplatesQuery) -> models.Page[RuleTemplate]:
    """List the templates, each with the rules that suit what is measured."""
    language = language_of(request)
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        measured = await measured_quantities(connection, tenant.tenant_id, query.site_id)
    quantities = {quantity for _, quantity in measured}
    items = [
        RuleTemplate(
            template=name,
            title=template.title[language],
            proposals=[_proposal(one, language) for one in rules.proposals(template, quantities)],
        )
        for name, template in rules.TEMPLATES.items()
    ]
    return models.Page[RuleTemplate](items=items, next_cursor=None)


def _proposal(found: rules.Proposal, language: rules.Language) -> Proposal:
    definition = rules.parse(found.kind, found.values)
    return Proposal(
        name=found.name[language],
        kind=found.kind,
        severity=found.severity,
        definition=dict(found.values),
        sentence=definition.sentence(rules.What(""), language),
    )


@require(MANAGE)
async def take_template(request: web.Request, connection: asyncpg.Connection, body: TakenTemplate) -> Taken:
    """Keep the rules of a template for a site, not enabled: try each on the past next."""
    tenant = await tenancy.tenant_of(request, connection)
    language = language_of(request)
    try:
        made = await request.app[RULE_DESK].take_template(
            connection, tenant.tenant_id, body.site_id, body.template, language
        )
    except rules.RuleError as error:
        raise ProblemError(NO_SUCH_RULE, str(error)) from error
    detail = {"template": body.template, "rules": list(made)}
    await audit.append_own(
        connection, "rule_template.taken", tenant_id=tenant.tenant_id, subject=str(body.site_id), detail=detail
    )
    return Taken(rules=list(made))


ROUTES: Final = (
    get(KINDS, list_rule_kinds),
    get(TEMPLATES, list_templates),
    post(TEMPLATES, take_template, query=OfTenant, problems=(NO_SUCH_RULE,)),
)
