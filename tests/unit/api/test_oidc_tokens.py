"""What of an identity provider is believed, without a network: keys, tokens, descriptions, settings."""

from datetime import timedelta
from typing import Any

import pytest
from api_world import NOW
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import ValidationError

from api.oidc.provider import described
from api.oidc.tokens import Expected, IdentityError, UnknownKeyError, challenge, derived, identity, key_set
from api.settings import ApiSettings

EXPECTED = Expected("https://provider.example", "samara", "n" * 43)
AT = int(NOW.timestamp())
KEY = ECKey.generate_key("P-256", {"kid": "one"})
CLAIMS = {"iss": EXPECTED.issuer, "aud": "samara", "sub": "a", "nonce": EXPECTED.nonce, "iat": AT, "exp": AT + 60}


def test_the_challenge_is_that_of_the_standard() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_state_nonce_and_verifier_tell_nothing_of_each_other() -> None:
    made = {derived("secret", what) for what in ("state", "nonce", "verifier")} | {derived("other", "state")}
    assert len(made) == 4
    assert {len(one) for one in made} == {43}


def test_a_right_token_tells_who_and_how_sure() -> None:
    token = jwt.encode({"alg": "ES256", "kid": "one"}, CLAIMS | {"acr": "eidas1", "email": "x"}, KEY)
    found = identity(token, key_set({"keys": [KEY.as_dict(private=False)]}), EXPECTED, NOW)
    assert found == (EXPECTED.issuer, "a", "eidas1", frozenset())
    late = NOW + timedelta(seconds=200)
    with pytest.raises(IdentityError, match="exp"):
        identity(token, key_set({"keys": [KEY.as_dict(private=False)]}), EXPECTED, late)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_rsa_is_taken_too(algorithm: str) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"})
    token = jwt.encode({"alg": algorithm, "kid": "rsa"}, CLAIMS, key, algorithms=[algorithm])
    assert identity(token, key_set({"keys": [key.as_dict(private=False)]}), EXPECTED, NOW).subject == "a"


def test_a_key_that_is_not_published_is_asked_for_again() -> None:
    token = jwt.encode({"alg": "ES256", "kid": "two"}, CLAIMS, ECKey.generate_key("P-256", {"kid": "two"}))
    with pytest.raises(UnknownKeyError):
        identity(token, key_set({"keys": [KEY.as_dict(private=False)]}), EXPECTED, NOW)


@pytest.mark.parametrize(
    "published",
    [
        None,
        {},
        {"keys": "x"},
        {"keys": []},
        {"keys": [OctKey.generate_key(256).as_dict()]},  # a shared secret verifies nothing here
        {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]},
        {"keys": [KEY.as_dict(private=False) | {"use": "enc"}]},
    ],
)
def test_keys_that_are_none_are_refused(published: Any) -> None:
    with pytest.raises(IdentityError):
        key_set(published)


def test_a_description_is_the_issuer_s_own_and_leads_to_safe_places() -> None:
    right = {
        "issuer": EXPECTED.issuer,
        "authorization_endpoint": f"{EXPECTED.issuer}/a",
        "token_endpoint": f"{EXPECTED.issuer}/t",
        "jwks_uri": "https://keys.example/jwks",
    }
    found = described(right, EXPECTED.issuer)
    assert (found.end_session_endpoint, found.names_itself, found.by_header) == ("", False, True)
    for wrong in (
        {"issuer": EXPECTED.issuer + "/"},
        {"token_endpoint": "http://provider.example/t"},
        {"token_endpoint": "https://user:password@provider.example/t"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"code_challenge_methods_supported": ["plain"]},
    ):
        with pytest.raises(IdentityError):
            described(right | wrong, EXPECTED.issuer)


RIGHT = {"name": "one", "issuer": "https://a.example", "client_id": "x", "client_secret": "sixteen characters"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://a.example"},
        {"issuer": "https://user@a.example"},
        {"issuer": "https://a.example?x=1"},
        {"client_secret": "short"},
        {"name": "../x"},
    ],
)
def test_a_provider_that_will_not_do_stops_the_start(wrong: dict[str, str]) -> None:
    ApiSettings.model_validate({"public_url": "https://samara.example", "oidc": [RIGHT]})
    with pytest.raises(ValidationError):
        ApiSettings.model_validate({"public_url": "https://samara.example", "oidc": [RIGHT | wrong]})


def test_providers_have_names_of_their_own_and_a_way_back() -> None:
    with pytest.raises(ValidationError, match="one name"):
        ApiSettings.model_validate({"public_url": "https://samara.example", "oidc": [RIGHT, RIGHT]})
    with pytest.raises(ValidationError, match="public_url"):
        ApiSettings.model_validate({"oidc": [RIGHT]})
