"""Mails that carry links: invitations and new passwords. Who sends them is given by `deploy`.

A link is in the mail alone: neither the database nor a queue on disk holds it, so no copy of either opens an account
(docs/decisions). What a restart loses is asked for again.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Final, NamedTuple, Protocol

import structlog
from aiohttp import web

from api.access import digest
from api.context import ACCOUNTS, SETTINGS, doorkeeper_of
from api.pages.texts import Texts, texts
from domain.errors import SamaraError
from store.access import accounts, audit
from store.access.links import Kind, add_link, forget_links

log: Final = structlog.get_logger("api")

INVITATION_VALID: Final = timedelta(days=7)
RESET_VALID: Final = timedelta(hours=1)
_AT_ONCE: Final = 100  # mails under way; what is asked for beyond is refused rather than held


class MailError(SamaraError):
    """The mail was not taken by the relay, or there is none; the link in it will not be used."""


class Mail(NamedTuple):
    """One mail, in plain text."""

    recipient: str
    subject: str
    text: str


class Mailer(Protocol):
    """Given by `deploy`: the API does not know how mail leaves."""

    @property
    def available(self) -> bool:
        """Say whether there is a relay."""

    async def send(self, mail: Mail) -> None:
        """Hand a mail to the relay. Raises MailError."""


class Background:
    """Mails that nobody waits for: that an account exists must not be told by how long an answer takes."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def send(self, work: Awaitable[None]) -> None:
        """Do the work beside, unless too much is under way already."""
        if len(self._under_way) >= _AT_ONCE:
            log.warning("a mail was not sent: too many at once", under_way=len(self._under_way))
            if asyncio.iscoroutine(work):
                work.close()
            return
        task = asyncio.ensure_future(_told(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._under_way)

    def cancel(self) -> None:
        """End what is under way."""
        for task in self._under_way:
            task.cancel()


async def _told(work: Awaitable[None]) -> None:
    try:
        await work
    except MailError as error:
        log.warning("a mail was not sent; its reader will ask again", error=str(error))
    except Exception:
        log.exception("a mail was not sent: this is a defect")


MAILER: Final[web.AppKey[Mailer]] = web.AppKey("mailer")
BACKGROUND: Final = web.AppKey("mails", Background)


def add_to(app: web.Application, mailer: Mailer) -> None:
    """Give the application what sends its mails."""
    app[MAILER], app[BACKGROUND] = mailer, Background()
    app.cleanup_ctx.append(_until_stopped)


async def _until_stopped(app: web.Application) -> AsyncIterator[None]:
    yield
    app[BACKGROUND].cancel()


def is_available(app: web.Application) -> bool:
    """Say whether links can be mailed: there is a relay, and an address of ours that they begin with.

    The address is the operator's word, never the Host header: a link must not lead where a request says it comes from.
    """
    return app[MAILER].available and bool(app[SETTINGS].public_url)


async def send_link(app: web.Application, kind: Kind, email: str, actor: str) -> None:
    """Make a link for the account of this e-mail and mail it; nothing for an account that is not, or is disabled.

    Former links of the same kind open nothing more. Raises MailError.
    """
    if not is_available(app):
        raise MailError("no mail leaves: [notifications.smtp] host and api.public_url are to be set")
    known = await accounts.credential(app[ACCOUNTS], email)
    if known is None or known.is_disabled:
        return
    secret = secrets.token_urlsafe(32)
    async with doorkeeper_of(app) as connection:
        await forget_links(connection, known.account_id, kind)
        valid = INVITATION_VALID if kind == "invitation" else RESET_VALID
        await add_link(connection, digest(secret), kind, known.account_id, valid)
        await audit.append(connection, f"{kind}.mailed", actor=actor, subject=known.email)
    address = f"{app[SETTINGS].public_url}/connexion/mot-de-passe/{secret}"
    await app[MAILER].send(_mail(known.email, kind, texts(known.language), address))


async def tell_of_role(app: web.Application, email: str, language: str, role: str, tenant: str) -> None:
    """Tell somebody who has a way in already that they were given a role. Raises MailError."""
    catalogue = texts(language)
    words = {"role": catalogue(f"role.{role}"), "tenant": tenant or catalogue("compte.everywhere")}
    text = catalogue("mail.role.text", address=f"{app[SETTINGS].public_url}/", **words)
    await app[MAILER].send(Mail(email, catalogue("mail.role.subject", **words), text))


def _mail(email: str, kind: Kind, catalogue: Texts, address: str) -> Mail:
    return Mail(email, catalogue(f"mail.{kind}.subject"), catalogue(f"mail.{kind}.text", address=address))
