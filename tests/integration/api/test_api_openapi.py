"""What the API says of itself, and whether it is so: asked by machine, every check on."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

import api_world
import jsonschema
import pytest
from aiohttp import hdrs
from api_served import Served

HERE = Path(__file__).parent
WITHIN_S = 300


async def document(served: Served) -> dict[str, Any]:
    async with served.http.get("/api/v1/openapi.json") as response:
        assert response.status == 200
        assert response.headers[hdrs.ETAG]
        return dict(await response.json())


async def ask(served: Served, *options: str) -> None:
    """Ask what the document allows and what it does not. Every check is on."""
    base = str(served.http._base_url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "schemathesis",
        *("--config-file", HERE / "schemathesis.toml", "--no-color"),
        *("run", f"{base}/api/v1/openapi.json", "--checks", "all", "--seed", "1", "--no-shrink", *options),
        *("--header", f"Authorization: Bearer {await api_world.make_key(served.connection)}"),
        cwd=HERE,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()


async def test_each_endpoint_is_as_its_document_says(served: Served) -> None:
    await ask(served, "--phases", "examples,fuzzing,stateful", "--max-examples", "2")


@pytest.mark.slow
async def test_each_endpoint_is_as_its_document_says_at_length(served: Served) -> None:
    await ask(served, "--max-examples", "50")


async def test_every_answer_of_the_document_refers_to_a_schema_that_is_there(served: Served) -> None:
    found = await document(served)
    schemas = found["components"]["schemas"]

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [one for value in node.values() for one in references(value)]
        return [one for value in node for one in references(value)] if isinstance(node, list) else []

    assert {reference.rpartition("/")[2] for reference in references(found)} <= schemas.keys()
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


# What has nothing to be compared with: sessions are ended whatever became of them since.
ENDED: Final = {"/api/v1/session", "/api/v1/sessions", "/api/v1/sessions/{id}", "/api/v1/accounts/{id}/sessions"}


async def test_whatever_is_changed_or_taken_away_can_be_on_condition(served: Served) -> None:
    found = await document(served)
    for path, methods in found["paths"].items():
        for method in methods.keys() & {"put", "patch", "delete"}:
            if path in ENDED:
                continue
            named = {one["name"] for one in methods[method]["parameters"]}
            assert "412" in methods[method]["responses"], (method, path)
            assert {"If-Match"} <= named, (method, path)
            assert "get" in methods, f"{path}: the tag to give back is told nowhere"


async def test_fields_choose_what_is_told(served: Served) -> None:
    async with served.http.get("/api/v1/points?tenant=mareuville&fields=name,id&limit=2") as response:
        body = await response.json()
    assert [item.keys() for item in body["items"]] == [{"id", "name"}] * 2
    assert body["next_cursor"]
    async with served.http.get("/api/v1/points?tenant=mareuville&fields=secret") as response:
        assert response.status == 400
        said = await response.json(content_type=None)
    assert said["errors"][0] == {
        "field": "fields",
        "detail": "it names what is not there",
        "accepted": "id, site_id, name, dev_eui, is_individual, use, part_of",
    }


async def test_problems_are_told_in_the_language_asked(served: Served) -> None:
    for asked, language, title in (
        ("fr-FR,en;q=0.5", "fr", "Il n'y a rien de tel ici."),
        ("en", "en", "There is no such thing here."),
        ("", "en", "There is no such thing here."),
    ):
        headers = {"Accept-Language": asked} if asked else {}
        async with served.http.get("/api/v1/sites?tenant=absent", headers=headers) as response:
            said = await response.json(content_type=None)
            assert (said["type"], said["title"]) == ("urn:samara:problem:not-found", title)
            assert response.headers["Content-Language"] == language


async def test_the_page_of_the_api_shows_every_endpoint_and_problem(served: Served) -> None:
    found = await document(served)
    async with served.http.get("/api") as response:
        assert response.status == 200
        html = await response.text()
    for path, methods in found["paths"].items():
        assert path in html
        for said in methods.values():
            assert f'id="{said["operationId"]}"' in html
    assert 'id="not-found"' in html
    assert "Adresses" in html
