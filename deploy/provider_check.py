"""What `samara doctor` asks an identity provider: is it there and who the settings say, its keys, and the hour."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import aiohttp
from aiohttp import hdrs

from api.oidc.provider import described, discovery_of
from api.oidc.tokens import LEEWAY_S, IdentityError, key_set
from api.settings import OidcProvider
from deploy.findings import Finding

_MAX_BYTES: Final = 256 * 1024


class _Told(NamedTuple):
    """What an address answered, and when it says that it was."""

    document: Any
    at: datetime | None


class _NoAnswerError(Exception):
    """An address did not answer, or not with JSON."""


async def check_provider(settings: OidcProvider, now: datetime) -> AsyncIterator[Finding]:
    """Yield what there is to say of a provider: its description and keys, and how far its clock is from ours."""
    subject = f"identity provider {settings.name}"
    timeout = aiohttp.ClientTimeout(total=settings.timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        try:
            told = await _get(http, discovery_of(settings.issuer))
            metadata = described(told.document, settings.issuer)
            keys = key_set((await _get(http, metadata.jwks_uri)).document)
        except _NoAnswerError as error:
            advice = (
                "nobody signs in with it meanwhile; check `issuer` of [[api.oidc]], and the way out to it (proxy, DNS)"
            )
            yield Finding(subject, "wrong", str(error), advice)
            return
        except IdentityError as error:
            yield Finding(subject, "wrong", str(error), _advice(told.document, settings.issuer))
            return
    count = len(keys.keys)
    out = "" if metadata.end_session_endpoint else "; signing out there is not offered"
    if count == 0:
        yield Finding(subject, "wrong", "it publishes no key that signs", "no token can be believed: tell who runs it")
        return
    yield Finding(subject, "ok", f"{settings.issuer}, {count} keys{out}")
    supported = told.document.get("acr_values_supported")
    unknown = sorted({*settings.strong_acr} - set(supported)) if isinstance(supported, list) else []
    if unknown:
        said = f"it does not say that it knows {', '.join(unknown)}"
        yield Finding(
            subject, "warning", said, "`strong_acr` may never be met: our own second factor is asked for then"
        )
    yield _clock(subject, told.at, now)


def _clock(subject: str, theirs: datetime | None, ours: datetime) -> Finding:
    """Say whether two clocks are near enough for tokens to be neither too old nor of the future."""
    if theirs is None:
        return Finding(f"{subject}, clock", "ok", "it does not say what time it is")
    apart_s = abs((ours - theirs).total_seconds())
    if apart_s > LEEWAY_S:
        advice = "install a time service: apt-get install systemd-timesyncd"
        return Finding(f"{subject}, clock", "wrong", f"{apart_s:.0f} s apart from ours: tokens are refused", advice)
    return Finding(f"{subject}, clock", "ok", f"{apart_s:.0f} s apart from ours")


def _advice(document: Any, issuer: str) -> str:
    theirs = document.get("issuer") if isinstance(document, dict) else None
    if isinstance(theirs, str) and theirs != issuer:
        named = json.dumps(theirs[:200])
        return f"set issuer = {named} if that is the provider that is meant: it must be the same to the letter"
    return "tell who runs it; it does not keep OpenID Connect Discovery 1.0"


async def _get(http: aiohttp.ClientSession, address: str) -> _Told:
    try:
        async with http.get(address, allow_redirects=False) as answer:
            body = await answer.content.read(_MAX_BYTES + 1)
            while not answer.content.at_eof() and len(body) <= _MAX_BYTES:
                body += await answer.content.read(_MAX_BYTES + 1 - len(body))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _NoAnswerError(f"{address}: {error or type(error).__name__}") from error
    if answer.status != 200 or len(body) > _MAX_BYTES:
        raise _NoAnswerError(f"{address} answered {answer.status}, {len(body)} bytes")
    try:
        return _Told(json.loads(body), _date(answer.headers.get(hdrs.DATE, "")))
    except (ValueError, RecursionError) as error:
        raise _NoAnswerError(f"{address} did not answer JSON") from error


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
