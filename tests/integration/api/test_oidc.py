"""Sign in with an identity provider, over HTTP on both sides: who gets in, and every answer that must be refused."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import aiohttp
import api_world
import asyncpg
import oidc_server
import pytest
from api_world import NOW
from oidc_server import CLIENT, SECRET, Provider, provided
from yarl import URL

from api import totp
from api.access import digest
from api.settings import ApiSettings
from deploy.embedded.process import free_port
from store.access import audit, factors, identities
from store.access.accounts import account_by_email
from store.access.links import add_link

HOME = "/t/mareuville"  # where who has one tenant is led
AT = int(NOW.timestamp())


class Federated(NamedTuple):
    """The application with two identity providers, and an account that the first one opens."""

    address: str
    connection: asyncpg.Connection
    world: api_world.World
    one: Provider
    two: Provider
    pro: Provider
    account_id: int

    @asynccontextmanager
    async def browser(self, cookie: Mapping[str, str] | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.address, cookie_jar=jar, headers={"Origin": self.address}) as http:
            jar.update_cookies(cookie or {}, URL(self.address))
            yield http

    async def sessions(self) -> int:
        return int(await self.connection.fetchval("SELECT count(*) FROM sessions"))

    async def refusals(self) -> list[str]:
        rows = await self.connection.fetch("SELECT actor, detail FROM audit WHERE action = 'session.refused'")
        return [f"{row['actor']} {row['detail']}" for row in rows]


@pytest.fixture
async def federated(territory: api_world.Territory) -> AsyncIterator[Federated]:
    dsn, world = territory
    connection = await asyncpg.connect(dsn)
    try:
        await api_world.sign_in(connection, ("viewer", world.tenant_id), email="maire@example.fr")
        await connection.execute("DELETE FROM sessions")
        account_id = await account_by_email(connection, "maire@example.fr")
        async with provided() as one, provided() as two, provided("/api/v2") as pro:
            two.by_header = True
            pro.proconnect()
            listed = [
                {"name": name, "label": name.title(), "issuer": provider.issuer, "strong_acr": ["2fa"]}
                | {"client_id": CLIENT, "client_secret": SECRET}
                for name, provider in (("one", one), ("two", two))
            ]
            listed.append(
                {"name": "proconnect", "issuer": pro.issuer, "client_id": CLIENT, "client_secret": SECRET}
                | {"acr_values": ["eidas1"], "strong_acr": ["eidas1-mfa"], "strong_amr": ["mfa"], "idp_hint": "dinum"}
            )
            public = f"http://127.0.0.1:{free_port()}"
            settings = ApiSettings.model_validate({"public_url": public, "oidc": listed})
            await identities.bind(connection, one.issuer, "a1b2", account_id)
            async with api_world.serving(dsn, settings, api_world.Clock()) as address:
                yield Federated(address, connection, world, one, two, pro, account_id)
    finally:
        await connection.close()


async def who(http: aiohttp.ClientSession) -> str | None:
    async with http.get("/api/v1/session") as response:
        return str((await response.json())["email"]) if response.status == 200 else None


async def answer_of(http: aiohttp.ClientSession, path: str) -> URL:
    """Go to the provider and return the address that it sends back to, without going there."""
    async with http.get(path, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
        there = URL(response.headers["Location"])
    async with http.get(there, allow_redirects=False) as response:
        return URL(response.headers["Location"])


async def test_who_is_bound_gets_in_and_out_again(federated: Federated) -> None:
    async with federated.browser() as http:
        async with http.get("/connexion") as response:
            assert "/connexion/oidc/one?next=" in await response.text()
        async with http.get("/connexion/oidc/one?next=/t/mareuville") as response:
            assert (response.status, response.url.path) == (200, "/t/mareuville")
        assert await who(http) == "maire@example.fr"
        names = {cookie.key for cookie in http.cookie_jar}
        assert "samara_attempt" not in names
        async with http.post("/deconnexion") as response:
            assert response.url.path == "/connexion/oidc/one/fin"
            there = URL(response.headers["Refresh"].partition("url=")[2])
            assert str(there).startswith(f"{federated.one.issuer}/session/end?")
            assert there.query["post_logout_redirect_uri"] == f"{federated.address}/connexion"
            assert there.query["id_token_hint"].count(".") == 2
        assert await who(http) is None
        assert "samara_provider" not in {cookie.key for cookie in http.cookie_jar}
    opened = await federated.connection.fetchval("SELECT detail FROM audit WHERE action = 'session.opened'")
    assert '"oidc:one"' in opened


async def test_an_e_mail_or_a_siret_opens_nothing(federated: Federated) -> None:
    """The provider says the e-mail of an account and the SIRET of its tenant; the subject alone counts."""
    federated.one.subject = "unheard of"
    async with federated.browser() as http:
        async with http.get("/connexion/oidc/one") as response:
            assert response.status == 403
            assert "Aucun compte" in await response.text()
        assert await who(http) is None
        federated.two.subject = "a1b2"  # the same subject, said by another
        async with http.get("/connexion/oidc/two") as response:
            assert response.status == 403
        assert await who(http) is None
    assert await federated.sessions() == 0
    assert await federated.connection.fetchval("SELECT count(*) FROM accounts") == 1


TOKENS: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "n" * 43}},
    "no nonce": {"claims": {"nonce": None}},
    "nonce in a list": {"claims": {"nonce": ["n"]}},
    "for another client": {"claims": {"aud": "another"}},
    "for several": {"claims": {"aud": [CLIENT, "another"]}},
    "made for another client": {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
    "for nobody": {"claims": {"aud": None}},
    "of another issuer": {"claims": {"iss": "https://evil.example"}},
    "expired": {"claims": {"exp": AT - 61}},
    "without end": {"claims": {"exp": None}},
    "an end that is no number": {"claims": {"exp": "9999999999"}},
    "of the future": {"claims": {"iat": AT + 3600}},
    "too old": {"claims": {"iat": AT - 3600, "exp": AT + 60}},
    "of nobody": {"claims": {"sub": None}},
    "of an empty subject": {"claims": {"sub": ""}},
    "unsigned": {"sign": oidc_server.unsigned},
    "signed with the public key": {"sign": oidc_server.signed_with_the_public_key},
    "signed by another": {"sign": oidc_server.signed_by_another},
    "signed by an unknown key": {"sign": oidc_server.signed_by_an_unknown_key},
    "changed": {"sign": oidc_server.changed_after_signing},
    "no token": {"sign": lambda _provider, _claims: "not.a.token"},
}
ANSWERS: dict[str, dict[str, str]] = {
    "another issuer's": {"iss": "https://evil.example"},
    "a refusal": {"error": "access_denied"},
    "another state": {"state": "s" * 43},
    "an unknown code": {"code": "made up"},
}


async def test_an_answer_that_is_not_right_opens_nothing(federated: Federated) -> None:
    async with federated.browser() as http:
        for name, wrong in TOKENS.items():
            federated.one.honest()
            for part, value in wrong.items():
                setattr(federated.one, part, value)
            async with http.get("/connexion/oidc/one") as response:
                assert response.status == 403, name
            assert await who(http) is None, name
        federated.one.honest()
    async with federated.browser() as http:
        for name, answer in ANSWERS.items():
            federated.one.answer = answer
            async with http.get("/connexion/oidc/one") as response:
                assert response.status in {403, 429}, name
            assert await who(http) is None, name
    assert await federated.sessions() == 0
    refusals = await federated.refusals()
    assert len(refusals) == len(TOKENS) + len(ANSWERS)
    assert all("oidc:one" in one for one in refusals)
    assert federated.one.keys_read <= 2  # an unknown key makes us look again, and not each time


async def test_an_answer_counts_once_and_in_the_browser_that_asked(federated: Federated) -> None:
    async with federated.browser() as http, federated.browser() as other:
        back = await answer_of(http, "/connexion/oidc/one")
        async with other.get(back) as response:  # somebody else's sign-in, brought to another browser
            assert response.status == 403
        assert await who(other) is None
        async with http.get(back, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/")
        async with http.post("/deconnexion"):
            pass
        async with http.get(back) as response:  # the same answer again
            assert response.status == 403
        assert await who(http) is None
        first = await answer_of(http, "/connexion/oidc/one")
        second = await answer_of(http, "/connexion/oidc/one")
        mixed = second.update_query(code=first.query["code"])  # another sign-in's code: its verifier does not fit
        async with http.get(mixed) as response:
            assert response.status == 403
        assert await who(http) is None


async def test_a_provider_does_not_answer_for_another(federated: Federated) -> None:
    """Mix-up: the answer of one is brought to the address of the other."""
    await identities.bind(federated.connection, federated.two.issuer, "victim", federated.account_id)
    async with federated.browser() as http:
        back = await answer_of(http, "/connexion/oidc/one")
        async with http.get(back.with_path("/connexion/oidc/two/retour")) as response:
            assert response.status == 403
        back = await answer_of(http, "/connexion/oidc/one")
        without = back.with_query({name: value for name, value in back.query.items() if name != "iss"})
        async with http.get(without) as response:  # this provider always names itself
            assert response.status == 403
        assert await who(http) is None
        for path in ("/connexion/oidc/absent", "/connexion/oidc/absent/retour?code=x&state=y"):
            async with http.get(path) as response:
                assert response.status == 404
    assert await federated.sessions() == 0


async def test_a_description_of_another_is_refused(federated: Federated) -> None:
    federated.one.described = {"issuer": federated.two.issuer}
    async with federated.browser() as http, http.get("/connexion/oidc/one", allow_redirects=False) as response:
        assert response.status == 403


async def test_an_invitation_is_accepted_with_an_identity_once(federated: Federated) -> None:
    secret = secrets.token_urlsafe(32)
    federated.two.subject = "new one"
    await add_link(federated.connection, digest(secret), "invitation", federated.account_id, timedelta(days=1))
    path = f"/connexion/mot-de-passe/{secret}/two"
    async with federated.browser() as http:
        async with http.get(path.rpartition("/")[0]) as response:
            assert path in await response.text()
        async with http.get(path) as response:
            assert (response.status, response.url.path) == (200, HOME)
        assert await who(http) == "maire@example.fr"
    async with federated.browser() as http:
        async with http.get(path) as response:
            assert response.status == 410
        async with http.get("/connexion/oidc/two") as response:
            assert response.status == 200
        assert await who(http) == "maire@example.fr"


async def test_an_account_binds_an_identity_that_is_nobody_s(federated: Federated) -> None:
    cookie = await api_world.sign_in(federated.connection, ("viewer", federated.world.tenant_id), email="b@example.fr")
    async with federated.browser(cookie) as http:
        async with http.get("/compte/identites/one") as response:  # it is the mayor's
            assert response.status == 403
        federated.two.subject = "b"
        back = await answer_of(http, "/compte/identites/two")
        async with federated.browser() as other, other.get(back) as response:
            assert response.status == 403
        async with http.get("/compte/identites/two") as response:
            assert (response.status, response.url.path) == (200, "/compte")
            assert "Délier Two" in await response.text()
        async with http.post("/compte/identites/two/retrait") as response:
            assert "Lier Two" in await response.text()
        await federated.connection.execute("UPDATE sessions SET opened_at = now() - interval '1 hour'")
        async with http.get("/compte/identites/two", allow_redirects=False) as response:
            assert response.headers["Location"].startswith("/connexion?encore=")


async def test_a_provider_s_word_is_one_factor_unless_it_says_that_it_is_two(federated: Federated) -> None:
    secret = b"a secret of 20 bytes"
    await factors.propose(federated.connection, api_world.KEYRING, federated.account_id, secret)
    await factors.use(federated.connection, federated.account_id, 1)
    async with federated.browser() as http:
        async with http.get("/connexion/oidc/one") as response:
            assert response.url.path == "/connexion/code"
        assert await who(http) is None
        form = {"code": totp.code(secret, totp.step_of(NOW)), "next": "/"}
        async with http.post("/connexion/code", data=form):
            pass
        assert await who(http) == "maire@example.fr"
    federated.one.claims = {"acr": "2fa"}
    async with federated.browser() as http:
        async with http.get("/connexion/oidc/one") as response:
            assert (response.status, response.url.path) == (200, HOME)
        assert await who(http) == "maire@example.fr"


async def test_the_profile_of_proconnect(federated: Federated) -> None:
    """An issuer with a path, RS256, claims that are asked for, `amr`, people as a signed token, a way out."""
    pro, secret = federated.pro, b"a secret of 20 bytes"
    await identities.bind(federated.connection, pro.issuer, "c3d4", federated.account_id)
    await factors.propose(federated.connection, api_world.KEYRING, federated.account_id, secret)
    await factors.use(federated.connection, federated.account_id, 1)
    pro.subject = "c3d4"
    for claims, where in (
        ({"acr": "eidas1", "amr": ["pwd"]}, "/connexion/code"),
        ({"acr": "eidas1", "amr": "mfa"}, "/connexion/code"),  # not as the standard says it
        ({"acr": "eidas1", "amr": ["pwd", "mfa"]}, HOME),
        ({"acr": "eidas1-mfa"}, HOME),
    ):
        pro.claims = claims
        async with federated.browser() as http, http.get("/connexion/oidc/proconnect") as response:
            assert (response.status, response.url.path) == (200, where), claims
    assert pro.asked["idp_hint"] == "dinum"
    assert (pro.asked["scope"], pro.asked["acr_values"]) == ("openid", "eidas1")
    assert json.loads(pro.asked["claims"]) == {
        "id_token": {"amr": {"essential": False}, "acr": {"essential": False, "values": ["eidas1-mfa"]}}
    }
    assert pro.people_read == 0  # what it would tell of somebody is not asked
    async with federated.browser() as http:
        async with http.get("/connexion/oidc/proconnect"):
            assert await who(http) == "maire@example.fr"
        async with http.post("/deconnexion") as response:
            there = URL(response.headers["Refresh"].partition("url=")[2])
        async with http.get(there) as response:
            assert (response.status, response.url.path) == (200, "/connexion")
    (told,) = pro.signed_out
    assert told.keys() == {"id_token_hint", "post_logout_redirect_uri", "state"}
    async with federated.browser() as http, http.get("/connexion/oidc/one?next=/"):
        assert "claims" not in federated.one.asked  # it does not say that it takes them
        assert "idp_hint" not in federated.one.asked


async def test_a_provider_that_is_away_is_told_as_such(federated: Federated) -> None:
    federated.one.described = {"token_endpoint": f"http://127.0.0.1:{free_port()}/token"}
    async with federated.browser() as http, http.get("/connexion/oidc/one") as response:
        assert response.status == 503
        assert "ne répond pas" in await response.text()
    found = [entry async for entry in audit.entries(federated.connection)]
    assert all(entry.action != "session.opened" for entry in found)
