"""Sign in, by password or by a link, and out. Each sign-in is a new session: nothing that came before it is kept."""

import ipaddress
import re
import secrets
from datetime import timedelta
from typing import Final, NamedTuple

from aiohttp import web
from argon2 import PasswordHasher

from api import cookies, problems
from api.access import digest
from api.context import ACCOUNTS, CLOCK, SETTINGS, doorkeeper
from api.limits import Limits
from api.passwords import MAX_LENGTH, Passwords
from api.problems import ProblemError
from store.access import accounts, audit, sessions
from store.access.links import Link, use_link
from store.access.sessions import Lifetime

LIMITS: Final = web.AppKey("limits", Limits)
PASSWORDS: Final = web.AppKey("passwords", Passwords)

PENDING: Final = Lifetime(idle=timedelta(minutes=5), whole=timedelta(minutes=5))
_FREE_BY_EMAIL: Final = 5
_FREE_BY_ADDRESS: Final = 30  # a town hall is one address
_MAX_EMAIL: Final = 254
_LOCAL: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}\Z")


class Opened(NamedTuple):
    """What a sign-in gave: a session, or one that waits for the second factor."""

    secret: str
    is_pending: bool


def add_to(app: web.Application, hasher: PasswordHasher) -> None:
    """Give the application what sign-ins need."""
    app[LIMITS] = Limits()
    app[PASSWORDS] = Passwords(hasher)


def local(address: str | None) -> str:
    """Return the address if it is one of this site, else that of the first page: no link of ours leads elsewhere."""
    return address if address is not None and _LOCAL.match(address) else "/"


def remote(request: web.Request) -> str:
    """Return the address that asks, as the proxy in front tells it when there is one."""
    peer = request.remote or ""
    if peer in request.app[SETTINGS].trusted_proxies:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(told))
        except ValueError:
            return peer
    return peer


def refuse_too_many(request: web.Request, *subjects: tuple[str, int]) -> None:
    """Raise ProblemError with how long to wait when one of (subject, free failures) was wrong too often."""
    limits, now = request.app[LIMITS], request.app[CLOCK]()
    longest = max(limits.wait(subject, free, now) for subject, free in subjects)
    if longest > timedelta(0):
        raise ProblemError(problems.TOO_MANY_TRIES, retry_after_s=int(longest.total_seconds()) + 1)


async def sign_in(request: web.Request, email: str, password: str) -> Opened:
    """Open a session for who knows the password. Raises ProblemError, the same whatever is wrong."""
    email = email.strip().lower()[:_MAX_EMAIL]
    by_email, by_address = f"email:{email}", f"address:{remote(request)}"
    refuse_too_many(request, (by_email, _FREE_BY_EMAIL), (by_address, _FREE_BY_ADDRESS))
    limits, now = request.app[LIMITS], request.app[CLOCK]()
    known = await accounts.credential(request.app[ACCOUNTS], email)
    right = await request.app[PASSWORDS].matches(known.hash if known else None, password[: MAX_LENGTH + 1])
    if known is None or not right or known.is_disabled:
        limits.failed(by_email, now)
        limits.failed(by_address, now)
        async with doorkeeper(request) as connection:
            await audit.append(connection, "session.refused", actor=email or "?", detail={"address": remote(request)})
        raise ProblemError(problems.WRONG_CREDENTIALS)
    limits.succeeded(by_email)
    return await open_for(request, known.account_id, email, by="password", needs_factor=known.has_second_factor)


async def use_sign_in_link(request: web.Request, secret: str) -> Opened:
    """Open a session for who holds the link, and end the link. Raises ProblemError when it opens nothing."""
    by_address = f"address:{remote(request)}"
    refuse_too_many(request, (by_address, _FREE_BY_ADDRESS))
    async with doorkeeper(request) as connection:
        found: Link | None = await use_link(connection, digest(secret))
        if found is None or found.kind != "sign_in":
            request.app[LIMITS].failed(by_address, request.app[CLOCK]())
            raise ProblemError(problems.LINK_EXPIRED)
    return await open_for(request, found.account_id, found.email, by="link", needs_factor=False)


async def open_for(request: web.Request, account_id: int, email: str, *, by: str, needs_factor: bool) -> Opened:
    """Open a session, ending the one that the browser had: what somebody put there before is worth nothing."""
    settings = request.app[SETTINGS]
    whole = Lifetime(timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_s))
    secret = secrets.token_urlsafe(32)
    async with doorkeeper(request) as connection:
        for former in (cookies.session(request), cookies.pending(request)):
            if former is not None:
                await sessions.end_session(connection, digest(former))
        await sessions.open_session(
            connection,
            digest(secret),
            account_id,
            PENDING if needs_factor else whole,
            is_pending=needs_factor,
            user_agent=request.headers.get("User-Agent", ""),
        )
        if not needs_factor:
            await audit.append(
                connection,
                "session.opened",
                actor=email,
                account_id=account_id,
                detail={"address": remote(request), "by": by},
            )
    return Opened(secret, needs_factor)


def give(request: web.Request, answer: web.StreamResponse, opened: Opened) -> None:
    """Let the browser keep what was opened."""
    (cookies.give_pending if opened.is_pending else cookies.give_session)(request, answer, opened.secret)


async def sign_out(request: web.Request, answer: web.StreamResponse) -> None:
    """End the session for good, wherever a copy of its cookie may be."""
    former = cookies.session(request)
    async with doorkeeper(request) as connection:
        account_id = None
        if former is not None:
            account_id = await sessions.end_session(connection, digest(former))
        if account_id is not None:
            person = await accounts.person(connection, account_id)
            await audit.append(connection, "session.closed", actor=person.email, account_id=account_id)
    cookies.take_session(request, answer)
