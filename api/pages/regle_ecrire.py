"""The pages on which a rule is written: the kind, then its form, with the sentence that it makes."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import asyncpg
from aiohttp import web

from alerting import rules
from api.access import MANAGE, require
from api.context import CLOCK, reader, writer
from api.pages import conditions, rendering, watching
from api.pages.forms import form
from api.pages.regle import RulePath
from api.pages.rendering import Crumb
from api.pages.rule_ground import Ground, ground_of, targets
from api.pages.texts import Texts
from api.parameters import of_path
from api.query import MAX_ID
from api.rules_told import example_of
from api.ruling import RULE_DESK
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store.access import audit
from store.alerting import rules as stored
from store.alerting.subjects import places
from store.reading.territory import Tenant

NEW: Final = "/t/{slug}/regles/nouvelle"
CHANGE: Final = r"/t/{slug}/regles/{id:\d+}/modifier"
SENTENCE: Final = "/t/{slug}/regles/phrase"
COMBINED: Final = "combined"  # the kind whose form is made of conditions
_MAX_NAME: Final = 200


def _kind(name: str) -> type[rules.Definition]:
    found = rules.kinds().get(name)
    if found is None:
        raise NotFoundError
    return found


@require(MANAGE)
async def show(request: web.Request) -> web.Response:
    """Answer the kinds to choose from, or the form of the one chosen (`sorte`)."""
    query = rendering.query(request, "sorte")
    chosen, texts = query.text("sorte", "a kind of rule", default=""), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        ground = await ground_of(connection, tenant, texts)
    if not chosen:
        said = watching.language_of(texts)
        kinds = [
            (kind.KIND, kind.TITLE[said], example_of(kind, said))
            for kind in sorted(rules.kinds().values(), key=lambda kind: kind.TITLE[said])
            if kind.SUBJECT != "gateway" or ground.antennas
        ]
        return rendering.html(request, "sortes.html", tenant=tenant, crumbs=_crumbs(tenant, texts), kinds=kinds)
    kind = _kind(chosen)
    if kind.SUBJECT == "gateway" and not ground.antennas:
        raise NotFoundError
    action = f"{rendering.tenant_address(tenant, 'regles', 'nouvelle')}?sorte={kind.KIND}"
    return _form(request, tenant, kind, ground, {}, action=action)


@require(MANAGE)
async def show_change(request: web.Request) -> web.Response:
    """Answer the form of a rule as it is."""
    rendering.query(request)
    number, texts = of_path(request, RulePath).id, rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        row = await stored.rule(connection, number, tenant.tenant_id)
        ground = await ground_of(connection, tenant, texts)
    kind = _kind(row.kind)
    aimed = next(iter(json.loads(row.target).items()), ("everything", True))
    definition = json.loads(row.definition)
    given = (
        watching.filled(kind, definition, texts)
        | _conditions(definition, texts)
        | {
            "name": row.name,
            "severity": row.severity,
            "target": "everything" if aimed[0] == "everything" else f"{aimed[0]}:{aimed[1]}",
        }
    )
    action = rendering.tenant_address(tenant, "regles", number, "modifier")
    return _form(request, tenant, kind, ground, given, action=action)


def _conditions(definition: Mapping[str, Any], texts: Texts) -> dict[str, str]:
    """Return a tree of conditions as the form says it. Raises NotFoundError for one that only programs can change."""
    if "when" not in definition:
        return {}
    found = conditions.filled(definition["when"])
    if found is None:
        raise NotFoundError
    return {
        name: watching.said_number(value, texts) if isinstance(value, float | int) else value
        for name, value in found.items()
    }


def _crumbs(tenant: Tenant, texts: Texts) -> list[Crumb]:
    return [Crumb(texts("nav.regles"), rendering.tenant_address(tenant, "regles"))]


def _form(
    request: web.Request,
    tenant: Tenant,
    kind: type[rules.Definition],
    ground: Ground,
    given: Mapping[str, str],
    *,
    action: str,
    wrong: str = "",
) -> web.Response:
    texts = rendering.catalogue_of(request)
    said = watching.language_of(texts)
    return rendering.html(
        request,
        "regle_ecrire.html",
        status=422 if wrong else 200,
        tenant=tenant,
        here="regles",
        crumbs=_crumbs(tenant, texts),
        kind=kind.KIND,
        title=kind.TITLE[said],
        example=example_of(kind, said),
        form=watching.form(kind, {key: one for key, one in given.items() if key not in _COMMON}, ground.quantities,
                           ground.outdoor, texts),
        given={"name": kind.TITLE[said], "severity": "warning", "target": "everything", **given},
        blocks=conditions.blocks(given) if kind.KIND == COMBINED else [],
        quantities=[(name, rules.label(name, said)) for name in ground.quantities],
        points=[("", texts("regles.this_point")), *ground.points],
        operators=conditions.operators(rules.OPERATORS[said]),
        targets=targets(kind, ground, given, texts),
        severities=[(one, texts(f"alertes.severity.{one}")) for one in ("critical", "warning", "info")],
        units=[(unit, texts(f"regles.unit.{unit}")) for unit in watching.UNITS_S],
        sentence=_sentence(kind, given, {int(number): name for number, name in ground.points}, texts),
        phrase=rendering.tenant_address(tenant, "regles", "phrase"),
        action=action,
        wrong=wrong,
    )  # fmt: skip


_COMMON: Final = ("kind", "name", "severity", "target")


def _values(kind: type[rules.Definition], given: Mapping[str, str], texts: Texts) -> tuple[dict[str, Any], str]:
    """Return the definition that a filled form says, and what is wrong with it, '' for nothing."""
    found, wrong = watching.values(kind, given)
    if wrong:
        return found, watching.complaint(kind, f"{wrong[0]}:", texts)
    if kind.KIND != COMBINED:
        return found, ""
    numbers = {name: watching.number_of(given.get(name, "")) for name in conditions.names() if name.endswith("_value")}
    when, unread = conditions.tree(given, numbers)
    if unread:
        return found, texts("regles.check_condition", n=unread[0])
    return found | {"when": when}, "" if when else texts("regles.no_condition")


def _sentence(kind: type[rules.Definition], given: Mapping[str, str], points: Mapping[int, str], texts: Texts) -> str:
    """Return what a filled form says, '' while it says nothing that can be."""
    found, wrong = _values(kind, given, texts)
    if wrong:
        return ""
    try:
        return rules.parse(kind.KIND, found).sentence(rules.What("", points=points), watching.language_of(texts))
    except rules.RuleError:
        return ""


@require(MANAGE)
async def phrase(request: web.Request) -> web.Response:
    """Answer the sentence that a form makes as it is filled, for the script of the page."""
    given = dict(request.query)
    texts, kind = rendering.catalogue_of(request), _kind(given.get("kind", ""))
    named = [int(value) for name, value in given.items() if name.endswith("_point") and value.isdigit()]
    async with reader(request) as connection:
        await tenant_of(request, connection)
        around = await places(connection, [number for number in named if number <= MAX_ID]) if named else []
    points = {one.point_id: f"{one.point}, {one.site}" for one in around}
    return web.json_response({"sentence": _sentence(kind, given, points, texts)})


async def _given(request: web.Request, kind: type[rules.Definition]) -> dict[str, str]:
    names = [one.name for one in rules.fields(kind)]
    if kind.KIND == COMBINED:
        names += conditions.names()
    given = await form(request, *_COMMON, *names, *(f"{name}_unit" for name in names))
    return {name: value for name, value in given.items() if value}


def _aimed(target: str) -> dict[str, Any]:
    name, _, value = target.partition(":")
    if name in {"site_id", "point_id", "gateway_id"} and value.isascii() and value.isdigit() and len(value) < 10:
        return {name: int(value)}
    return {"tag": value} if name == "tag" else {"everything": True}


@require(MANAGE)
async def create(request: web.Request) -> web.Response:
    """Keep a rule and try it on the past."""
    kind = _kind(request.query.get("sorte", ""))
    return await _keep(request, kind, None)


@require(MANAGE)
async def change(request: web.Request) -> web.Response:
    """Keep another version of a rule and try it on the past."""
    number = of_path(request, RulePath).id
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        row = await stored.rule(connection, number, tenant.tenant_id)
    return await _keep(request, _kind(row.kind), number)


async def _keep(request: web.Request, kind: type[rules.Definition], number: int | None) -> web.Response:
    given, texts = await _given(request, kind), rendering.catalogue_of(request)
    found, complaint = _values(kind, given, texts)
    name = given.get("name", "").strip()[:_MAX_NAME] or kind.TITLE[watching.language_of(texts)]
    if not complaint:
        try:
            async with writer(request) as connection:
                tenant = await tenant_of(request, connection)
                draft = _Draft(
                    kind.KIND, name, found, _aimed(given.get("target", "")), given.get("severity", "warning")
                )
                rule_id = await _kept(request, connection, tenant.tenant_id, draft, number)
            return rendering.onward(rendering.tenant_address(tenant, "regles", rule_id), done="tried")
        except rules.RuleError as error:
            complaint = watching.complaint(kind, str(error), texts)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        ground = await ground_of(connection, tenant, texts)
    return _form(request, tenant, kind, ground, given, action=request.path_qs, wrong=complaint)


class _Draft(NamedTuple):
    """A rule as the form says it."""

    kind: str
    name: str
    values: Mapping[str, Any]
    target: Mapping[str, Any]
    severity: str


async def _kept(
    request: web.Request, connection: asyncpg.Connection, tenant_id: int, draft: _Draft, number: int | None
) -> int:
    desk = request.app[RULE_DESK]
    said: dict[str, Any] = {
        "name": draft.name,
        "values": draft.values,
        "target": draft.target,
        "severity": draft.severity,
    }
    if number is None:
        rule_id = await desk.add(connection, tenant_id, kind=draft.kind, **said)
    else:
        rule_id = number
        await desk.change(connection, tenant_id, number, **said)
    await desk.backtest(connection, tenant_id, rule_id, request.app[CLOCK](), 90)
    action = "rule.created" if number is None else "rule.changed"
    detail = {"name": draft.name, "kind": draft.kind}
    await audit.append_own(connection, action, tenant_id=tenant_id, subject=str(rule_id), detail=detail)
    return rule_id


ROUTES: Final = (
    web.get(NEW, show),
    web.post(NEW, create),
    web.get(SENTENCE, phrase),
    web.get(CHANGE, show_change),
    web.post(CHANGE, change),
)
