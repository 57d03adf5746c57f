"""The OpenAPI 3.1 document of the REST API, made of the endpoints and their models. Nothing is written twice."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import hdrs, web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import idempotency, problems
from api.access import PUBLIC, SIGNED_IN, declared
from api.answers import FIELDS, item_of
from api.endpoint import JSON, Endpoint, Operation
from api.models import Problem
from api.parameters import Paged, Period
from api.problems import Kind

_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """Everything that the pages show, for programs. Times are UTC, units are UCUM codes.

Lists come in pages: give `next_cursor` back as `cursor`, or follow the `Link` header. Every answer bears an `ETag`;
send it in `If-None-Match` to get 304 when nothing changed, and in `If-Match` to change a thing only as you read it. A
write that bears an `Idempotency-Key` may be sent again
for a day. Problems are RFC 9457; test their `type`, which does not change. `Accept-Language` (fr, en) chooses the
language of labels and of the titles of problems."""
_WRITTEN: Final = (problems.INVALID_BODY, problems.UNSUPPORTED_MEDIA, problems.CONFLICT, problems.KEY_REUSED)

Schema = dict[str, Any]
Refs = dict[type[BaseModel], Schema]


ENDPOINTS: Final[web.AppKey[tuple[Endpoint, ...]]] = web.AppKey("endpoints")


def document(endpoints: Iterable[Endpoint], version: str) -> Schema:
    """Return the document, ready to be JSON."""
    known = list(endpoints)
    refs, components = _components(known)
    paths: dict[str, Schema] = {}
    for endpoint in known:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs)
    for name in _selectable(known):
        components[name].pop("required", None)  # `fields` may leave any out
    return {
        "openapi": "3.1.0",
        "info": {"title": "Samara", "version": version, "description": _ABOUT, "license": _LICENCE},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }


_SECURITY: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of your account: smr_…"},
    "session": {"type": "apiKey", "in": "cookie", "name": "samara", "description": "`__Host-samara` over TLS"},
}
_LICENCE: Final = {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}


def _components(endpoints: Iterable[Endpoint]) -> tuple[Refs, dict[str, Schema]]:
    """Return a reference for each model that is asked or answered, and the schemas of all."""
    operations = [endpoint.operation for endpoint in endpoints]
    answered = {operation.answer: None for operation in operations if operation.answer is not None} | {Problem: None}
    bodies = {operation.body: None for operation in operations if operation.body is not None}
    found, definitions = models_json_schema(
        [(model, "serialization") for model in answered] + [(model, "validation") for model in bodies],
        ref_template=_REF,
    )
    refs = {cast("type[BaseModel]", model): schema for (model, _), schema in found.items()}
    return refs, definitions.get("$defs", {})


def _selectable(endpoints: Iterable[Endpoint]) -> set[str]:
    return {
        item_of(endpoint.operation.answer).__name__
        for endpoint in endpoints
        if endpoint.operation.answer is not None and endpoint.operation.fields
    }


def _operation(endpoint: Endpoint, refs: Refs) -> Schema:
    operation = endpoint.operation
    summary, _, description = operation.summary.partition("\n")
    said: Schema = {
        "operationId": operation.name,
        "summary": summary.rstrip("."),
        "tags": [endpoint.path.split("/")[3]],
        "parameters": list(_parameters(endpoint)),
        "responses": _responses(endpoint, refs),
    }
    if description.strip():
        said["description"] = description.strip()
    if declared(endpoint.handler) != PUBLIC:
        said["security"] = [{"key": []}, {"session": []}]
    if operation.body is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": refs[operation.body]}}}
    return said


def _parameters(endpoint: Endpoint) -> Iterable[Schema]:
    operation = endpoint.operation
    for where, model in (("path", operation.path), ("query", operation.query)):
        if model is None:
            continue
        whole = model.model_json_schema()
        for name, schema in whole["properties"].items():
            yield _parameter(name, where, schema, required=name in whole.get("required", ()))
    if operation.fields:
        names = {"type": "array", "items": {"enum": list(operation.fields)}, "minItems": 1}
        described = {"description": "which members to tell, with commas; all unless said", **names}
        yield _parameter(FIELDS, "query", described, required=False)
    if problems.CHANGED_MEANWHILE in operation.problems:
        tags = {"type": "string", "description": "the ETag of the thing as you read it: 412 if it was changed since"}
        yield _parameter(hdrs.IF_MATCH, "header", tags, required=False)
    if endpoint.writes and not operation.is_door:
        key = {"type": "string", "pattern": idempotency.PATTERN, "description": "the same for the same write"}
        yield _parameter(idempotency.HEADER, "header", key, required=False)


def _parameter(name: str, where: str, schema: Schema, *, required: bool) -> Schema:
    schema = {key: value for key, value in schema.items() if key != "title"}
    choices = [choice for choice in schema.pop("anyOf", []) if choice.get("type") != "null"]
    if choices:
        (choice,) = choices
        schema = {**choice, **schema}
    if schema.get("default", ...) is None:
        del schema["default"]
    description = schema.pop("description", "")
    said: Schema = {"name": name, "in": where, "required": required, "schema": schema}
    if description:
        said["description"] = description
    if schema.get("type") == "array":
        said |= {"style": "form", "explode": False}
        if "examples" in schema:
            schema["examples"] = [example.split(",") for example in schema["examples"]]
    return said


def _responses(endpoint: Endpoint, refs: Refs) -> Schema:
    operation = endpoint.operation
    told: Schema = {str(operation.status): _success(operation, refs)}
    kinds: dict[int, list[Kind]] = {}
    for kind in _problems(endpoint):
        kinds.setdefault(kind.status, []).append(kind)
    for status, of_status in sorted(kinds.items()):
        described = "; ".join(f"`{kind.urn}`: {kind.title}" for kind in of_status)
        content = {problems.MEDIA_TYPE: {"schema": refs[Problem]}}
        told[str(status)] = {"description": described, "content": content}
    return told


def _success(operation: Operation, refs: Refs) -> Schema:
    content: Schema = {media: {"schema": {}} for media in operation.media}
    if operation.answer is not None:
        content[JSON] = {"schema": refs[operation.answer]}
    described = {"description": HTTPStatus(operation.status).phrase}
    return described | {"content": content} if content else described


def _problems(endpoint: Endpoint) -> Iterable[Kind]:
    """Return what any endpoint may answer, and what this one declares."""
    yield problems.INVALID_PARAMETER
    yield problems.NOT_FOUND
    if endpoint.operation.query is not None and issubclass(endpoint.operation.query, Paged):
        yield problems.NO_SUCH_CURSOR
    if endpoint.operation.query is not None and issubclass(endpoint.operation.query, Period):
        yield problems.NO_SUCH_MOMENT
    needs = declared(endpoint.handler)
    if needs != PUBLIC:
        yield problems.UNAUTHENTICATED
    if needs not in {PUBLIC, SIGNED_IN}:
        yield problems.FORBIDDEN
    if endpoint.method != hdrs.METH_GET:
        yield problems.CROSS_SITE
        yield problems.TOO_LARGE
        yield from _WRITTEN
    yield from endpoint.operation.problems
    yield problems.INTERNAL
    yield problems.UNAVAILABLE
