"""From an incident with something to tell to messages: to whom, and when. The decision is pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from alerting.delivery.preferences import Preferences, at_least, when
from store.delivery.contacts import Contact, Step, contacts_of, steps_of
from store.delivery.incidents import record
from store.delivery.messages import Planned, plan, told_contacts
from store.delivery.untold import Untold, mark_told, take_untold

_BATCH: Final = 50
MAX_REMINDERS: Final = 20


def message_id(incident_id: int, revision: int, kind: str, to: str) -> str:
    """Return the identity of one message: the same whoever plans it, however often."""
    digest = hashlib.sha256(f"{incident_id}/{revision}/{kind}/{to}".encode()).hexdigest()[:32]
    return f"incident-{incident_id}-{digest}"


def announce(
    incident: Untold, contacts: Sequence[Contact], steps: Sequence[Step], told: dict[int, bool], now: datetime
) -> list[Planned]:
    """Return the messages that tell what is new of an incident.

    `told` are the contacts that know of it, and whether what they are to be told still waits in a digest.
    """
    if incident.closed:
        return [
            _message(incident, contact, "resolved", now, grouped=told[contact.contact_id])
            for contact in contacts
            if contact.contact_id in told
        ]
    first = incident.told_revision == 0
    worse = incident.told_severity is not None and not at_least(incident.told_severity, incident.severity)
    if incident.acknowledged and not (first or worse):
        return []  # somebody takes care of it
    planned = []
    for contact in contacts:
        if contact.on_call_only and not contact.on_call:
            continue
        if not at_least(incident.severity, contact.min_severity):
            continue
        kind = "updated" if contact.contact_id in told else "opened"
        planned.append(_message(incident, contact, kind, now))
        if kind == "opened":
            planned += _reminders(incident, contact, now)
    if first:
        planned += [_escalation(incident, step, now) for step in steps]
    return planned


def _message(incident: Untold, contact: Contact, kind: str, now: datetime, *, grouped: bool = False) -> Planned:
    preferences = Preferences.model_validate(contact.preferences)
    due_at, wait = when(preferences, incident.severity, now, ZoneInfo(contact.time_zone))
    return Planned(
        message_id=message_id(incident.incident_id, incident.revision, kind, str(contact.contact_id)),
        tenant_id=contact.tenant_id,
        incident_id=incident.incident_id,
        contact_id=contact.contact_id,
        kind=kind,
        severity=incident.severity,
        due_at=due_at,
        grouped=wait or grouped,
    )


def _reminders(incident: Untold, contact: Contact, now: datetime) -> list[Planned]:
    preferences = Preferences.model_validate(contact.preferences)
    if preferences.remind_every_s is None:
        return []
    zone, planned = ZoneInfo(contact.time_zone), []
    for n in range(1, MAX_REMINDERS + 1):
        at = now + timedelta(seconds=preferences.remind_every_s * n)
        due_at, grouped = when(preferences, incident.severity, at, zone)
        if grouped:
            continue  # nobody is reminded by a digest
        planned.append(
            Planned(
                message_id=message_id(incident.incident_id, n, "reminder", str(contact.contact_id)),
                tenant_id=contact.tenant_id,
                incident_id=incident.incident_id,
                contact_id=contact.contact_id,
                kind="reminder",
                severity=incident.severity,
                due_at=due_at,
            )
        )
    return planned


def _escalation(incident: Untold, step: Step, now: datetime) -> Planned:
    to = "on-call" if step.contact_id is None else str(step.contact_id)
    return Planned(
        message_id=message_id(incident.incident_id, step.after_s, "escalated", f"{step.tenant_id}/{to}"),
        tenant_id=step.tenant_id,
        incident_id=incident.incident_id,
        contact_id=step.contact_id,
        kind="escalated",
        severity=incident.severity,
        due_at=now + timedelta(seconds=step.after_s),
    )


async def announce_some(connection: asyncpg.Connection, now: datetime) -> int:
    """Plan the messages of the incidents whose hour has come; return how many incidents there were."""
    async with connection.transaction():
        found = await take_untold(connection, now, _BATCH)
        for incident in found:
            contacts = await contacts_of(connection, incident.tenant_ids, now)
            steps = await steps_of(connection, incident.tenant_ids)
            planned = announce(incident, contacts, steps, await told_contacts(connection, incident.incident_id), now)
            await plan(connection, planned, now)
            await mark_told(connection, incident.incident_id, now)
            people = len({one.contact_id for one in planned if one.kind in {"opened", "updated", "resolved"}})
            await record(connection, incident.incident_id, now, "told", note=str(people))
    return len(found)
