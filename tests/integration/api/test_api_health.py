from contextlib import AsyncExitStack
from pathlib import Path

import api_world
from aiohttp import ClientSession
from api_served import Served
from prometheus_client.parser import text_string_to_metric_families

from api.security import HEADERS
from api.settings import ApiSettings
from deploy.dsns import let_roles_in
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from store.access.roles import ROLES
from store.migrate import migrate


async def test_ready_when_the_database_answers_and_is_current(served: Served) -> None:
    async with served.http.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with served.http.get("/readyz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ready"})
    await served.connection.execute("DELETE FROM schema_migrations WHERE number = 2")
    async with served.http.get("/readyz") as response:
        assert response.status == 503
        assert "samara migrate" in (await response.json())["reason"]
    await served.connection.execute(
        "INSERT INTO schema_migrations (number, name) VALUES (2, 'again'), (9998, '9998.sql')"
    )
    async with served.http.get("/readyz") as response:
        assert response.status == 200  # it is newer, and only adds
    await served.connection.execute("INSERT INTO schema_migrations (number, name) VALUES (9999, '9999_new_post.sql')")
    async with served.http.get("/readyz") as response:
        assert response.status == 503
        assert "newer" in (await response.json())["reason"]


async def test_alive_and_not_ready_on_an_empty_database(empty_database: str) -> None:
    async with api_world.serving(empty_database, ApiSettings(), api_world.Clock()) as address, ClientSession() as http:
        async with http.get(f"{address}/healthz") as response:
            assert response.status == 200
        async with http.get(f"{address}/readyz") as response:
            assert response.status == 503


async def test_a_database_that_is_away_is_told_as_such(service_directory: Path, pg_bin: Path | None) -> None:
    async with AsyncExitStack() as stack:
        async with EmbeddedPostgres(service_directory / "postgres-api", pg_bin) as postgres:
            await migrate(postgres.dsn, timescale=False)
            await let_roles_in(postgres.dsn, {role: role_password(postgres.dsn, role) for role in ROLES})
            http = await stack.enter_async_context(ClientSession(cookies={"samara": "anything"}))
            address = await stack.enter_async_context(
                api_world.serving(postgres.dsn, ApiSettings(reconnect_s=0.05), api_world.Clock())
            )
        for path, kind in (("/readyz", "application/json"), ("/api/v1/tenants", "application/problem+json")):
            async with http.get(address + path) as response:
                assert (response.status, response.content_type) == (503, kind)
        async with http.get(f"{address}/t/mareuville") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert "pas accessibles pour le moment" in await response.text()
        async with http.get(f"{address}/healthz") as response:
            assert response.status == 200


async def test_requests_are_counted_by_route(served: Served) -> None:
    for path in ("/api/v1/tenants", "/api/v1/absent/1", "/api/v1/absent/2", "/t/mareuville", "/t/absent"):
        async with served.http.get(path):
            pass
    async with served.http.patch("/api/v1/tenants"):
        pass
    async with served.http.get("/metrics") as response:
        assert response.status == 200
        families = list(text_string_to_metric_families(await response.text()))
    counts = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name == "samara_api_requests_total"
    }
    assert counts == {
        ("GET", "/api/v1/tenants", "200"): 1,
        ("GET", "unmatched", "404"): 2,
        ("GET", "/t/{slug}", "200"): 1,
        ("GET", "/t/{slug}", "404"): 1,
        ("other", "unmatched", "405"): 1,
    }


async def test_every_answer_bears_the_headers_that_protect_it(served: Served) -> None:
    for path in ("/", "/t/mareuville", "/absent", "/api/v1/tenants", "/api/v1/absent", "/healthz"):
        async with served.http.get(path) as response:
            assert {name: response.headers[name] for name in HEADERS} == HEADERS, path
            assert "unsafe" not in response.headers["Content-Security-Policy"]
            assert "Server" not in response.headers
            assert "Strict-Transport-Security" not in response.headers


async def test_over_tls_browsers_are_told_to_stay_there(database: str) -> None:
    async with (
        api_world.serving(database, ApiSettings(https=True), api_world.Clock()) as address,
        ClientSession() as http,
        http.get(f"{address}/") as response,
    ):
        assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
