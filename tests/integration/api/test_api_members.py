"""Who gives which rights to whom, keys of programs, sessions, mails with links, and what the audit log says of it."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import aiohttp
import api_world
import asyncpg
import pytest
from api_world import NOW, QUICK_HASHER, Clock, Mails
from yarl import URL

from api import totp
from api.settings import ApiSettings
from store.access import audit, factors
from store.access.accounts import account_by_email, set_password
from store.fleet import TenantDeclaration, declare_tenant

PASSWORD: Final = "quatre mots sans rapport"
OTHER: Final = "cinq autres mots du même genre"
IN_A_MONTH: Final = (NOW + timedelta(days=30)).isoformat()


class Town(NamedTuple):
    """The application, its mails, and cookies of a syndicat, an administrator of Mareuville and one of its viewers."""

    address: str
    connection: asyncpg.Connection
    world: api_world.World
    clock: Clock
    mails: Mails
    syndicat: dict[str, str]
    mayor: dict[str, str]
    clerk: dict[str, str]

    @asynccontextmanager
    async def browser(self, cookie: dict[str, str] | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.address, cookie_jar=jar, headers={"Origin": self.address}) as http:
            jar.update_cookies(cookie or {}, URL(self.address))
            yield http

    async def actions(self) -> list[str]:
        return [entry.action async for entry in audit.entries(self.connection)]


async def served_town(territory: api_world.Territory, **settings: Any) -> AsyncIterator[Town]:
    clock, mails = Clock(), Mails()
    clock.now = datetime.now(UTC)  # the database's clock counts for keys and links
    dsn, world = territory
    connection = await asyncpg.connect(dsn)
    try:
        own = world.tenant_id
        quick = ApiSettings.model_validate({"public_url": "http://127.0.0.1", **settings})
        async with api_world.serving(dsn, quick, clock, mails=mails) as address:
            yield Town(
                address,
                connection,
                world,
                clock,
                mails,
                await api_world.sign_in(connection, ("administrator", None), email="syndicat@example.fr"),
                await api_world.sign_in(connection, ("administrator", own), email="maire@example.fr"),
                await api_world.sign_in(connection, ("viewer", own), email="secretaire@example.fr"),
            )
    finally:
        await connection.close()


@pytest.fixture
async def town(territory: api_world.Territory) -> AsyncIterator[Town]:
    async for found in served_town(territory):
        yield found


async def asked(http: aiohttp.ClientSession, method: str, path: str, body: object = None) -> tuple[int, Any]:
    async with http.request(method, path, json=body) as response:
        text = await response.text()
        return response.status, json.loads(text) if "json" in response.content_type else text


INVITED: Final = {"email": "Nouvelle@Example.fr", "role": "manager"}


async def test_an_invitation_gives_a_role_and_a_link_that_serves_once(town: Town) -> None:
    async with town.browser(town.mayor) as http:
        status, invited = await asked(http, "POST", "/api/v1/invitations?tenant=mareuville", INVITED)
        assert (status, invited["mail"]) == (201, "invitation")
        first = town.mails.address()
        status, invited = await asked(http, "POST", "/api/v1/invitations?tenant=mareuville", INVITED)
        assert status == 201
        status, listed = await asked(http, "GET", "/api/v1/grants?tenant=mareuville")
        (new,) = [one for one in listed["items"] if one["email"] == "nouvelle@example.fr"]
        assert (new["role"], new["has_entered"], new["granted_by"]) == ("manager", False, "maire@example.fr")
    assert town.mails.sent[-1].recipient == "nouvelle@example.fr"
    async with town.browser() as http:
        async with http.get(first) as response:
            assert response.status == 410  # the second mail made the first one's link useless
        path = town.mails.address()
        async with http.post(path, data={"password": PASSWORD}) as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville")
        async with http.get(path) as response:
            assert response.status == 410
    held = await town.connection.fetch("SELECT encode(digest, 'hex') FROM links")
    assert path.rpartition("/")[2] not in str(held)
    async with town.browser(town.mayor) as http:
        status, invited = await asked(
            http, "POST", "/api/v1/invitations?tenant=mareuville", INVITED | {"role": "technician"}
        )
        assert (status, invited["mail"]) == (201, "role")  # somebody who is in needs no link
    assert "connexion/mot-de-passe" not in town.mails.sent[-1].text


async def test_who_administers_a_tenant_gives_no_more_than_that(town: Town) -> None:
    foreign = await town.connection.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    await declare_tenant(town.connection, TenantDeclaration("val", "Val", "epci"))
    await declare_tenant(town.connection, TenantDeclaration("mareuville", "Mareuville", "commune", "val"))
    clerk = await account_by_email(town.connection, "secretaire@example.fr")
    syndicat = await account_by_email(town.connection, "syndicat@example.fr")
    async with town.browser(town.mayor) as http:
        for query, body, expected in (
            ("?tenant=autreville", INVITED, 404),
            ("?tenant=val", INVITED, 404),
            ("", INVITED, 403),
            ("?tenant=mareuville", INVITED | {"role": "supervisor"}, 403),
            ("?tenant=mareuville", INVITED | {"role": "root"}, 400),
            ("?tenant=mareuville", INVITED | {"tenant_id": foreign}, 400),
            ("?tenant=mareuville", INVITED | {"email": "no address"}, 400),
        ):
            status, told = await asked(http, "POST", f"/api/v1/invitations{query}", body)
            assert status == expected, (query, body, told)
        for account, expected in ((clerk, 201), (syndicat, 404), (2**31 - 2, 404)):
            body = {"account_id": account, "role": "technician"}
            status, _ = await asked(http, "POST", "/api/v1/grants?tenant=mareuville", body)
            assert status == expected
        status, _ = await asked(http, "GET", "/api/v1/grants")
        assert status == 403
    async with town.browser(town.clerk) as http:
        for method, path in (
            ("GET", "/api/v1/grants?tenant=mareuville"),
            ("POST", "/api/v1/invitations?tenant=mareuville"),
            ("GET", "/api/v1/audit?tenant=mareuville"),
        ):
            status, _ = await asked(http, method, path, INVITED if method == "POST" else None)
            assert status == 403
        async with http.get("/t/mareuville/acces") as response:
            assert response.status == 403
    rows = await town.connection.fetch("SELECT email, role, tenant_id FROM grants JOIN accounts USING (account_id)")
    assert {tuple(row) for row in rows if row["email"] == "secretaire@example.fr"} == {
        ("secretaire@example.fr", "viewer", town.world.tenant_id),
        ("secretaire@example.fr", "technician", town.world.tenant_id),
    }
    assert not [row for row in rows if row["email"].lower().startswith("nouvelle")]
    assert town.mails.sent == []


async def test_rights_below_are_given_by_who_administers_all_below(town: Town) -> None:
    val = await declare_tenant(town.connection, TenantDeclaration("val", "Val", "epci"))
    await declare_tenant(town.connection, TenantDeclaration("mareuville", "Mareuville", "commune", "val"))
    alone = await api_world.sign_in(town.connection, email="alone@example.fr")
    await town.connection.execute(
        "INSERT INTO grants (account_id, role, tenant_id, with_descendants)"
        " SELECT account_id, 'administrator', $1, false FROM accounts WHERE email = 'alone@example.fr'",
        val,
    )
    below = INVITED | {"with_descendants": True}
    async with town.browser(alone) as http:
        assert (await asked(http, "POST", "/api/v1/invitations?tenant=val", below))[0] == 403
        assert (await asked(http, "POST", "/api/v1/invitations?tenant=val", INVITED))[0] == 201
    async with town.browser(town.syndicat) as http:
        assert (await asked(http, "POST", "/api/v1/invitations?tenant=val", below))[0] == 201
        supervisor = {"email": "reseau@example.fr", "role": "supervisor"}
        assert (await asked(http, "POST", "/api/v1/invitations", supervisor))[0] == 201
        _, listed = await asked(http, "GET", "/api/v1/grants")
        assert {one["email"] for one in listed["items"]} == {"syndicat@example.fr", "reseau@example.fr"}


async def test_a_role_is_taken_away_at_once_and_nobody_takes_their_own(town: Town) -> None:
    async with town.browser(town.mayor) as http, town.browser(town.clerk) as clerk:
        assert (await asked(clerk, "GET", "/api/v1/sites?tenant=mareuville"))[0] == 200
        _, listed = await asked(http, "GET", "/api/v1/grants?tenant=mareuville")
        ids = {one["email"]: one["id"] for one in listed["items"]}
        above = await town.connection.fetchval("SELECT grant_id FROM grants WHERE tenant_id IS NULL")
        for grant_id, expected in (
            (ids["maire@example.fr"], 409),
            (above, 404),
            (ids["secretaire@example.fr"], 204),
            (ids["secretaire@example.fr"], 404),
        ):
            assert (await asked(http, "DELETE", f"/api/v1/grants/{grant_id}?tenant=mareuville"))[0] == expected
        assert (await asked(clerk, "GET", "/api/v1/sites?tenant=mareuville"))[0] == 403
    assert "grant.taken" in await town.actions()


async def test_an_administrator_ends_the_sessions_of_their_own_people_alone(town: Town) -> None:
    ids = {name: await account_by_email(town.connection, f"{name}@example.fr") for name in ("secretaire", "syndicat")}
    both = await api_world.sign_in(town.connection, ("viewer", None), email="both@example.fr")
    await town.connection.execute(
        "INSERT INTO grants (account_id, role, tenant_id, with_descendants) SELECT account_id, 'viewer', $1, false"
        " FROM accounts WHERE email = 'both@example.fr'",
        town.world.tenant_id,
    )
    ids["both"] = await account_by_email(town.connection, "both@example.fr")
    async with town.browser(town.mayor) as http:
        for name, expected in (("secretaire", 204), ("syndicat", 404), ("both", 404)):
            path = f"/api/v1/accounts/{ids[name]}/sessions?tenant=mareuville"
            assert (await asked(http, "DELETE", path))[0] == expected, name
    for cookie, expected in ((town.clerk, 401), (town.syndicat, 200), (both, 200)):
        async with town.browser(cookie) as http:
            assert (await asked(http, "GET", "/api/v1/session"))[0] == expected


async def test_a_forgotten_password_tells_nobody_who_has_an_account(town: Town) -> None:
    account_id = await account_by_email(town.connection, "secretaire@example.fr")
    await set_password(town.connection, account_id, QUICK_HASHER.hash(PASSWORD))
    async with town.browser() as http:
        told = set()
        for email in ("secretaire@example.fr", "personne@example.fr"):
            async with http.post("/connexion/oubli", data={"email": email}) as response:
                told.add((response.status, await response.text()))
        assert len(told) == 1
        async with http.get("/connexion") as response:
            assert "/connexion/oubli" in await response.text()
        while not town.mails.sent:  # it goes beside the answer
            await http.get("/healthz")
        assert [mail.recipient for mail in town.mails.sent] == ["secretaire@example.fr"]
        path = town.mails.address()
        async with http.post(path, data={"password": OTHER}) as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville")
    async with town.browser(town.clerk) as http:
        assert (await asked(http, "GET", "/api/v1/session"))[0] == 401  # the reset ended what was open
    async with town.browser() as http:
        statuses = []
        for _ in range(5):
            async with http.post("/connexion/oubli", data={"email": "secretaire@example.fr"}) as response:
                statuses.append(response.status)
        assert statuses[-1] == 429
        assert "Retry-After" in response.headers
    assert (await town.actions()).count("reset.mailed") <= 3


async def test_a_mail_leads_where_the_operator_says_and_not_where_a_request_does(town: Town) -> None:
    async with town.browser(town.mayor) as http:
        headers = {"Host": "evil.example", "Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"}
        async with http.post("/api/v1/invitations?tenant=mareuville", json=INVITED, headers=headers) as response:
            assert response.status in {201, 403}
        town.mails.is_away = True
        status, told = await asked(http, "POST", "/api/v1/invitations?tenant=mareuville", INVITED)
        assert (status, told["type"]) == (503, "urn:samara:problem:mail-not-sent")
    assert all("evil" not in mail.text for mail in town.mails.sent)


async def test_a_second_factor_is_required_of_some_roles_before_anything_opens(town: Town) -> None:
    account_id = await account_by_email(town.connection, "maire@example.fr")
    await set_password(town.connection, account_id, QUICK_HASHER.hash(PASSWORD))
    form = {"email": "maire@example.fr", "password": PASSWORD, "next": "/t/mareuville"}
    async with town.browser() as http:
        status, told = await asked(http, "POST", "/api/v1/session", {"email": "maire@example.fr", "password": PASSWORD})
        assert (status, told) == (201, {"status": "factor_to_add"})
        assert (await asked(http, "GET", "/api/v1/session"))[0] == 401
        async with http.post("/connexion", data=form) as response:
            assert response.url.path == "/connexion/second-facteur"
            key = re.search(r"<code>([A-Z2-7 ]+)</code>", await response.text())
        assert key
        for path in ("/", "/compte", "/t/mareuville"):
            async with http.get(path, allow_redirects=False) as response:
                assert response.status == 303
        kept = await factors.factor(town.connection, api_world.KEYRING, account_id)
        assert kept is not None
        assert totp.written(kept.secret) == key[1]
        wrong = {"code": "000000", "next": "/"}
        async with http.post("/connexion/second-facteur", data=wrong) as response:
            assert response.status == 422
        right = {"code": totp.code(kept.secret, totp.step_of(town.clock.now)), "next": "/t/mareuville"}
        async with http.post("/connexion/second-facteur", data=right) as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville")
    async with town.browser(town.mayor) as http:  # what was open before is not
        assert (await asked(http, "GET", "/api/v1/session"))[0] == 401
    async with town.browser() as http, http.post("/connexion", data=form) as response:
        assert response.url.path == "/connexion/code"
    assert "second_factor.added" in await town.actions()


async def test_a_reset_does_not_pass_over_the_second_factor(town: Town) -> None:
    account_id = await account_by_email(town.connection, "secretaire@example.fr")
    await factors.propose(town.connection, api_world.KEYRING, account_id, b"a secret of 20 bytes")
    await factors.use(town.connection, account_id, 1)
    async with town.browser() as http:
        async with http.post("/connexion/oubli", data={"email": "secretaire@example.fr"}):
            pass
        while not town.mails.sent:
            await http.get("/healthz")
        async with http.post(town.mails.address(), data={"password": OTHER}) as response:
            assert response.url.path == "/connexion/code"
        assert (await asked(http, "GET", "/api/v1/session"))[0] == 401


async def test_who_gets_more_rights_without_second_factor_signs_in_again(town: Town) -> None:
    clerk = await account_by_email(town.connection, "secretaire@example.fr")
    async with town.browser(town.mayor) as http:
        body = {"account_id": clerk, "role": "administrator"}
        assert (await asked(http, "POST", "/api/v1/grants?tenant=mareuville", body))[0] == 201
    async with town.browser(town.clerk) as http:
        assert (await asked(http, "GET", "/api/v1/session"))[0] == 401


async def test_a_password_is_changed_by_who_knows_it_and_the_other_sessions_end(town: Town) -> None:
    account_id = await account_by_email(town.connection, "secretaire@example.fr")
    await set_password(town.connection, account_id, QUICK_HASHER.hash(PASSWORD))
    async with town.browser() as http:
        form = {"email": "secretaire@example.fr", "password": PASSWORD, "next": "/"}
        async with http.post("/connexion", data=form):
            pass
        for former, chosen, status in (
            ("wrong wrong wrong", OTHER, 422),
            (PASSWORD, "court", 422),
            (PASSWORD, "chickenwing101", 422),
            (PASSWORD, OTHER, 200),
        ):
            sent = {"former": former, "password": chosen, "email": "secretaire@example.fr"}
            async with http.post("/compte/mot-de-passe", data=sent) as response:
                assert response.status == status, chosen
        assert response.url.path == "/compte"
    async with town.browser(town.clerk) as http:
        assert (await asked(http, "GET", "/api/v1/session"))[0] == 401


async def test_a_key_is_told_once_and_does_no_more_than_it_was_given(town: Town) -> None:
    async with town.browser(town.clerk) as http:
        wanted = {"name": "tableur", "permissions": ["read"], "tenant": "mareuville", "expires_at": IN_A_MONTH}
        town.clock.now = NOW
        status, made = await asked(http, "POST", "/api/v1/keys", wanted)
        assert status == 201, made
        await town.connection.execute("UPDATE api_keys SET expires_at = now() + interval '1 day'")
        for wrong, expected in (
            ({"permissions": ["manage"]}, 422),
            ({"permissions": []}, 400),
            ({"permissions": ["root"]}, 400),
            ({"tenant": "autreville"}, 404),
            ({"expires_at": (NOW + timedelta(days=400)).isoformat()}, 422),
            ({"expires_at": (NOW - timedelta(days=1)).isoformat()}, 422),
            ({"account_id": 1}, 400),
        ):
            status, told = await asked(http, "POST", "/api/v1/keys", wanted | wrong)
            assert status == expected, (wrong, told)
        _, listed = await asked(http, "GET", "/api/v1/keys")
        (key,) = listed["items"]
        assert (key["name"], key["permissions"], key["tenant"]) == ("tableur", ["health", "read"], "mareuville")
        assert made["secret"] not in json.dumps(listed)
        assert made["secret"].startswith(key["hint"])
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        async with aiohttp.ClientSession(town.address, headers=bearer) as program:
            assert (await asked(program, "GET", "/api/v1/latest?tenant=mareuville"))[0] == 200
            for method, path, body in (
                ("POST", "/api/v1/keys", wanted),
                ("DELETE", f"/api/v1/keys/{key['id']}", None),
                ("DELETE", "/api/v1/sessions", None),
            ):
                assert (await asked(program, method, path, body))[0] == 403  # a key makes and ends nothing of the kind
            async with town.browser(town.mayor) as other:
                assert (await asked(other, "DELETE", f"/api/v1/keys/{key['id']}"))[0] == 404
            assert (await asked(http, "DELETE", f"/api/v1/keys/{key['id']}"))[0] == 204
            assert (await asked(program, "GET", "/api/v1/latest?tenant=mareuville"))[0] == 401
        await town.connection.execute("UPDATE sessions SET opened_at = now() - interval '1 hour'")
        status, told = await asked(http, "POST", "/api/v1/keys", wanted)
        assert (status, told["type"]) == (403, "urn:samara:problem:sign-in-again")
        async with http.get("/compte/second-facteur", allow_redirects=False) as response:
            assert response.headers["Location"] == "/connexion?encore=&next=%2Fcompte%2Fsecond-facteur"
        async with http.get(response.headers["Location"]) as response:
            assert "entrez de nouveau" in await response.text()
    dump = str(await town.connection.fetch("SELECT * FROM api_keys")) + str(
        [entry async for entry in audit.entries(town.connection)]
    )
    assert made["secret"] not in dump
    assert {"key.made", "key.revoked"} <= set(await town.actions())


async def test_sessions_are_seen_and_ended_by_their_owner(town: Town) -> None:
    account_id = await account_by_email(town.connection, "secretaire@example.fr")
    await set_password(town.connection, account_id, QUICK_HASHER.hash(PASSWORD))
    async with town.browser(town.clerk) as here, town.browser() as there, town.browser(town.mayor) as other:
        form = {"email": "secretaire@example.fr", "password": PASSWORD, "next": "/"}
        async with there.post("/connexion", data=form):
            pass
        _, listed = await asked(here, "GET", "/api/v1/sessions")
        (session,) = [one["id"] for one in listed["items"] if not one["is_this"]]
        assert (await asked(other, "DELETE", f"/api/v1/sessions/{session}"))[0] == 404
        assert (await asked(here, "DELETE", f"/api/v1/sessions/{session}"))[0] == 204
        assert (await asked(there, "GET", "/api/v1/session"))[0] == 401
        async with there.post("/connexion", data=form):
            pass
        assert (await asked(here, "DELETE", "/api/v1/sessions"))[0] == 204
        assert (await asked(there, "GET", "/api/v1/session"))[0] == 401
        assert (await asked(here, "GET", "/api/v1/session"))[0] == 200


async def test_everybody_gets_what_is_kept_of_them_and_of_nobody_else(town: Town) -> None:
    account_id = await account_by_email(town.connection, "secretaire@example.fr")
    await set_password(town.connection, account_id, QUICK_HASHER.hash(PASSWORD))
    await town.connection.execute(
        """
        INSERT INTO contacts (tenant_id, name, channel, target)
        SELECT tenant_id, 'Astreinte', 'email', jsonb_build_object('address', address)
          FROM tenants, unnest(ARRAY['Secretaire@example.fr', 'maire@example.fr']) AS address WHERE slug = 'mareuville'
        """
    )
    async with town.browser(town.clerk) as http:
        wanted = {"name": "tableur", "permissions": ["read"], "expires_at": IN_A_MONTH}
        town.clock.now = NOW
        status, made = await asked(http, "POST", "/api/v1/keys", wanted)
        assert status == 201, made
        await town.connection.execute("UPDATE api_keys SET expires_at = now() + interval '1 day'")
        async with http.get("/api/v1/exports/account") as response:
            assert response.status == 200
            assert "attachment" in response.headers["Content-Disposition"]
            assert "no-store" in response.headers["Cache-Control"]
            text = await response.text()
        async with http.get("/compte/donnees") as response:
            page = await response.text()
            assert response.status == 200
            assert 'href="/api/v1/exports/account"' in page
            assert "API créée" in page
        said = json.loads(text)
        (account,) = said["account"]
        assert account["email"] == "secretaire@example.fr"
        assert account["password_changed_at"] is not None
        assert [(one["role"], one["tenant"]) for one in said["grants"]] == [("viewer", "mareuville")]
        assert [one["name"] for one in said["keys"]] == ["tableur"]
        assert [one["target"]["address"] for one in said["contacts"]] == ["Secretaire@example.fr"]
        assert [one["action"] for one in said["log"]] == ["key.made", "export.account"]
        assert len(said["sessions"]) == 1
        assert "maire@example.fr" not in text
        for secret in (made["secret"], "argon2", *(cookie.value for cookie in http.cookie_jar)):
            assert secret not in text
        async with aiohttp.ClientSession(town.address, headers={"Authorization": f"Bearer {made['secret']}"}) as key:
            assert (await asked(key, "GET", "/api/v1/exports/account"))[0] == 403
        await town.connection.execute("UPDATE sessions SET opened_at = now() - interval '1 hour'")
        status, told = await asked(http, "GET", "/api/v1/exports/account")
        assert (status, told["type"]) == (403, "urn:samara:problem:sign-in-again")
    async with town.browser() as nobody:
        assert (await asked(nobody, "GET", "/api/v1/exports/account"))[0] == 401


async def test_the_audit_log_tells_each_administrator_of_their_own_tenant(town: Town) -> None:
    async with town.browser(town.syndicat) as http:
        for slug in ("mareuville", "autreville"):
            status, _ = await asked(http, "POST", f"/api/v1/sites?tenant={slug}", {"name": "=1+1"})
            assert status == 201
        async with http.get("/api/v1/exports/measurements?tenant=mareuville") as response:
            assert response.status == 200
            await response.read()
        status, whole = await asked(http, "GET", "/api/v1/audit?limit=1000")
        assert {"api.create_site", "export.measurements"} <= {one["action"] for one in whole["items"]}
        assert [one["id"] for one in whole["items"]] == sorted((one["id"] for one in whole["items"]), reverse=True)
    async with town.browser(town.mayor) as http:
        status, told = await asked(http, "GET", "/api/v1/audit?tenant=mareuville&action=api.")
        assert [one["action"] for one in told["items"]] == ["api.create_site"]
        assert {one["tenant_id"] for one in told["items"]} == {town.world.tenant_id}
        assert told["items"][0]["detail"]["members"] == ["name"]
        assert (await asked(http, "GET", "/api/v1/audit"))[0] == 403
        assert (await asked(http, "GET", "/api/v1/audit?tenant=autreville"))[0] == 404
        async with http.get("/api/v1/exports/audit?tenant=mareuville&form=csv") as response:
            rows = list(csv.DictReader(io.StringIO(await response.text())))
        async with http.get("/api/v1/exports/audit?tenant=mareuville&form=jsonl") as response:
            lines = [json.loads(line) for line in (await response.text()).splitlines()]
        assert {int(row["tenant_id"]) for row in rows} == {town.world.tenant_id}
        assert [line["id"] for line in lines][1:] == [int(row["id"]) for row in rows]
        assert lines[0]["action"] == "export.audit"
        async with http.get("/t/mareuville/acces/journal") as response:
            assert "export de mesures" in await response.text()


async def test_each_write_of_the_api_leaves_an_entry(town: Town) -> None:
    async with town.browser(town.mayor) as http:
        _, site = await asked(http, "POST", "/api/v1/sites?tenant=mareuville", {"name": "x"})
        await asked(http, "POST", "/api/v1/devices?tenant=mareuville", {"dev_eui": "00000000000000aa"})
        await asked(http, "PATCH", "/api/v1/devices/00000000000000aa?tenant=mareuville", {"name": "y"})
        await asked(http, "DELETE", f"/api/v1/sites/{site['id']}?tenant=mareuville")
        await asked(http, "POST", "/api/v1/sites?tenant=mareuville", {"name": ""})  # refused: nothing was done
    rows = await town.connection.fetch("SELECT action, actor, object, detail FROM audit WHERE action LIKE 'api.%'")
    assert [(row["action"], row["object"]) for row in rows] == [
        ("api.create_site", ""),
        ("api.create_device", ""),
        ("api.change_device", "00000000000000aa"),
        ("api.delete_site", str(site["id"])),
    ]
    assert {row["actor"] for row in rows} == {"maire@example.fr"}


async def test_the_pages_of_access_and_keys_do_the_same(town: Town) -> None:
    async with town.browser(town.mayor) as http:
        async with http.get("/t/mareuville/acces") as response:
            page = await response.text()
            assert "secretaire@example.fr" in page
            assert "syndicat@example.fr" not in page
        form = {"email": "nouvelle@example.fr", "name": "<script>", "role": "viewer", "language": "en"}
        async with http.post("/t/mareuville/acces", data=form) as response:
            page = await response.text()
            assert "L'invitation est partie" in page or "L&#39;invitation est partie" in page
            assert "<script>" not in page.replace("<script src", "").replace('<script type="', "")
        assert town.mails.sent[-1].subject == "Your invitation to Samara"
        held = await town.connection.fetchval("SELECT max(grant_id) FROM grants")
        async with http.post(f"/t/mareuville/acces/{held}/retrait") as response:
            assert "nouvelle@example.fr" not in await response.text()
        for wrong in ({"role": "supervisor"}, {"role": "root"}, {"email": "x"}):
            async with http.post("/t/mareuville/acces", data=form | wrong) as response:
                assert response.status == 422
        async with http.post("/compte/cles", data={"name": "tableur", "read": "1", "days": "30"}) as response:
            shown = re.search(r"<code>(smr_[\w-]+)</code>", await response.text())
            assert shown
        async with http.post("/compte/cles", data={"name": "", "days": "30"}) as response:
            assert response.status == 422
        key = await town.connection.fetchval("SELECT key_id FROM api_keys")
        async with http.post(f"/compte/cles/{key}/fin") as response:
            assert "Révoquer la clé tableur" not in await response.text()
    async with town.browser(town.clerk) as http:
        for path in ("/t/autreville/acces", "/acces"):
            async with http.get(path) as response:
                assert response.status == 403
