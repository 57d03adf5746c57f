"""The page of the API: each endpoint of the OpenAPI document with what it takes and answers, and every problem."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from aiohttp import web

from api import openapi
from api.access import PUBLIC, require
from api.endpoint import JSON
from api.pages import rendering
from api.pages.texts import language_of
from api.problems import KINDS
from api.v1.openapi import PATH as DOCUMENT
from api.v1.openapi import VERSION

PATH: Final = "/api"


class Member(NamedTuple):
    """A parameter, or a member of a body or of an answer."""

    name: str
    form: str
    needed: bool
    about: str


class Part(NamedTuple):
    """One method of one address."""

    anchor: str
    method: str
    path: str
    summary: str
    about: str
    parameters: list[Member]
    body: list[Member]
    media: list[str]
    answer: str


class Shape(NamedTuple):
    """A model: its name and its members."""

    name: str
    about: str
    members: list[Member]


@require(PUBLIC)
async def page(request: web.Request) -> web.Response:
    """Answer the page."""
    endpoints = request.app[openapi.ENDPOINTS]
    document = openapi.document(endpoints, VERSION)
    schemas = document["components"]["schemas"]
    french = language_of(request) == "fr"
    return rendering.html(
        request,
        "reference.html",
        document=DOCUMENT,
        about=document["info"]["description"].split("\n\n"),
        parts=list(_parts(document["paths"], schemas)),
        shapes=[_shape(name, schema) for name, schema in sorted(schemas.items()) if "properties" in schema],
        problems=[(kind, kind.title_fr if french else kind.title) for kind in KINDS],
    )


def _parts(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Part]:
    for path, methods in paths.items():
        for method, said in methods.items():
            content = next(iter(said["responses"].values())).get("content", {})
            body = said.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
            yield Part(
                anchor=said["operationId"],
                method=method.upper(),
                path=path,
                summary=said["summary"],
                about=said.get("description", ""),
                parameters=[
                    Member(one["name"], _form(one["schema"]), one["required"], one.get("description", ""))
                    for one in said["parameters"]
                ],
                body=_members(schemas[_name(body)]) if body else [],
                media=list(content),
                answer=_name(content.get(JSON, {}).get("schema", {})),
            )


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    return Shape(name, schema.get("description", ""), _members(schema))


def _members(schema: Mapping[str, Any]) -> list[Member]:
    needed = schema.get("required", ())
    return [
        Member(name, _form(one), name in needed, one.get("description", ""))
        for name, one in schema["properties"].items()
    ]


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _form(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words: `integer`, `string | null`, `Site[]`."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " | ".join(_form(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(choice) for choice in schema["enum"])
    if schema.get("type") == "array":
        return f"{_form(schema.get('items', {}))}[]"
    form = schema.get("format") or schema.get("type") or "any"
    default = schema.get("default")
    return f"{form} = {default}" if default is not None else str(form)


ROUTES: Final = (web.get(PATH, page),)
