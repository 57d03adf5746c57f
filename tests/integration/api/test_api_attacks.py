"""Attacks that need more than a request: what is left in logs and on disk, how long an answer takes, who one seems."""

import io
import logging
import time
from pathlib import Path
from statistics import median
from typing import Final

import aiohttp
import api_world
import asyncpg
import pytest
from api_served import Served, serve
from api_world import QUICK_HASHER

from api.exports.delimited import harmless
from deploy import logs
from store.access.accounts import account_by_email, set_password

CANARY: Final = "c0ffee55c0ffee66c0ffee77c0ffee88"
DEVICE: Final = f"{1:016x}"
ROUNDS: Final = 40


@pytest.fixture
def logged(logs_as_before: None) -> io.StringIO:
    """Everything that is logged, from the least important up, as an operator would keep it."""
    del logs_as_before
    stream = io.StringIO()
    logs.configure("json", "debug", stream)
    for name in ("aiohttp.access", "asyncio", "asyncpg"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    return stream


def forms(secret: str) -> list[bytes]:
    return [secret.encode(), secret.upper().encode(), bytes.fromhex(secret), repr(bytes.fromhex(secret)).encode()]


async def test_a_network_key_is_in_no_log_no_export_and_no_backup(served: Served, logged: io.StringIO) -> None:
    """A backup holds the files of the database: each is searched, the log of changes included."""
    body = {"app_key": CANARY, "nwk_key": CANARY[::-1]}
    path = f"/api/v1/devices/{DEVICE}/keys?tenant=mareuville"
    async with served.http.post(path, json=body) as response:
        assert response.status == 204
    async with served.http.post(path, json={"app_key": CANARY + "0"}) as response:  # refused, and told why
        assert response.status == 400
    await served.connection.execute("ALTER TABLE device_keys RENAME TO away")
    async with served.http.post(path, json=body) as response:  # a defect is logged with its traceback
        assert response.status == 500
    await served.connection.execute("ALTER TABLE away RENAME TO device_keys")
    sent = b""
    for form in ("csv", "csv-fr", "xlsx", "geojson"):
        query = {"tenant": "mareuville", "form": form}
        async with served.http.get("/api/v1/exports/measurements", params=query) as response:
            assert response.status == 200
            sent += await response.read()
    for form in ("csv", "jsonl"):
        async with served.http.get("/api/v1/exports/audit", params={"form": form}) as response:
            assert response.status == 200
            sent += await response.read()
    told = logged.getvalue()
    assert "request failed" in told
    await served.connection.execute("CHECKPOINT")
    root = Path(await served.connection.fetchval("SHOW data_directory"))
    base = await served.connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    files = [one for one in (root / "base" / str(base)).iterdir() if one.is_file()]
    newest = sorted((root / "pg_wal").glob("0*"), key=lambda one: one.stat().st_mtime)[-2:]
    found = b"".join(one.read_bytes() for one in [*files, *newest])
    assert b"secretary" not in found
    assert DEVICE.encode() in found  # this is where the database is
    for secret in (CANARY, CANARY[::-1]):
        for form_of_it in forms(secret):
            assert form_of_it not in sent
            assert form_of_it not in told.encode()
            assert form_of_it not in found
    sealed = await served.connection.fetchrow("SELECT sealed, wrapped FROM device_keys LIMIT 1")
    assert sealed is not None
    assert sealed["sealed"] in found  # and this is how it is there
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await served.connection.execute("SET ROLE samara_api; SELECT * FROM device_keys")


async def test_passwords_keys_and_cookies_are_in_no_log(served: Served, logged: io.StringIO) -> None:
    password, key = "a password that was typed", "smr_" + "k" * 43
    async with served.http.post("/api/v1/session", json={"email": "a@b.fr", "password": password}) as response:
        assert response.status == 401
    base = str(served.http._base_url)
    headers = {"Authorization": f"Bearer {key}", "Cookie": "samara=a-cookie-that-is-nobody-s"}
    async with aiohttp.ClientSession(base, headers=headers) as http, http.get("/api/v1/tenants") as response:
        assert response.status == 401
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    async with aiohttp.ClientSession(base, cookies=cookie) as http, http.get("/api/v1/gateways") as response:
        assert response.status == 403
    told = logged.getvalue()
    assert '"kind": "forbidden"' in told  # who is refused what is told
    for secret in (password, key, cookie["samara"], "a-cookie-that-is-nobody-s"):
        assert secret not in told
    audited = str(await served.connection.fetch("SELECT * FROM audit"))
    assert password not in audited


async def test_a_foreign_thing_takes_no_longer_than_an_absent_one(served: Served) -> None:
    """Medians of alternate requests, so that a busy machine is as busy for both: a class of time, not microseconds."""
    cookie = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="m@example.fr")
    foreign, absent = served.world.foreign.point_id, 2**31 - 2
    base = str(served.http._base_url)
    addresses = {
        True: (
            "/api/v1/sites?tenant=autreville",
            f"/api/v1/points/{foreign}/series?tenant=mareuville&quantity=temperature",
        ),
        False: (
            "/api/v1/sites?tenant=nullepart",
            f"/api/v1/points/{absent}/series?tenant=mareuville&quantity=temperature",
        ),
    }
    async with aiohttp.ClientSession(base, cookies=cookie) as http:
        for which in range(2):
            took: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(ROUNDS):
                for is_foreign, paths in addresses.items():
                    began = time.perf_counter()
                    async with http.get(paths[which]) as response:
                        await response.read()
                    assert response.status == 404
                    took[is_foreign].append(time.perf_counter() - began)
            ratio = median(took[True]) / median(took[False])
            assert 0.6 < ratio < 1.7, (addresses[True][which], ratio)


async def test_nobody_chooses_the_address_that_they_seem_to_come_from(served: Served) -> None:
    """X-Forwarded-For is believed of the proxies that the operator named, and of nobody else."""
    wrong = {"email": "personne@example.fr", "password": "wrong wrong wrong"}
    for number in range(6):
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "X-Real-IP": f"192.0.2.{number}"}
        async with served.http.post("/api/v1/session", json=wrong, headers=headers) as response:
            assert response.status == (401 if number < 5 else 429)
    addresses = await served.connection.fetch("SELECT DISTINCT detail FROM audit WHERE action = 'session.refused'")
    assert [row["detail"] for row in addresses] == ['{"address": "127.0.0.1"}']


async def test_behind_a_proxy_the_last_address_that_it_tells_counts(territory: api_world.Territory) -> None:
    async for served in serve(territory, trusted_proxies=("127.0.0.0/8",)):
        wrong = {"email": "personne@example.fr", "password": "wrong wrong wrong"}
        headers = {"X-Forwarded-For": "10.9.9.9, 192.0.2.7"}  # the first is what the reader made up
        async with served.http.post("/api/v1/session", json=wrong, headers=headers) as response:
            assert response.status == 401
        told = await served.connection.fetchval("SELECT detail FROM audit WHERE action = 'session.refused'")
        assert told == '{"address": "192.0.2.7"}'


async def test_over_tls_every_cookie_is_of_this_host_alone(territory: api_world.Territory) -> None:
    async for served in serve(territory, https=True):
        account_id = await account_by_email(served.connection, "somebody@example.fr")
        await set_password(served.connection, account_id, QUICK_HASHER.hash("quatre mots sans rapport"))
        origin = str(served.http._base_url).replace("http:", "https:").rstrip("/")
        form = {"email": "somebody@example.fr", "password": "quatre mots sans rapport", "next": "/"}
        told = []
        async with aiohttp.ClientSession(served.http._base_url, headers={"Origin": origin}) as http:
            async with http.get("/connexion?lang=en") as response:
                told += response.headers.getall("Set-Cookie")
            async with http.post("/connexion", data=form, allow_redirects=False) as response:
                assert response.status == 303
                told += response.headers.getall("Set-Cookie")
        assert len(told) >= 2
        for cookie in told:
            assert cookie.startswith("__Host-")
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_methods_that_no_route_takes_are_refused(served: Served) -> None:
    for method in ("TRACE", "PROPFIND", "PUT", "OPTIONS"):
        async with served.http.request(method, "/api/v1/sites?tenant=mareuville") as response:
            assert response.status in {400, 405}, method
            assert "Access-Control-Allow-Origin" not in response.headers


async def test_another_site_reads_nothing_by_a_browser(served: Served) -> None:
    """No answer allows another origin: neither a simple request nor a preflight gets more than its refusal."""
    for path in ("/api/v1/tenants", "/api/v1/openapi.json", "/connexion", "/static/absent", "/api/v1/live?tenant=x"):
        async with served.http.get(path, headers={"Origin": "https://evil.example"}) as response:
            assert not [name for name in response.headers if name.startswith("Access-Control-")]
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_signing_out_leaves_nothing_in_the_browser(served: Served) -> None:
    async with served.http.post("/deconnexion", allow_redirects=False) as response:
        assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert "Max-Age=0" in str(response.headers.getall("Set-Cookie"))


async def test_no_name_is_a_formula_in_an_export(served: Served) -> None:
    """Whatever is in the database: a technician's name for a point, or an e-mail in the audit log."""
    for text in ("=1+1", "+1", "-1", "@x", "\tx", "\rx"):
        await served.connection.execute(
            "UPDATE points SET name = $1 WHERE point_id = $2", text, served.world.air.point_id
        )
        await served.connection.execute("SELECT audit_append(NULL, $1, 'x', NULL, $1, '{}')", text)
        for path in ("measurements?tenant=mareuville&form=csv-fr", "audit?form=csv"):
            async with served.http.get(f"/api/v1/exports/{path}") as response:
                body = (await response.read()).decode()
            assert harmless(text) in body
            assert f";{text}" not in body
            assert f",{text}" not in body
