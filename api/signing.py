"""Sign in, by password or by a link, and out. Each sign-in is a new session: nothing that came before it is kept."""

import re
import secrets
from datetime import timedelta
from typing import Final, NamedTuple

import asyncpg
from aiohttp import web
from argon2 import PasswordHasher

from api import cookies, problems, totp
from api.access import account_of, digest
from api.context import ACCOUNTS, CLOCK, SETTINGS, doorkeeper
from api.guesses import FREE_BY_ACCOUNT, FREE_BY_ADDRESS, LIMITS, refuse_too_many, remote
from api.limits import Limits
from api.passwords import Passwords, check
from api.problems import ProblemError
from store.access import accounts, audit, factors, sessions
from store.access.accounts import Credential
from store.access.bearer import Account
from store.access.links import Link, forget_links, use_link
from store.access.sealing import Keyring
from store.access.sessions import Lifetime

KEYRING: Final = web.AppKey("keyring", Keyring)
PASSWORDS: Final = web.AppKey("passwords", Passwords)

PENDING: Final = Lifetime(idle=timedelta(minutes=15), whole=timedelta(minutes=15))
FRESH: Final = timedelta(minutes=30)  # how long ago one may have signed in to change what one signs in with
_MAX_EMAIL: Final = 254
_MAX_TYPED: Final = 1_000  # more than a password that was taken can have, however its accents are typed
_LOCAL: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}\Z")


class Opened(NamedTuple):
    """What a sign-in gave: a session, or one that waits for a second factor: for its code, or to be added first."""

    secret: str
    is_pending: bool
    lacks_factor: bool = False


def add_to(app: web.Application, hasher: PasswordHasher, keyring: Keyring) -> None:
    """Give the application what sign-ins need."""
    app[KEYRING] = keyring
    app[LIMITS] = Limits()
    app[PASSWORDS] = Passwords(hasher)


def local(address: str | None) -> str:
    """Return the address if it is one of this site, else that of the first page: no link of ours leads elsewhere."""
    return address if address is not None and _LOCAL.match(address) else "/"


async def sign_in(request: web.Request, email: str, password: str) -> Opened:
    """Open a session for who knows the password. Raises ProblemError, the same whatever is wrong."""
    email = email.strip().lower()[:_MAX_EMAIL]
    by_email, by_address = f"email:{email}", f"address:{remote(request)}"
    refuse_too_many(request, (by_email, FREE_BY_ACCOUNT), (by_address, FREE_BY_ADDRESS))
    limits, now = request.app[LIMITS], request.app[CLOCK]()
    known = await accounts.credential(request.app[ACCOUNTS], email)
    right = await request.app[PASSWORDS].matches(known.hash if known else None, password[:_MAX_TYPED])
    if known is None or not right or known.is_disabled:
        limits.failed(by_email, now)
        limits.failed(by_address, now)
        async with doorkeeper(request) as connection:
            await audit.append(connection, "session.refused", actor=email or "?", detail={"address": remote(request)})
        raise ProblemError(problems.WRONG_CREDENTIALS)
    limits.succeeded(by_email)
    if known.hash is not None and request.app[PASSWORDS].is_outdated(known.hash):
        hashed = await request.app[PASSWORDS].hash(password)
        async with doorkeeper(request) as connection:
            await accounts.set_password(connection, known.account_id, hashed)
    return await open_for(request, known, by="password")


async def use_sign_in_link(request: web.Request, secret: str) -> Opened:
    """Open a session for who holds the link, and end the link. Raises ProblemError when it opens nothing."""
    by_address = f"address:{remote(request)}"
    refuse_too_many(request, (by_address, FREE_BY_ADDRESS))
    async with doorkeeper(request) as connection:
        found: Link | None = await use_link(connection, digest(secret))
        if found is None or found.kind != "sign_in":
            request.app[LIMITS].failed(by_address, request.app[CLOCK]())
            raise ProblemError(problems.LINK_EXPIRED)
        known = await accounts.credential_of(connection, found.account_id)
    assert known is not None, "a link is of an account"
    return await _open(request, known, by="link", state=_OPEN)  # only an operator makes such links


class _State(NamedTuple):
    """What a new session waits for."""

    is_pending: bool
    lacks_factor: bool = False


_OPEN: Final = _State(is_pending=False)


async def open_for(request: web.Request, known: Credential, *, by: str, is_strong: bool = False) -> Opened:
    """Open a session for who has shown one factor, or two (`is_strong`); else it waits for the second.

    An account without second factor waits to have one where one of its roles asks for it.
    """
    required = not set(known.roles).isdisjoint(request.app[SETTINGS].second_factor_for)
    if is_strong or not (known.has_second_factor or required):
        return await _open(request, known, by=by, state=_OPEN)
    return await _open(request, known, by=by, state=_State(is_pending=True, lacks_factor=not known.has_second_factor))


async def _open(request: web.Request, known: Credential, *, by: str, state: _State) -> Opened:
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
            known.account_id,
            PENDING if state.is_pending else whole,
            is_pending=state.is_pending,
            user_agent=request.headers.get("User-Agent", ""),
        )
        if not state.is_pending:
            await audit.append(
                connection,
                "session.opened",
                actor=known.email,
                account_id=known.account_id,
                detail={"address": remote(request), "by": by},
            )
    return Opened(secret, state.is_pending, state.lacks_factor)


async def pending_account(request: web.Request, connection: asyncpg.Connection) -> int:
    """Return whose session waits for a second factor in this browser. Raises ProblemError."""
    secret = cookies.pending(request)
    account_id = None if secret is None else await sessions.pending_account(connection, digest(secret))
    if account_id is None:
        raise ProblemError(problems.WRONG_CREDENTIALS)
    return account_id


async def second_factor(request: web.Request, given: str) -> Opened:
    """Open the session that waited for this code, as a new one. Raises ProblemError.

    The code of a factor that was proposed and is not yet confirmed confirms it.
    """
    async with doorkeeper(request) as connection:
        account_id = await pending_account(request, connection)
        before = await accounts.credential_of(connection, account_id)
        await check_code(request, connection, account_id, given)
        known = await accounts.credential_of(connection, account_id)
        assert known is not None, "its session was there"
        if before is not None and not before.has_second_factor:
            await sessions.end_sessions_of(connection, account_id)
            await audit.append(connection, "second_factor.added", actor=known.email, account_id=account_id)
    return await _open(request, known, by="second factor", state=_OPEN)


def person_of(request: web.Request) -> Account:
    """Return who is signed in with a browser. Raises ProblemError: the key of a program has no business there."""
    account = account_of(request)
    if account.session_id is None:
        raise ProblemError(problems.FORBIDDEN)
    return account


async def refuse_stale(request: web.Request) -> Account:
    """Return who asks, if they signed in not long ago: what one signs in with is changed by its owner alone.

    Raises ProblemError: for the key of a program, and for who must sign in again first.
    """
    account = person_of(request)
    assert account.session_id is not None
    if not await sessions.is_fresh(request.app[ACCOUNTS], account.session_id, FRESH):
        raise ProblemError(problems.SIGN_IN_AGAIN)
    return account


async def check_code(request: web.Request, connection: asyncpg.Connection, account_id: int, given: str) -> None:
    """Accept a code of the account's second factor, each once. Raises ProblemError when it is wrong."""
    limits, now, subject = request.app[LIMITS], request.app[CLOCK](), f"code:{account_id}"
    refuse_too_many(request, (subject, FREE_BY_ACCOUNT))
    known = await factors.factor(connection, request.app[KEYRING], account_id)
    step = None if known is None else totp.matching_step(known.secret, given, now)
    if step is None or not await factors.use(connection, account_id, step):
        limits.failed(subject, now)
        raise ProblemError(problems.WRONG_CREDENTIALS)
    limits.succeeded(subject)


async def choose_password(request: web.Request, secret: str, password: str) -> Opened:
    """Take the password that the holder of an invitation or of a reset chose, and let them in.

    Raises WeakPasswordError, leaving the link as it was, and ProblemError when it opens nothing. A second factor, once
    there, is asked for all the same.
    """
    by_address = f"address:{remote(request)}"
    refuse_too_many(request, (by_address, FREE_BY_ADDRESS))
    async with doorkeeper(request) as connection:
        found = await use_link(connection, digest(secret))
        if found is None or found.kind not in {"invitation", "reset"}:
            request.app[LIMITS].failed(by_address, request.app[CLOCK]())
            raise ProblemError(problems.LINK_EXPIRED)
        check(password, found.email)
        await accounts.set_password(connection, found.account_id, await request.app[PASSWORDS].hash(password))
        await sessions.end_sessions_of(connection, found.account_id)
        await forget_links(connection, found.account_id, "invitation", "reset", "sign_in")
        await audit.append(connection, "password.changed", actor=found.email, account_id=found.account_id)
        known = await accounts.credential_of(connection, found.account_id)
    assert known is not None, "its password was just set"
    return await open_for(request, known, by=found.kind)


async def change_password(request: web.Request, former: str, chosen: str) -> None:
    """Change the password of who is signed in and knows it. Raises WeakPasswordError, ProblemError."""
    account = person_of(request)
    limits, now, subject = request.app[LIMITS], request.app[CLOCK](), f"password:{account.account_id}"
    refuse_too_many(request, (subject, FREE_BY_ACCOUNT))
    kept = await accounts.password_hash(request.app[ACCOUNTS], account.account_id)
    if not await request.app[PASSWORDS].matches(kept, former[:_MAX_TYPED]):
        limits.failed(subject, now)
        raise ProblemError(problems.WRONG_CREDENTIALS)
    limits.succeeded(subject)
    check(chosen, account.email)
    hashed = await request.app[PASSWORDS].hash(chosen)
    async with doorkeeper(request) as connection:
        await accounts.set_password(connection, account.account_id, hashed)
        await sessions.end_sessions_of(connection, account.account_id, but=account.session_id)
        await forget_links(connection, account.account_id, "invitation", "reset", "sign_in")
        await audit.append(connection, "password.changed", actor=account.email, account_id=account.account_id)


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
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
