"""The page of whom a tenant's alerts are told to, /t/<slug>/contacts, and what became of each message."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import MANAGE, require
from api.context import CLOCK, reader, writer
from api.notifying import CONTACT_RULES
from api.pages import people, rendering
from api.pages.forms import form
from api.pages.navigation import Entry
from api.pages.rendering import Crumb
from api.parameters import Asked, Id, of_path
from api.tenancy import tenant_of
from domain.errors import NotFoundError, SamaraError
from store.access import audit
from store.delivery import contacts, messages
from store.delivery.reading import letters
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/contacts"
NEW: Final = PATH + "/nouveau"
STEPS: Final = PATH + "/relais"
TEST: Final = PATH + "/{id}/essai"
ON_CALL: Final = PATH + "/{id}/astreinte"
END_SHIFT: Final = PATH + "/astreintes/{id}/fin"
REMOVE: Final = PATH + "/{id}/suppression"
RESEND: Final = PATH + "/messages/{id}/envoi"
_LETTERS: Final = 20
_MAX_NAME: Final = 200


class OnePath(Asked):
    """A contact or a message of a tenant."""

    slug: str
    id: Id


class _Given(NamedTuple):
    """What somebody typed of a contact."""

    name: str
    target: dict[str, Any]
    preferences: dict[str, Any]


@require(MANAGE)
async def show(request: web.Request) -> web.Response:
    """Answer whom alerts are told to, in which order, and the last messages."""
    rendering.query(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await contacts.contacts_of(connection, [tenant.tenant_id], now)
        steps = await contacts.steps_of(connection, [tenant.tenant_id])
        shifts = await contacts.shifts(connection, tenant.tenant_id, now)
        sent = await letters(connection, tenant.tenant_id, limit=_LETTERS)
    return rendering.html(
        request,
        "contacts.html",
        tenant=tenant,
        people=[people.person(one, texts) for one in found],
        sends_mail="email" in _channels(request),
        channels=[(name, texts(f"contacts.channel.{name}")) for name in _channels(request)],
        steps=people.steps(steps),
        shifts=people.shifts(shifts, ZoneInfo(tenant.time_zone), texts),
        whom=[("", texts("contacts.on_call")), *((str(one.contact_id), one.name) for one in found)],
        letters=people.told(sent, ZoneInfo(tenant.time_zone), texts),
    )


def _channels(request: web.Request) -> list[str]:
    """Return the channels that people of a town hall can fill in."""
    return [name for name in request.app[CONTACT_RULES].available() if name in people.CHANNELS]


@require(MANAGE)
async def show_new(request: web.Request) -> web.Response:
    """Answer the form of one more contact, reached by `canal`."""
    channel = rendering.query(request, "canal").text("canal", "a channel", default="email")
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
    return _form(request, tenant, channel, {}, wrong=False)


def _form(request: web.Request, tenant: Tenant, channel: str, given: dict[str, str], *, wrong: bool) -> web.Response:
    if channel not in _channels(request):
        raise NotFoundError
    texts = rendering.catalogue_of(request)
    return rendering.html(
        request,
        "contact.html",
        status=422 if wrong else 200,
        tenant=tenant,
        here="contacts",
        crumbs=[Crumb(texts("nav.contacts"), rendering.tenant_address(tenant, "contacts"))],
        channel=texts(f"contacts.channel.{channel}"),
        action=f"{rendering.tenant_address(tenant, 'contacts', 'nouveau')}?canal={channel}",
        fields=people.CHANNELS[channel],
        given={
            "severity": "warning",
            "digest": "none",
            "remind": "",
            "language": "fr",
            "name": "",
            "quiet_from": "",
            "quiet_to": "",
            "on_call_only": "",
        }
        | given,
        severities=[(one, texts(f"contacts.from.{one}")) for one in ("info", "warning", "critical")],
        digests=[(one, texts(f"contacts.digest.{one}")) for one in ("none", "daily", "weekly")],
        reminders=[
            ("", texts("contacts.remind.never")),
            *((one, texts(f"contacts.remind.{one}")) for one in people.REMINDERS_S),
        ],
        tongues=[("fr", texts("contacts.french")), ("en", texts("contacts.english"))],
        wrong=wrong,
    )


@require(MANAGE)
async def create(request: web.Request) -> web.Response:
    """Add a contact, and send it a test message."""
    channel = request.query.get("canal", "")
    if channel not in _channels(request):
        raise NotFoundError
    names = [name for name, _ in people.CHANNELS[channel]]
    filled = await form(request, "name", "severity", "language", "on_call_only", *names, *people.PREFERENCES)
    given = _given(filled, names)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        try:
            request.app[CONTACT_RULES].check(channel, given.target, given.preferences)
        except SamaraError:
            return _form(request, tenant, channel, filled, wrong=True)
        contact_id = await contacts.add_contact(
            connection,
            tenant.tenant_id,
            name=given.name,
            channel=channel,
            target=given.target,
            language="en" if filled["language"] == "en" else "fr",
            min_severity=filled["severity"] if filled["severity"] in {"info", "critical"} else "warning",
            on_call_only=filled["on_call_only"] == "1",
            preferences=given.preferences,
        )
        await messages.plan_test(connection, tenant.tenant_id, contact_id, request.app[CLOCK]())
        await _noted(connection, "contact.added", tenant, contact_id)
    return rendering.onward(rendering.tenant_address(tenant, "contacts"), done="contact_added")


def _given(filled: dict[str, str], names: list[str]) -> _Given:
    target = {name: filled[name].strip() for name in names if filled[name].strip()}
    name = "".join(one for one in filled["name"] if one.isprintable()).strip()[:_MAX_NAME]
    return _Given(name or next(iter(target.values()), "?")[:_MAX_NAME], target, people.preferences(filled))


async def _noted(connection: asyncpg.Connection, action: str, tenant: Tenant, subject: int | str) -> None:
    await audit.append_own(connection, action, tenant_id=tenant.tenant_id, subject=str(subject))


@require(MANAGE)
async def test(request: web.Request) -> web.Response:
    """Send a test message."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        number = of_path(request, OnePath).id
        if not await messages.plan_test(connection, tenant.tenant_id, number, request.app[CLOCK]()):
            raise NotFoundError
    return rendering.onward(rendering.tenant_address(tenant, "contacts") + "#letters", done="test_sent")


@require(MANAGE)
async def remove(request: web.Request) -> web.Response:
    """Forget where somebody is reached."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        number = of_path(request, OnePath).id
        await contacts.remove_contact(connection, tenant.tenant_id, number, request.app[CLOCK]())
        await _noted(connection, "contact.removed", tenant, number)
    return rendering.onward(rendering.tenant_address(tenant, "contacts"), done="removed")


@require(MANAGE)
async def put_on_call(request: web.Request) -> web.Response:
    """Put a contact on call between two local moments."""
    given = await form(request, "since", "until")
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        number, zone = of_path(request, OnePath).id, ZoneInfo(tenant.time_zone)
        address = rendering.tenant_address(tenant, "contacts")
        try:
            since, until = (datetime.fromisoformat(given[name]).replace(tzinfo=zone) for name in ("since", "until"))
        except ValueError:
            return rendering.onward(address, done="no_such_shift")
        if until <= since:
            return rendering.onward(address, done="no_such_shift")
        await contacts.add_shift(connection, tenant.tenant_id, number, since, until)
        await _noted(connection, "contact.on_call", tenant, number)
    return rendering.onward(address, done="saved")


@require(MANAGE)
async def end_shift(request: web.Request) -> web.Response:
    """Take a shift back."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        number = of_path(request, OnePath).id
        await contacts.remove_shift(connection, tenant.tenant_id, number)
        await _noted(connection, "shift.removed", tenant, number)
    return rendering.onward(rendering.tenant_address(tenant, "contacts"), done="removed")


@require(MANAGE)
async def set_steps(request: web.Request) -> web.Response:
    """Keep whom to tell when nobody answers."""
    names = [f"{name}{place}" for place in range(people.STEPS) for name in ("after", "whom")]
    given = await form(request, *names)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await contacts.set_steps(connection, tenant.tenant_id, people.steps_given(given))
        await _noted(connection, "escalation.set", tenant, "")
    return rendering.onward(rendering.tenant_address(tenant, "contacts") + "#steps", done="saved")


@require(MANAGE)
async def resend(request: web.Request) -> web.Response:
    """Send after all what could not be delivered."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        if not await messages.revive(connection, tenant.tenant_id, of_path(request, OnePath).id, request.app[CLOCK]()):
            raise NotFoundError
    return rendering.onward(rendering.tenant_address(tenant, "contacts") + "#letters", done="test_sent")


ROUTES: Final = (
    web.get(PATH, show),
    web.get(NEW, show_new),
    web.post(NEW, create),
    web.post(STEPS, set_steps),
    web.post(TEST, test),
    web.post(ON_CALL, put_on_call),
    web.post(END_SHIFT, end_shift),
    web.post(REMOVE, remove),
    web.post(RESEND, resend),
)
NAVIGATION: Final = (Entry("contacts", PATH, "people", 80, MANAGE),)
