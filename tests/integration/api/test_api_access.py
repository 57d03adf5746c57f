"""Who gets in, and what they reach: the attacks that must be refused, over HTTP."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import aiohttp
import api_world
import pytest
from aiohttp import web
from api_served import Served
from api_world import NOW, QUICK_HASHER
from yarl import URL

from api import access, totp
from api.access import digest
from domain.errors import ConfigurationError
from store.access.accounts import account_by_email, set_password
from store.access.factors import propose, use
from store.access.links import add_link

PASSWORD: Final = "quatre mots sans rapport"
ROLES: Final = ("viewer", "manager", "technician", "administrator")
DEVICE: Final = f"{5:016x}"  # of Autreville

# What a request needs besides the ids to be understood: then only whose it is can refuse it.
QUERIES: Final = {
    "/api/v1/points/{id}/series": {"quantity": "temperature"},
    "/api/v1/series": {"quantity": "temperature", "points": "{point}"},
}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/v1/sites": {"name": "x"},
    "PATCH /api/v1/sites/{id}": {"name": "x"},
    "DELETE /api/v1/sites/{id}": {},
    "POST /api/v1/points": {"site_id": "{site}", "name": "x"},
    "PATCH /api/v1/points/{id}": {"name": "x"},
    "POST /api/v1/devices": {"dev_eui": "00000000000000fe"},
    "PATCH /api/v1/devices/{dev_eui}": {"name": "x"},
    "POST /api/v1/devices/{dev_eui}/keys": {"app_key": "00112233445566778899aabbccddeeff"},
    "POST /api/v1/assignments": {"dev_eui": DEVICE, "point_id": "{point}"},
    "POST /api/v1/assignments/{id}/end": {},
    "POST /api/v1/imports": {"rows": [{"dev_eui": "00000000000000fd"}]},
    "POST /api/v1/network-server": {
        "kind": "chirpstack",
        "address": "https://x.example",
        "application": "x",
        "token": "xxxxxxxx",
    },
    "DELETE /api/v1/network-server": {},
    "POST /api/v1/network-orders": {"act": "list"},
    "POST /api/v1/network-orders/{id}/cancellation": {},
    "POST /api/v1/network-orders/{id}/retry": {},
    "POST /api/v1/loans": {"dev_eui": DEVICE, "to": "somme", "due_on": "2199-01-01"},
    "PATCH /api/v1/loans/{id}": {"note": "x"},
    "POST /api/v1/loans/{id}/return": {},
    "POST /api/v1/devices/{dev_eui}/transfer": {"to": "somme"},
    "POST /api/v1/network-adoptions": {"devices": [DEVICE]},
    "POST /api/v1/installations": {"dev_eui": DEVICE, "point_id": "{point}"},
    "POST /api/v1/devices/{dev_eui}/removal": {},
    "POST /api/v1/devices/{dev_eui}/downlinks": {"command": "period", "parameters": {"period_s": 600}},
    "DELETE /api/v1/devices/{dev_eui}/downlinks/{id}": {},
    "POST /api/v1/incidents/{id}/acknowledgement": {"note": "x"},
    "POST /api/v1/incidents/{id}/assignment": {"to": "x"},
    "POST /api/v1/incidents/{id}/comments": {"note": "x"},
    "POST /api/v1/silences": {"site_id": "{site}", "until": "2199-01-01T00:00:00Z", "reason": "x"},
    "DELETE /api/v1/silences/{id}": {},
    "POST /api/v1/maintenance-windows": {"site_id": "{site}", "until": "2199-01-01T00:00:00Z", "reason": "x"},
    "DELETE /api/v1/maintenance-windows/{id}": {},
    "POST /api/v1/contacts": {"name": "x", "channel": "email", "target": {"address": "x@example.fr"}},
    "DELETE /api/v1/contacts/{id}": {},
    "POST /api/v1/contacts/{id}/test": {},
    "POST /api/v1/contacts/{id}/shifts": {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
    "DELETE /api/v1/shifts/{id}": {},
    "POST /api/v1/escalation": {"steps": []},
    "POST /api/v1/messages/{id}/resend": {},
    "POST /api/v1/rules": {
        "name": "x",
        "kind": "threshold",
        "definition": {"quantity": "co2", "above": 1},
        "site_id": "{site}",
    },
    "PATCH /api/v1/rules/{id}": {"name": "x"},
    "POST /api/v1/tags": {"tag": "x", "points": ["{point}"]},
    "POST /api/v1/hours": {"site_id": "{site}", "hours": {"weekly": {}}},
    "DELETE /api/v1/rules/{id}": {},
    "POST /api/v1/rules/{id}/backtest": {},
    "POST /api/v1/rule-templates": {"template": "school", "site_id": "{site}"},
    "POST /api/v1/datasets": {"name": "x", "title": "x", "description": "x", "quantities": ["temperature"]},
    "DELETE /api/v1/datasets/{id}": {},
    "PATCH /api/v1/processings/{data_class}": {"keep_months": 12},
    "PATCH /api/v1/comparison": {"inhabitants": 812, "population_year": 2026},
    "POST /api/v1/points/{id}/erasure": {"reason": "x"},
    "POST /api/v1/grants": {"account_id": "{account}", "role": "viewer"},
    "DELETE /api/v1/grants/{id}": {},
    "POST /api/v1/invitations": {"email": "x@example.fr", "role": "viewer"},
    "DELETE /api/v1/accounts/{id}/sessions": {},
    "DELETE /api/v1/keys/{id}": {},
    "DELETE /api/v1/sessions/{id}": {},
}
INSERT_FOREIGN: Final = """
WITH contact AS (
  INSERT INTO contacts (tenant_id, name, channel, target) VALUES ($1, 'Secret', 'email', '{}') RETURNING contact_id
),
incident AS (
  INSERT INTO incidents (tenant_id, cause, opened_at) VALUES ($1, 'Secret', now()) RETURNING incident_id
),
silence AS (
  INSERT INTO silences (tenant_id, during, reason, created_by)
  VALUES ($1, tstzrange('2020-01-01', '2190-01-01'), 'Secret', 'x') RETURNING silence_id
),
works AS (
  INSERT INTO maintenance_windows (tenant_id, during, reason)
  VALUES ($1, tstzrange('2020-01-01', '2190-01-01'), 'Secret') RETURNING window_id
),
shift AS (
  INSERT INTO on_call_shifts (contact_id, during)
  SELECT contact_id, tstzrange('2020-01-01', '2190-01-01') FROM contact RETURNING shift_id
),
rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity, backtest, backtest_version, enabled)
  VALUES ($1, 'Secret', 'threshold', '{"quantity": "co2", "above": 1}', '{"everything": true}', 'info',
          '{"count": 0, "since": "2026-01-01T00:00:00+00:00", "until": "2026-01-02T00:00:00+00:00", "subjects": 0,
            "samples": 0, "per_day": {}, "firings": [], "curve": null}', 1, true)
  RETURNING rule_id
),
dataset AS (
  INSERT INTO open_datasets (tenant_id, name, title, description, quantities, grain, every, since)
  VALUES ($1, 'x', 'Secret', 'Secret', '{temperature}', 'site', 'day', now()) RETURNING dataset_id
),
network_order AS (
  INSERT INTO network_orders (tenant_id, act) VALUES ($1, 'list') RETURNING order_id
),
taker AS (
  INSERT INTO tenants (slug, name, kind) VALUES ('secret', 'Secret', 'commune') RETURNING tenant_id
),
loan AS (
  INSERT INTO loans (tenant_id, borrower_id, device_id, lent_at, due_on, note)
  SELECT $1, taker.tenant_id, device_id, now(), '2199-01-01', 'Secret'
    FROM taker, devices WHERE devices.tenant_id = $1 LIMIT 1 RETURNING loan_id
),
message AS (
  INSERT INTO deliveries (message_id, tenant_id, contact_id, kind, severity, state, due_at, created_at)
  SELECT 'Secret', $1, contact_id, 'test', 'info', 'dead', now(), now() FROM contact RETURNING delivery_id
)
SELECT contact_id AS contact, incident_id AS incident, silence_id AS silence, delivery_id AS message,
       rule_id AS rule, dataset_id AS dataset, window_id AS "maintenance-window",
       order_id AS "network-order", loan_id AS loan
  FROM contact, incident, silence, message, rule, dataset, works, network_order, loan
"""
# One's own, whoever one is: there is nothing of another tenant to name.
OWN: Final = {
    ("GET", "/api/v1/keys"),
    ("POST", "/api/v1/keys"),
    ("GET", "/api/v1/sessions"),
    ("DELETE", "/api/v1/sessions"),
    ("GET", "/api/v1/exports/account"),
}
INSERT_SOMEBODY: Final = """
WITH somebody AS (
  INSERT INTO accounts (email, name) VALUES ('secret@autreville.example', 'Secret') RETURNING account_id
),
held AS (
  INSERT INTO grants (account_id, role, tenant_id, with_descendants)
  SELECT account_id, 'manager', $1, false FROM somebody RETURNING grant_id
),
key AS (
  INSERT INTO api_keys (digest, account_id, name, hint, permissions, expires_at)
  SELECT 'x', account_id, 'Secret', 'x', '{read}', now() + '1 day' FROM somebody RETURNING key_id
),
open AS (
  INSERT INTO sessions (digest, account_id, idle, expires_at)
  SELECT 'y', account_id, '1 day', now() + '1 day' FROM somebody RETURNING session_id
)
SELECT account_id AS account, grant_id AS grant, key_id AS key, session_id AS session FROM somebody, held, key, open
"""
OPEN: Final = {"/api/v1/openapi.json", "/api/v1/quantities"}
DOORS: Final = {"/api/v1/session", "/api/v1/session/second-factor"}


@asynccontextmanager
async def browser(served: Served, cookie: dict[str, str] | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    base = str(served.http._base_url).rstrip("/")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(base, cookie_jar=jar, headers={"Origin": base}) as http:
        if cookie:
            jar.update_cookies(cookie, URL(base))
        yield http


async def an_account(served: Served, email: str = "maire@example.fr", *, factor: bytes | None = None) -> int:
    await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email=email)
    account_id = await account_by_email(served.connection, email)
    await set_password(served.connection, account_id, QUICK_HASHER.hash(PASSWORD))
    if factor is not None:
        await propose(served.connection, api_world.KEYRING, account_id, factor)
        await use(served.connection, account_id, 1)
    return account_id


async def sign_in(http: aiohttp.ClientSession, password: str = PASSWORD, email: str = "maire@example.fr") -> int:
    async with http.post(
        "/connexion", data={"email": email, "password": password, "next": "/"}, allow_redirects=False
    ) as r:
        await r.read()
        return r.status


async def operations(served: Served) -> list[tuple[str, str]]:
    async with served.http.get("/api/v1/openapi.json") as response:
        paths = (await response.json())["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


async def test_every_route_answers_a_foreign_thing_as_an_absent_one(served: Served) -> None:
    """Each route of the document, as each role of Mareuville: Autreville's ids, then ids of nobody."""
    foreign = await served.connection.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    site = await served.connection.fetchval("SELECT site_id FROM sites WHERE tenant_id = $1", foreign)
    assignment = await served.connection.fetchval(
        "SELECT assignment_id FROM assignments WHERE point_id = $1", served.world.foreign.point_id
    )
    theirs = {"point": served.world.foreign.point_id, "site": site, "assignment": assignment, "dev_eui": DEVICE}
    nobodys = {"point": 2**31 - 2, "site": 2**31 - 2, "assignment": 2**31 - 2, "dev_eui": "ffffffffffffffff"}
    alerting = await served.connection.fetchrow(INSERT_FOREIGN, foreign)
    assert alerting is not None
    somebody = await served.connection.fetchrow(INSERT_SOMEBODY, foreign)
    assert somebody is not None
    theirs |= {**alerting, **somebody}
    nobodys |= dict.fromkeys([*alerting.keys(), *somebody.keys()], 2**31 - 2)
    asked = 0
    for role in ROLES:
        cookie = await api_world.sign_in(
            served.connection, (role, served.world.tenant_id), email=f"{role}@mareuville.example"
        )
        async with browser(served, cookie) as http:
            for method, path in await operations(served):
                if path in OPEN | DOORS | {"/api/v1/tenants", "/api/v1/gateways"} or (method, path) in OWN:
                    continue
                if method != "GET":
                    assert f"{method} {path}" in BODIES, "say here what this route takes"
                for slug in ("autreville", "mareuville"):
                    answers = {
                        await told(http, method, path, slug if ids is theirs or slug == "mareuville" else "absent", ids)
                        for ids in (theirs, nobodys)
                    }
                    assert len(answers) == 1, (role, method, path, slug, answers)
                    (status, _, body) = answers.pop()
                    if slug == "autreville" and not path.startswith(("/api/v1/keys", "/api/v1/sessions")):
                        assert status in {403, 404}, (role, method, path, body)  # 403: the role may nowhere
                    assert b"Secret" not in body
                    asked += 1
    assert asked > 100
    assert await served.connection.fetchval("SELECT count(*) FROM sites WHERE tenant_id = $1", foreign) == 1
    assert await served.connection.fetchval("SELECT name FROM points WHERE point_id = $1", theirs["point"]) == "Secret"
    assert await served.connection.fetchval("SELECT count(*) FROM device_keys") == 0
    assert await served.connection.fetchval("SELECT state FROM deliveries WHERE tenant_id = $1", foreign) == "dead"
    assert await served.connection.fetchval("SELECT deleted_at FROM contacts WHERE tenant_id = $1", foreign) is None
    rule = await served.connection.fetchrow("SELECT name, enabled, deleted_at FROM rules WHERE tenant_id = $1", foreign)
    assert tuple(rule or ()) == ("Secret", True, None)
    assert await served.connection.fetchval("SELECT count(*) FROM grants WHERE tenant_id = $1", foreign) == 1
    assert await served.connection.fetchval("SELECT revoked_at FROM api_keys") is None
    assert await served.connection.fetchval("SELECT count(*) FROM sessions WHERE digest = 'y'") == 1


async def told(
    http: aiohttp.ClientSession, method: str, path: str, slug: str, ids: dict[str, Any]
) -> tuple[int, str, bytes]:
    kind = re.match(r"/api/v1/([\w-]+?)s?(?:/|$)", path)
    assert kind
    address = path.replace("{id}", str(ids.get(kind[1], 1))).replace("{dev_eui}", ids["dev_eui"])
    address = address.replace("{data_class}", "individual_water")
    query = {"tenant": slug} | {
        name: value.replace("{point}", str(ids["point"])) for name, value in QUERIES.get(path, {}).items()
    }
    named = {"{point}": ids["point"], "{site}": ids["site"], "{account}": ids["account"], DEVICE: ids["dev_eui"]}

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        return named.get(value, value) if isinstance(value, str) else value

    body = {name: filled(value) for name, value in BODIES.get(f"{method} {path}", {}).items()}
    sent = body if method in {"POST", "PATCH"} else None
    async with http.request(method, address, params=query, json=sent) as response:
        if (response.status < 400 or response.status == 409) and "{" not in path and slug == "mareuville":
            return (200, "", b"")  # one's own list; or one more of one's own, made now or a moment ago
        return (response.status, response.content_type, await response.read())


async def test_every_route_asks_who_is_there(served: Served) -> None:
    async with browser(served) as http:
        for method, path in await operations(served):
            if path in OPEN | DOORS and (method, path) != ("GET", "/api/v1/session"):
                continue
            address = path.replace("{id}", "1").replace("{dev_eui}", DEVICE).replace("{data_class}", "individual_water")
            async with http.request(method, address, params={"tenant": "mareuville"}, json={}) as response:
                assert response.status == 401, (method, path)
                assert response.headers["WWW-Authenticate"] == "Bearer"
        for page in ("/", "/t/mareuville", "/t/absent", "/compte", "/compte/second-facteur"):
            async with http.get(page, allow_redirects=False) as response:
                assert response.status == 303
                assert response.headers["Location"].startswith("/connexion?next=/")


async def test_a_route_that_does_not_say_what_it_needs_stops_the_start() -> None:
    async def silent(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/silent", silent)])
    with pytest.raises(ConfigurationError, match=r"GET /silent"):
        await access.all_declared(app)


async def test_a_role_does_no_more_than_it_may(served: Served) -> None:
    expected = {
        "viewer": (200, 403, 403),
        "manager": (200, 403, 403),
        "technician": (200, 403, 201),
        "supervisor": (403, 200, 403),
        "administrator": (200, 403, 201),
    }
    for role, statuses in expected.items():
        tenant = None if role == "supervisor" else served.world.tenant_id
        cookie = await api_world.sign_in(served.connection, (role, tenant), email=f"{role}@example.fr")
        async with browser(served, cookie) as http:
            requests = (
                http.get("/api/v1/latest?tenant=mareuville"),
                http.get("/api/v1/gateways"),
                http.post("/api/v1/sites?tenant=mareuville", json={"name": f"of {role}"}),
            )
            assert tuple([(await one).status for one in requests]) == statuses, role


async def test_signing_in_makes_a_new_session_and_signing_out_ends_it_everywhere(served: Served) -> None:
    await an_account(served)
    async with browser(served, {"samara": "put there by somebody else"}) as http:
        assert await sign_in(http) == 303
        (cookie,) = [one for one in http.cookie_jar if one.key == "samara"]
        assert cookie.value != "put there by somebody else"
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        async with http.get("/api/v1/session") as response:
            assert (await response.json())["email"] == "maire@example.fr"
        copy = {"samara": cookie.value}
        assert await sign_in(http) == 303  # again: the former one is over
        async with browser(served, copy) as thief, thief.get("/api/v1/session") as response:
            assert response.status == 401
        (cookie,) = [one for one in http.cookie_jar if one.key == "samara"]
        copy = {"samara": cookie.value}
        async with http.post("/deconnexion", allow_redirects=False) as response:
            assert response.status == 303
        async with browser(served, copy) as thief, thief.get("/api/v1/session") as response:
            assert response.status == 401
    kept = await served.connection.fetch("SELECT encode(digest, 'hex') FROM sessions")
    assert digest(copy["samara"]).hex() not in str(kept)  # not even what the API sends to the database is kept


async def test_a_page_of_another_site_changes_nothing(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("administrator", None), email="a@example.fr")
    base = str(served.http._base_url).rstrip("/")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": base + ".evil.example"},
        {"Origin": base, "Sec-Fetch-Site": "cross-site"},
        {"Origin": base, "Sec-Fetch-Site": "same-site"},
        {},
    ):
        async with aiohttp.ClientSession(base, cookies=cookie, headers=headers) as http:
            for path, sent in (
                ("/api/v1/sites?tenant=mareuville", {"json": {"name": "x"}}),
                ("/deconnexion", {"data": {}}),
                ("/compte/sessions/fin", {"data": {}}),
                ("/connexion", {"data": {"email": "a@example.fr", "password": "x"}}),
            ):
                async with http.post(path, **sent) as response:
                    assert response.status == 403, (headers, path)
    assert await served.connection.fetchval("SELECT count(*) FROM sites WHERE name = 'x'") == 0


async def test_guessing_passwords_waits_longer_and_longer_whoever_it_is(served: Served) -> None:
    await an_account(served)
    async with browser(served) as http:
        told = set()
        for email in ("maire@example.fr", "personne@example.fr"):
            for _ in range(5):
                form = {"email": email, "password": "wrong wrong wrong"}
                async with http.post("/api/v1/session", json=form) as response:
                    assert response.status == 401
                    told.add(await response.read())
            async with http.post("/api/v1/session", json={"email": email, "password": PASSWORD}) as response:
                assert response.status == 429
                assert int(response.headers["Retry-After"]) >= 1
        assert len(told) == 1
        served.clock.now = NOW + timedelta(minutes=2)
        assert await sign_in(http) == 303
    actions = [row["action"] for row in await served.connection.fetch("SELECT action FROM audit ORDER BY entry_id")]
    assert actions.count("session.refused") == 10
    assert actions[-1] == "session.opened"


async def test_guessing_keys_is_slowed_down(served: Served) -> None:
    base = str(served.http._base_url).rstrip("/")
    async with aiohttp.ClientSession(base) as http:
        statuses = []
        for number in range(40):
            headers = {"Authorization": f"Bearer smr_{number:043}"}
            async with http.get("/api/v1/tenants", headers=headers) as response:
                statuses.append(response.status)
                waiting = response.headers.get("Retry-After")
        assert statuses[0] == 401
        assert statuses[-1] == 429
        assert waiting is not None
        for malformed in ("Bearer x", "Basic YTpi", "Bearer smr_' OR 1=1 --", "smr_", ""):
            async with http.get("/api/v1/tenants", headers={"Authorization": malformed}) as response:
                assert response.status in {401, 429}


async def test_a_key_does_what_it_may_and_ends(served: Served) -> None:
    key = await api_world.make_key(served.connection)
    headers = {"Authorization": f"Bearer {key}"}
    base = str(served.http._base_url).rstrip("/")
    async with aiohttp.ClientSession(base, headers=headers) as http:

        async def status(path: str) -> int:
            async with http.get(path) as response:
                return response.status

        assert await status("/api/v1/sites?tenant=autreville") == 200
        assert await status("/compte") == 403  # a program has no account page
        await served.connection.execute("UPDATE api_keys SET permissions = '{health}'")
        assert await status("/api/v1/sites?tenant=mareuville") == 200
        assert await status("/api/v1/latest?tenant=mareuville") == 403
        await served.connection.execute("UPDATE api_keys SET tenant_id = $1", served.world.tenant_id)
        assert await status("/api/v1/sites?tenant=mareuville") == 200
        assert await status("/api/v1/sites?tenant=autreville") == 404
        await served.connection.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'")
        assert await status("/api/v1/sites?tenant=mareuville") == 401


async def test_the_second_factor_is_asked_and_each_code_opens_once(served: Served) -> None:
    secret = b"a secret of 20 bytes"
    await an_account(served, factor=secret)
    right = totp.code(secret, totp.step_of(NOW))
    async with browser(served) as http:
        assert await sign_in(http) == 303
        async with http.get("/api/v1/session") as response:
            assert response.status == 401  # the password alone opens nothing
        pending = next(one.value for one in http.cookie_jar if one.key == "samara_pending")
        async with browser(served, {"samara": pending}) as other, other.get("/api/v1/session") as response:
            assert response.status == 401
        async with http.post("/connexion/code", data={"code": "000000", "next": "/"}) as response:
            assert response.status == 401
        async with http.post("/connexion/code", data={"code": right, "next": "/t/mareuville"}) as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville")
        async with http.post("/deconnexion"):
            pass
        assert await sign_in(http) == 303
        async with http.post("/connexion/code", data={"code": right, "next": "/"}) as response:
            assert response.status == 401  # used already
        for _ in range(5):
            async with http.post("/api/v1/session/second-factor", json={"code": "111111"}) as response:
                assert response.status in {401, 429}
        assert response.status == 429


async def test_a_link_lets_one_person_choose_a_password_once(served: Served) -> None:
    account_id = await an_account(served)
    secret = "s" * 43
    await add_link(served.connection, digest(secret), "invitation", account_id, timedelta(days=1))
    path = f"/connexion/mot-de-passe/{secret}"
    async with browser(served) as http:
        for _ in range(2):
            async with http.get(path) as response:  # a mail program looks at it first
                assert response.status == 200
        for weak, said in (("court", "au moins 12"), ("aaaaaaaaaaaaaaa", "premiers essayés")):
            async with http.post(path, data={"password": weak, "email": ""}) as response:
                assert response.status == 422
                assert said in await response.text()
        async with http.post(path, data={"password": "un autre mot de passe"}) as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville")
    async with browser(served) as http:
        async with http.post(path, data={"password": "encore un mot de passe"}) as response:
            assert response.status == 410
        assert await sign_in(http, "un autre mot de passe") == 303


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil",
        "javascript:alert(1)",
        "",
    ],
)
async def test_no_sign_in_leads_to_another_site(served: Served, to: str) -> None:
    await an_account(served)
    async with browser(served) as http:
        form = {"email": "maire@example.fr", "password": PASSWORD, "next": to}
        async with http.post("/connexion", data=form, allow_redirects=False) as response:
            assert response.headers["Location"] == "/"
        async with http.get("/connexion", params={"next": to}, allow_redirects=False) as response:
            assert response.headers["Location"] == "/"


async def test_members_that_a_form_does_not_have_are_refused(served: Served) -> None:
    """Mass assignment: whose a thing is, or what somebody may, is never taken from a body."""
    cookie = await api_world.sign_in(served.connection, ("technician", served.world.tenant_id), email="t@example.fr")
    async with browser(served, cookie) as http:
        for body in ({"name": "x", "tenant_id": 2}, {"name": "x", "id": 1}, {"name": "x", "role": "administrator"}):
            async with http.post("/api/v1/sites?tenant=mareuville", json=body) as response:
                assert response.status == 400
        form = {"email": "t@example.fr", "password": PASSWORD, "next": "/", "role": "administrator"}
        async with http.post("/connexion", data=form) as response:
            assert response.status == 400
        async with http.post("/api/v1/session", json={**form, "account_id": 1}) as response:
            assert response.status == 400


async def raw(served: Served, request: bytes) -> bytes:
    base = URL(str(served.http._base_url))
    reader, writer = await asyncio.open_connection(base.host, base.port)
    writer.write(request)
    try:
        async with asyncio.timeout(10):
            return await reader.read(4096)
    finally:
        writer.close()


async def test_requests_that_parsers_understand_differently_are_refused(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    bearing = f"Host: x\r\nCookie: samara={cookie['samara']}\r\nConnection: close\r\n".encode()
    twice = b"POST /deconnexion HTTP/1.1\r\n" + bearing + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"
    both = (
        b"POST /deconnexion HTTP/1.1\r\n"
        + bearing
        + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    for request in (twice, both):
        assert b" 400 " in (await raw(served, request)).splitlines()[0]
    for path in (b"//t/autreville", b"/t//autreville", b"/t/%2fautreville", b"/t/autreville%2f", b"/T/autreville",
                 b"/t/mareuville/../autreville", b"/t/%61utreville", b"/t/mareuville%00"):  # fmt: skip
        answer = await raw(served, b"GET " + path + b" HTTP/1.1\r\n" + bearing + b"\r\n")
        assert answer.split(b" ")[1] in {b"404", b"400"}, path
        assert b"Secret" not in answer


async def test_bodies_that_are_too_large_or_too_deep_are_refused(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("technician", served.world.tenant_id), email="t@example.fr")
    json_type = {"Content-Type": "application/json"}
    async with browser(served, cookie) as http:
        async with http.post(
            "/api/v1/sites?tenant=mareuville", data=io.BytesIO(b"x" * 2**21), headers=json_type
        ) as response:
            assert response.status == 413
        deep = b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        async with http.post("/api/v1/sites?tenant=mareuville", data=deep, headers=json_type) as response:
            assert response.status == 400
        async with http.post("/connexion", data=b"a=1&" * 1000) as response:
            assert response.status == 400


async def test_network_keys_are_written_and_never_told(served: Served) -> None:
    """A canary: searched in every answer, in the database as it is dumped, in the audit log."""
    canary = "c0ffee11c0ffee22c0ffee33c0ffee44"
    cookie = await api_world.sign_in(
        served.connection, ("administrator", None), ("supervisor", None), email="a@example.fr"
    )
    device = f"{1:016x}"
    async with browser(served, cookie) as http:
        body = {"app_key": canary, "nwk_key": canary[::-1]}
        async with http.post(f"/api/v1/devices/{device}/keys?tenant=mareuville", json=body) as response:
            assert response.status == 204, await response.text()
        seen = b""
        for method, path in await operations(served):
            if method == "GET" and path != "/api/v1/live":
                address = path.replace("{id}", str(served.world.air.point_id)).replace("{dev_eui}", device)
                query = {"tenant": "mareuville", "quantity": "temperature"}
                async with http.get(address, params={**query, "points": "1"}) as response:
                    seen += await response.read()
        for path in ("/", "/t/mareuville", "/compte", "/metrics"):
            async with http.get(path) as response:
                seen += await response.read()
        wrong = {"app_key": canary + "0"}
        async with http.post(f"/api/v1/devices/{device}/keys?tenant=mareuville", json=wrong) as response:
            assert response.status == 400
            seen += await response.read()
    tables = await served.connection.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    dumped = ""
    for table in tables:
        dumped += str([dict(row) for row in await served.connection.fetch(f"SELECT * FROM {table['name']}")])
    for form in (canary, canary[::-1], repr(bytes.fromhex(canary))[2:-1], canary.upper()):
        assert form.encode() not in seen
        assert form not in dumped
    assert await served.connection.fetchval("SELECT count(*) FROM device_keys") == 2
    audited = await served.connection.fetchrow(
        "SELECT actor, tenant_id, object FROM audit WHERE action = 'device_key.written'"
    )
    assert dict(audited or {}) == {"actor": "a@example.fr", "tenant_id": served.world.tenant_id, "object": device}


async def test_a_dev_eui_of_another_tenant_is_refused_like_any_other_and_a_supervisor_is_told(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("technician", served.world.tenant_id), email="t@example.fr")
    answers = set()
    async with browser(served, cookie) as http:
        for body in ({"dev_eui": DEVICE}, {"dev_eui": "00000000000000fd", "model_id": "no-such-model"}):
            async with http.post("/api/v1/devices?tenant=mareuville", json=body) as response:
                answers.add((response.status, await response.read()))
    assert len(answers) == 1
    told = await served.connection.fetch("SELECT kind, tenant_id, dev_eui FROM supervision_events")
    assert [dict(row) for row in told] == [
        {"kind": "dev_eui_elsewhere", "tenant_id": served.world.tenant_id, "dev_eui": DEVICE}
    ]


async def test_the_settings_of_the_connection_cannot_be_reached_from_a_parameter(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    attempts = (
        "mareuville'; SET samara.tenant = '2'; --", "mareuville' UNION SELECT 1 --", "' OR '1'='1",
        "mareuville\\'; SELECT set_config('samara.bearer','',true); --", "$1", "%27%3B--",
    )  # fmt: skip
    async with browser(served, cookie) as http:
        for text in attempts:
            for path, query in (
                ("/api/v1/sites", {"tenant": text}),
                (f"/api/v1/points/{served.world.air.point_id}/series", {"tenant": "mareuville", "quantity": text}),
                ("/api/v1/sites", {"tenant": "mareuville", "cursor": text}),
                ("/api/v1/uplinks", {"tenant": "mareuville", "dev_eui": text}),
            ):
                async with http.get(path, params=query) as response:
                    body = await response.read()
                    assert response.status in {400, 404, 422}, (path, query)
                    assert b"syntax" not in body
        async with http.get("/api/v1/tenants") as response:
            assert [one["slug"] for one in json.loads(await response.read())["items"]] == ["mareuville"]
