"""Endpoints of the REST API: a handler's signature says what it takes and answers, and nothing says it again.

    async def list_points(request: web.Request, query: PointsQuery) -> models.Page[models.Point]: …

    ROUTES = (get("/api/v1/points", list_points),)

`path`, `query` and `body` are pydantic models, parsed before the handler is called; what it returns is a model, sent
as JSON, or a response of its own. A handler that writes takes `connection`, in the transaction that keeps its answer
for the same Idempotency-Key. The OpenAPI document is made of the same declarations.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, NamedTuple, get_type_hints

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import AbstractRoute, UrlDispatcher
from pydantic import BaseModel

from api import idempotency, parameters, problems
from api.answers import FIELDS, json_answer, refuse_changed, selectable
from api.bodies import read_bytes
from api.context import TENANT_ID, writer
from api.problems import Kind, ProblemError
from store.access import audit
from store.access.supervision import tell
from store.assignments import AssignmentError
from store.installing import RefusedError

JSON: Final = "application/json"
_ASSIGNED: Final = "The device or the point was assigned otherwise since a later moment."
Handler = Callable[..., Awaitable[BaseModel | web.StreamResponse | None]]
Query = type[BaseModel] | None


class Operation(NamedTuple):
    """What one endpoint takes and answers. `media` is what it answers when it is not a model as JSON.

    `held` returns what is there before a write, and keeps others from changing it until the transaction ends: what
    `If-Match` is compared with. It takes the connection, and of what the handler takes what it names.
    """

    name: str
    summary: str
    path: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    media: tuple[str, ...]
    status: int
    problems: tuple[Kind, ...]
    is_door: bool = False
    held: Handler | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Return what `fields` may select of the answer."""
        return () if self.answer is None or self.body is not None else selectable(self.answer)


@dataclass(frozen=True)
class Endpoint(web.AbstractRouteDef):
    """A method and an address, the handler behind, and what is declared of it."""

    method: str
    path: str
    handler: Handler
    operation: Operation
    takes_query: bool

    @property
    def writes(self) -> bool:
        """Say whether the endpoint changes something."""
        return self.method != hdrs.METH_GET

    def register(self, router: UrlDispatcher) -> list[AbstractRoute]:
        """Add the route to the application's."""
        if self.method == hdrs.METH_GET and not self.operation.media:
            return [router.add_get(self.path, self.handle)]
        return [router.add_route(self.method, self.path, self.handle)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Parse, call the handler, and send what it returns."""
        operation, arguments = self.operation, {}
        taken = {FIELDS: None} if operation.fields else {}
        query = parameters.of_query(request, operation.query or parameters.Asked, taken)
        if self.takes_query:
            arguments["query"] = query
        if operation.path is not None:
            arguments["path"] = parameters.of_path(request, operation.path)
        if not self.writes:
            found = await self.handler(request, **arguments)
            return found if isinstance(found, web.StreamResponse) else self._answer(request, found)
        body = await read_bytes(request)
        if operation.body is not None:
            if request.content_type != JSON:
                raise ProblemError(problems.UNSUPPORTED_MEDIA, f"Send the body as {JSON}.")
            arguments["body"] = parameters.of_body(body, operation.body)
        if operation.is_door:
            answer = await self.handler(request, **arguments)
            assert isinstance(answer, web.StreamResponse), "a door answers by itself"
            return answer
        work = partial(self._written, request, arguments)
        try:
            return await idempotency.once(request, body, work)
        except RefusedError as error:
            if error.elsewhere is not None:  # nothing else of this transaction was kept
                async with writer(request) as connection:
                    await tell(connection, "dev_eui_elsewhere", **error.elsewhere._asdict())
            raise ProblemError(problems.CONFLICT, str(error)) from error

    async def _written(self, request: web.Request, arguments: dict[str, Any], connection: Any) -> web.Response:
        held = self.operation.held
        if held is not None and request.if_match is not None:
            asked = {name: arguments[name] for name in inspect.signature(held).parameters if name in arguments}
            there = await held(request, connection=connection, **asked)
            assert isinstance(there, BaseModel), "what is there is told by a model"
            refuse_changed(request, there)
        try:
            found = await self.handler(request, connection=connection, **arguments)
        except AssignmentError as error:
            raise ProblemError(problems.CONFLICT, _ASSIGNED) from error
        assert not isinstance(found, web.StreamResponse), "what is written is answered by a model"
        await self._audited(request, arguments, connection, found)
        return self._answer(request, found)

    async def _audited(
        self, request: web.Request, arguments: dict[str, Any], connection: Any, found: BaseModel | None
    ) -> None:
        """Add to the audit log who wrote what where, if the handler did not; of values, the ids alone."""
        path, body = arguments.get("path"), arguments.get("body")
        made = getattr(found, "id", None)
        await audit.append_own(
            connection,
            f"api.{self.operation.name}",
            tenant_id=request.get(TENANT_ID),
            subject=" ".join(str(value) for value in (path.model_dump() if path else {}).values()),
            detail=({"members": sorted(body.model_fields_set)} if body else {}) | ({"made": made} if made else {}),
            unless_told=True,
        )

    def _answer(self, request: web.Request, found: BaseModel | None) -> web.Response:
        if found is None:
            return web.Response(status=web.HTTPNoContent.status_code)
        return json_answer(request, found, fields=self.operation.fields, status=self.operation.status)


def _endpoint(method: str, path: str, handler: Handler, query: Query, **declared: Any) -> Endpoint:
    hints = get_type_hints(handler, include_extras=True)
    answer = hints.get("return")
    if answer is type(None):
        declared["status"] = web.HTTPNoContent.status_code
    if declared.get("held") is not None:
        declared["problems"] = (*declared["problems"], problems.CHANGED_MEANWHILE)
    operation = Operation(
        name=handler.__name__,
        summary=inspect.getdoc(handler) or "",
        path=hints.get("path"),
        query=hints.get("query") or query,
        body=hints.get("body"),
        answer=answer if inspect.isclass(answer) and issubclass(answer, BaseModel) else None,
        **declared,
    )
    return Endpoint(method, path, handler, operation, takes_query="query" in hints)


def get(
    path: str,
    handler: Handler,
    *,
    query: Query = None,
    media: tuple[str, ...] = (),
    problems: tuple[Kind, ...] = (),
) -> Endpoint:
    """Declare what is read. `query` is for a handler that takes none: what others read of the address."""
    return _endpoint(hdrs.METH_GET, path, handler, query, status=200, media=media, problems=problems)


def post(
    path: str, handler: Handler, *, query: Query = None, problems: tuple[Kind, ...] = (), held: Handler | None = None
) -> Endpoint:
    """Declare what makes a thing; it is answered with 201, or 204 when there is nothing to tell.

    With `held`, what replaces another: on the condition of `If-Match`.
    """
    return _endpoint(hdrs.METH_POST, path, handler, query, status=201, media=(), problems=problems, held=held)


def door(
    method: str,
    path: str,
    handler: Handler,
    *,
    status: int,
    query: Query = None,
    answer: type[BaseModel] | None = None,
    problems: tuple[Kind, ...] = (),
) -> Endpoint:
    """Declare what opens or ends a session, or tells a secret: it answers by itself, and its answer is not kept."""
    endpoint = _endpoint(method, path, handler, query, status=status, media=(), problems=problems, is_door=True)
    return replace(endpoint, operation=endpoint.operation._replace(answer=answer))


def patch(
    path: str, handler: Handler, *, query: Query = None, problems: tuple[Kind, ...] = (), held: Handler | None = None
) -> Endpoint:
    """Declare what changes the members that are given of a thing; with `held`, on the condition of `If-Match`."""
    return _endpoint(hdrs.METH_PATCH, path, handler, query, status=200, media=(), problems=problems, held=held)


def delete(
    path: str, handler: Handler, *, query: Query = None, problems: tuple[Kind, ...] = (), held: Handler | None = None
) -> Endpoint:
    """Declare what takes a thing away; with `held`, on the condition of `If-Match`."""
    return _endpoint(hdrs.METH_DELETE, path, handler, query, status=204, media=(), problems=problems, held=held)
