"""What the API is, for programs: its OpenAPI 3.1 document."""

import json
from typing import Final

from aiohttp import web

from api import openapi
from api.access import PUBLIC, require
from api.answers import tagged
from api.endpoint import get

PATH: Final = "/api/v1/openapi.json"
VERSION: Final = "1"


@require(PUBLIC)
async def read_openapi(request: web.Request) -> web.StreamResponse:
    """Tell this document."""
    endpoints = request.app[openapi.ENDPOINTS]
    body = json.dumps(openapi.document(endpoints, VERSION), ensure_ascii=False).encode()
    return tagged(request, web.Response(body=body, content_type="application/json"), body)


ROUTES: Final = (get(PATH, read_openapi, media=("application/json",)),)
