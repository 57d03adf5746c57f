"""Send what is due: each message claimed by one worker, composed once, and judged by what the other side said."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg
import structlog
from pydantic import ValidationError

from alerting.channels import Channel, Outbound, sms
from alerting.delivery.attempts import next_attempt
from alerting.notice import Fact, Notice
from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import DeliverySettings
from store.delivery import messages
from store.delivery.contacts import Contact, contact, contacts_of
from store.delivery.incidents import record
from store.delivery.messages import Claimed, Planned
from store.pool import borrowed

log = structlog.get_logger("samara.delivery")

AT_ONCE: Final = 16
_UNCAPPED: Final = frozenset({"digest", "test", "resolved"})

Compose = Callable[[asyncpg.Connection, Claimed, Contact], Awaitable[Notice]]
Told = Callable[[str, str], None]  # (channel, outcome): sent, again, dropped, dead


class Post(NamedTuple):
    """What sending needs: ways of telling, the way out, words, and whom to tell what became of each."""

    pool: asyncpg.Pool
    channels: Mapping[str, Channel]
    outbound: Outbound
    compose: Compose
    clock: Callable[[], datetime]
    told: Told


class _Ready(NamedTuple):
    """It can leave."""

    claimed: Claimed
    contact: Contact
    notice: Notice


class _Over(NamedTuple):
    """It will not leave: `state` is dropped (nobody needs it any more) or dead (somebody should look)."""

    claimed: Claimed
    state: str
    why: str
    channel: str = ""


async def send_some(post: Post) -> int:
    """Send the messages that are due; return how many were claimed."""
    ready: list[_Ready] = []
    async with borrowed(post.pool) as connection:
        claimed = await messages.claim(connection, post.clock(), _lease(post.outbound.settings), AT_ONCE)
        for one in claimed:
            found = await _prepared(connection, post, one)
            if isinstance(found, _Ready):
                ready.append(found)
            elif found is not None:
                await _end(connection, post, found)
    await asyncio.gather(*(_send(post, one) for one in ready))
    return len(claimed)


def _lease(settings: DeliverySettings) -> timedelta:
    """Return longer than any channel takes, so that no message is sent by two workers at once."""
    return timedelta(seconds=3 * max(settings.timeout_s, settings.smtp.timeout_s))


async def _prepared(connection: asyncpg.Connection, post: Post, claimed: Claimed) -> _Ready | _Over | None:
    """Return what is to leave, or why it does not; None when it waits for the contact's next digest."""
    now = post.clock()
    if not claimed.wanted:
        return _Over(claimed, "dropped", "it ended, or somebody takes care of it")
    to = await _addressee(connection, claimed, now)
    if to is None and claimed.contact_id is not None:
        return _Over(claimed, "dropped", "the contact was removed")
    if to is None:
        return _Over(claimed, "dead", "nobody is on call")
    over = await _over_cap(connection, post, claimed, to)
    if over is not None:
        return over
    if await _waits_for_digest(connection, post, claimed, to):
        return None
    return _Ready(claimed, to, await _notice(connection, post, claimed, to))


async def _over_cap(connection: asyncpg.Connection, post: Post, claimed: Claimed, to: Contact) -> _Over | None:
    cap = post.outbound.settings.max_sms_per_tenant_per_day
    if to.channel != sms.NAME or await messages.sms_last_day(connection, claimed.tenant_id, post.clock()) < cap:
        return None
    return _Over(claimed, "dead", f"{cap} SMS in a day: the limit of a tenant", to.channel)


async def _waits_for_digest(connection: asyncpg.Connection, post: Post, claimed: Claimed, to: Contact) -> bool:
    """Put what is too much for one hour into the next digest; what is critical goes all the same."""
    cap, now = post.outbound.settings.max_per_contact_per_hour, post.clock()
    if claimed.severity == "critical" or claimed.kind in _UNCAPPED:
        return False
    if await messages.sent_last_hour(connection, to.contact_id, now) < cap:
        return False
    why = f"{cap} messages in an hour: it goes into a digest"
    await messages.try_again(connection, claimed.delivery_id, now + timedelta(hours=1), why, grouped=True)
    return True


async def _notice(connection: asyncpg.Connection, post: Post, claimed: Claimed, to: Contact) -> Notice:
    """Return what an earlier attempt said, else what there is to say now, which later attempts will say again."""
    if claimed.notice is not None:
        return _read(claimed.notice)
    notice = await post.compose(connection, claimed, to)
    cost = 0
    if to.channel == sms.NAME:
        cost = sms.segments(sms.text(notice, post.outbound.settings.sms.max_segments))
    await messages.keep_notice(connection, claimed.delivery_id, notice._asdict(), to.contact_id, cost)
    return notice


async def _addressee(connection: asyncpg.Connection, claimed: Claimed, now: datetime) -> Contact | None:
    """Return whom a message is for. When several are on call, the others get one each."""
    if claimed.contact_id is not None:
        return await contact(connection, claimed.contact_id, now)
    on_call = [one for one in await contacts_of(connection, [claimed.tenant_id], now) if one.on_call]
    others = [
        Planned(
            message_id=f"{claimed.message_id}-{one.contact_id}",
            tenant_id=claimed.tenant_id,
            incident_id=claimed.incident_id,
            contact_id=one.contact_id,
            kind=claimed.kind,
            severity=claimed.severity,
            due_at=now,
        )
        for one in on_call[1:]
    ]
    await messages.plan(connection, others, now)
    return on_call[0] if on_call else None


async def _send(post: Post, ready: _Ready) -> None:
    claimed, to = ready.claimed, ready.contact
    failure = None
    try:
        channel = _channel(post, to)
        target = channel.Target.model_validate(to.target)
        await channel.send(ready.notice, target, post.outbound, post.clock())
    except ValidationError as error:
        failure = DeliveryError(f"{to.name}: {error.errors()[0]['msg']}", permanent=True)
    except DeliveryError as error:
        failure = error
    async with borrowed(post.pool) as connection:
        if failure is None:
            await messages.end(connection, claimed.delivery_id, "sent", post.clock())
            post.told(to.channel, "sent")
        else:
            await _failed(connection, post, ready, failure)


def _channel(post: Post, to: Contact) -> Channel:
    try:
        return post.channels[to.channel]
    except KeyError:
        raise DeliveryError(f"there is no channel {to.channel}", permanent=True) from None


async def _failed(connection: asyncpg.Connection, post: Post, ready: _Ready, failure: DeliveryError) -> None:
    claimed, to, now = ready.claimed, ready.contact, post.clock()
    again = None
    if not failure.permanent:
        again = next_attempt(claimed.attempts + 1, claimed.created_at, failure.retry_after_s, now)
    if again is not None:
        await messages.try_again(connection, claimed.delivery_id, again, str(failure))
        post.told(to.channel, "again")
        return
    log.warning("a message could not be delivered", contact=to.contact_id, channel=to.channel, error=str(failure))
    await _end(connection, post, _Over(claimed, "dead", str(failure), to.channel))


async def _end(connection: asyncpg.Connection, post: Post, over: _Over) -> None:
    await messages.end(connection, over.claimed.delivery_id, over.state, post.clock(), over.why)
    post.told(over.channel, over.state)
    if over.state == "dead" and over.claimed.incident_id is not None:
        await record(connection, over.claimed.incident_id, post.clock(), "undelivered", note=over.why)


def _read(values: Mapping[str, Any]) -> Notice:
    """Return a notice as it was kept."""
    return Notice(
        **{
            **values,
            "sentences": tuple(values["sentences"]),
            "facts": tuple(Fact(*fact) for fact in values["facts"]),
        }
    )
