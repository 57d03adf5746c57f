"""GET /api/sensorthings/<slug>/v1.1/…: the service root, entity sets, entities, what they lead to, their properties."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import asyncpg
from aiohttp import web

from api import tenancy
from api.access import READ, require
from api.answers import tagged
from api.context import reader
from api.problems import invalid_parameter
from api.sensorthings.options import Options, parse_options
from api.sensorthings.telling import linked, members, self_link
from domain.errors import NotFoundError
from store.sensorthings.entities import ALL, Entities
from store.sensorthings.reading import count, entities
from store.sensorthings.statements import Asked, Within, stream_of
from store.sensorthings.syntax import QueryError

PATH: Final = "/api/sensorthings/{slug}/v1.1"
_SEGMENT: Final = re.compile(r"([A-Za-z]+)(?:\((?:([0-9]{1,10})|'([^'()/]{1,80})')\))?", re.ASCII)
_REFERENCES: Final = "/$ref"
_COMPONENTS: Final = ("id", "phenomenonTime", "resultTime", "result")
_MOST_READS: Final = 2_000  # statements that one request may cause by $expand
_SPEC: Final = "http://www.opengis.net/spec/iot_sensing/1.1/req"
CONFORMANCE: Final = (
    f"{_SPEC}/datamodel",
    f"{_SPEC}/resource-path/resource-path-to-entities",
    f"{_SPEC}/request-data",
    f"{_SPEC}/data-array/data-array",
)


class Target(NamedTuple):
    """What an address leads to: rows of an entity set, one of them, or (`rest`) a part of one."""

    entities: Entities
    within: tuple[Within, ...]
    one: bool
    rest: tuple[str, ...]


class Reading:
    """One request: the connection, whose data, and how many statements are left."""

    def __init__(self, connection: asyncpg.Connection, tenant_id: int, base: str) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        self.base = base
        self._left = _MOST_READS

    async def rows(self, asked: Asked) -> list[dict[str, Any]]:
        """Return rows; raise QueryError when the request causes too many statements."""
        self._left -= 1
        if self._left < 0:
            raise QueryError("$expand asks for too much: choose a smaller $top")
        return await entities(self.connection, self.tenant_id, asked)

    async def target(self, path: str) -> Target:
        """Return what a path leads to. Raises NotFoundError."""
        segments = path.strip("/").split("/")
        found = _entity_set(segments[0])
        for at, segment in enumerate(segments[1:], start=1):
            if not found.one:
                raise NotFoundError
            name = segment.partition("(")[0]
            link = found.entities.links.get(name)
            if link is None:
                return found._replace(rest=tuple(segments[at:]))
            row = await self.one(found)
            led = Within(link.theirs, row[link.ours])
            key = _entity_set(segment, ALL[link.target])
            found = Target(key.entities, (led, *key.within), key.one or not link.many, ())
        return found

    async def one(self, target: Target) -> dict[str, Any]:
        """Return the one row of a target. Raises NotFoundError."""
        found = await self.rows(Asked(target.entities.name, target.within, top=1))
        if not found:
            raise NotFoundError
        return found[0]

    async def told(self, kind: Entities, row: dict[str, Any], options: Options) -> dict[str, Any]:
        """Return an entity with what was selected of it, and what was expanded in it."""
        whole = linked(self.base, kind, row)
        if options.select:
            known = {name.partition("@iot.nav")[0] for name in whole if not name.startswith("@")}
            wanted = {"@iot.id" if name == "id" else name for name in options.select}
            if not wanted <= known | {"@iot.id"}:
                raise QueryError(f"$select: {kind.name} have no {min(wanted - known)[:40]!r}")
            whole = {name: value for name, value in whole.items() if name.partition("@iot.nav")[0] in wanted}
        for name, inner in options.expand.items():
            link = kind.links[name]
            whole.pop(f"{name}@iot.navigationLink", None)
            within = (Within(link.theirs, row[link.ours]),)
            if link.many:
                page = await self.page(Target(ALL[link.target], within, one=False, rest=()), inner)
                next_link = f"{self_link(self.base, kind, row)}/{name}?{_next(inner)}"
                whole |= {name: page["value"]}
                whole |= {f"{name}@iot.count": page["@iot.count"]} if "@iot.count" in page else {}
                whole |= {f"{name}@iot.nextLink": next_link} if page["more"] else {}
            else:
                (held,) = (await self.rows(Asked(link.target, within, top=1)))[:1] or (None,)
                whole[name] = None if held is None else await self.told(ALL[link.target], held, inner)
        return whole

    async def page(self, target: Target, options: Options) -> dict[str, Any]:
        """Return a page of entities; `more` says whether others follow."""
        asked = Asked(target.entities.name, target.within, options.where, options.order, options.top, options.skip)
        rows = await self.rows(asked)
        shown = rows[: options.top]
        said: dict[str, Any] = {}
        if options.counted:
            said["@iot.count"] = await count(self.connection, self.tenant_id, asked)
        if options.as_array and target.entities.name == "Observations":
            said["value"] = _arrays(self.base, shown, options.select)
        else:
            said["value"] = [await self.told(target.entities, row, options) for row in shown]
        return {**said, "more": len(rows) > options.top}


def _next(options: Options) -> str:
    """Return the options of the page after this one."""
    following = {**options.given, "$top": str(options.top), "$skip": str(options.skip + options.top)}
    return urlencode(following, safe="$", quote_via=quote)


def _arrays(base: str, rows: list[dict[str, Any]], select: Sequence[str]) -> list[dict[str, Any]]:
    """Return observations as arrays, one for each datastream: what was selected, in the order of `_COMPONENTS`."""
    wanted = {"id" if name == "@iot.id" else name for name in select}
    if not wanted <= {*_COMPONENTS}:
        raise QueryError(f"$select: an array of observations has no {min(wanted - {*_COMPONENTS})[:40]!r}")
    components = [name for name in _COMPONENTS if not wanted or name in wanted]
    found: dict[str, list[list[Any]]] = {}
    for row in rows:
        whole = {"id": row["id"], **members(ALL["Observations"], row)}
        found.setdefault(row["stream_id"], []).append([whole[name] for name in components])
    return [
        {
            "Datastream@iot.navigationLink": f"{base}/Datastreams('{stream}')",
            "components": components,
            "dataArray@iot.count": len(values),
            "dataArray": values,
        }
        for stream, values in found.items()
    ]


def _entity_set(segment: str, linked_to: Entities | None = None) -> Target:
    match = _SEGMENT.fullmatch(segment)
    kind = linked_to or (None if match is None else ALL.get(match[1]))
    if match is None or kind is None:
        raise NotFoundError
    if match[2] is None and match[3] is None:
        return Target(kind, (), one=False, rest=())
    if (match[2] is None) != (kind.id_kind == "text"):
        raise NotFoundError
    if match[2] is not None:
        return Target(kind, (Within("id", int(match[2])),), one=True, rest=())
    within = [Within("id", match[3])]
    if kind.name == "Observations":  # its datastream is in its id, and finds it by the key
        stream = match[3].rpartition("-")[0]
        stream_of(stream)
        within.append(Within("stream_id", stream))
    return Target(kind, tuple(within), one=True, rest=())


@require(READ)
async def root(request: web.Request) -> web.Response:
    """Answer what the service has, and what of the standard it keeps."""
    async with reader(request) as connection:
        await tenancy.tenant_of(request, connection)
    base = _base(request)
    return _json(
        request,
        {
            "value": [{"name": name, "url": f"{base}/{name}"} for name in ALL],
            "serverSettings": {"conformance": list(CONFORMANCE)},
        },
    )


@require(READ)
async def resource(request: web.Request) -> web.Response:
    """Answer an entity set, an entity, or a part of one."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        reading = Reading(connection, tenant.tenant_id, _base(request))
        try:
            return await _answer(request, reading)
        except QueryError as error:
            name = "$filter" if "$filter" in request.query else "$expand" if "$expand" in request.query else "query"
            raise invalid_parameter(name, str(error), "OGC SensorThings 1.1, 9.3") from error


async def _answer(request: web.Request, reading: Reading) -> web.Response:
    path = request.match_info["tail"]
    target = await reading.target(path.removesuffix(_REFERENCES))
    given = {"$resultFormat" if name == "resultFormat" else name: value for name, value in request.query.items()}
    options = parse_options(given, target.entities)
    if path.endswith(_REFERENCES):
        return await _references(request, reading, target, options)
    if target.rest:
        return _part(request, target, await reading.one(target))
    if target.one:
        return _json(request, await reading.told(target.entities, await reading.one(target), options))
    return _json(request, _following(request, await reading.page(target, options), options))


def _following(request: web.Request, page: dict[str, Any], options: Options) -> dict[str, Any]:
    if not page.pop("more"):
        return page
    following = request.rel_url.update_query({"$top": str(options.top), "$skip": str(options.skip + options.top)})
    return {"@iot.nextLink": f"{request.url.origin()}{following}", **page}


async def _references(request: web.Request, reading: Reading, target: Target, options: Options) -> web.Response:
    """Answer the addresses of entities and nothing else of them (`Things(1)/Datastreams/$ref`)."""
    if target.rest:
        raise NotFoundError
    if target.one:
        row = await reading.one(target)
        return _json(request, {"@iot.selfLink": self_link(reading.base, target.entities, row)})
    page = await reading.page(target, options._replace(select=(), expand={}, as_array=False))
    page["value"] = [{"@iot.selfLink": one["@iot.selfLink"]} for one in page["value"]]
    return _json(request, _following(request, page, options))


def _part(request: web.Request, target: Target, row: dict[str, Any]) -> web.Response:
    """Answer one property (`name`), or its bare value (`name/$value`)."""
    name, *rest = target.rest
    found = members(target.entities, row)
    if name not in found or rest not in ([], ["$value"]):
        raise NotFoundError
    if rest:
        value = found[name]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return web.Response(text=text, content_type="text/plain")
    return _json(request, {name: found[name]})


def _base(request: web.Request) -> str:
    return f"{request.url.origin()}{PATH.format(slug=request.match_info['slug'])}"


def _json(request: web.Request, said: dict[str, Any]) -> web.Response:
    body = json.dumps(said, ensure_ascii=False).encode()
    return tagged(request, web.Response(body=body, content_type="application/json"), body)


ROUTES: Final = (
    web.get(PATH, root),
    web.get(PATH + "/", root),
    web.get(PATH + "/{tail:.+}", resource),
)
