"""From an event of evaluation to an incident: what it is part of, and whether anything of it is told now.

What is told of an incident waits a little for what has the same cause (`GATHER`), and what joins it later is told not
more often than every `AT_MOST_EVERY`; a critical event waits for nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from alerting.delivery.outages import LATELY, Outage, outage_of
from store.delivery import incidents
from store.delivery.events import Event, gateways_heard, mark_handled, relays_of, take_outbox, take_released
from store.delivery.works import gateways_at_work

GATHER: Final = timedelta(seconds=30)
AT_MOST_EVERY: Final = timedelta(minutes=5)
USUAL_PERIOD: Final = timedelta(hours=1)  # of a sensor whose model is unknown
_SILENCE_KINDS: Final = frozenset({"silent_sensor"})  # what an antenna's outage explains
_GATEWAY_KINDS: Final = frozenset({"silent_gateway"})
_ENDINGS: Final = frozenset({"resolved", "withdrawn"})
_BATCH: Final = 200


class Route(NamedTuple):
    """Where an event goes. `tenant_id` None: the network's. `why` not None: nothing is told of it for now."""

    tenant_id: int | None
    cause: str
    gateway_id: int | None
    site_id: int | None
    why: str | None
    release_at: datetime | None = None


def route(event: Event, outage: Outage | None) -> Route:
    """Return where an event that began goes. An outage goes before a silence: it is the cause."""
    if outage is not None:
        cause = "network" if outage.gateway_id is None else f"gateway:{outage.gateway_id}"
        return Route(None, cause, outage.gateway_id, None, "outage")
    if event.rule_kind in _GATEWAY_KINDS and event.gateway_id is not None:
        own = Route(None, f"gateway:{event.gateway_id}", event.gateway_id, None, None)
    elif event.site_id is not None:
        own = Route(event.tenant_id, f"{event.rule_kind}:site:{event.site_id}", None, event.site_id, None)
    else:
        own = Route(event.tenant_id, f"{event.rule_kind}:rule:{event.rule_id}", None, None, None)
    if event.hidden_by is not None:
        return own._replace(why=event.hidden_by, release_at=event.hidden_until)
    return own


async def route_some(connection: asyncpg.Connection, now: datetime) -> int:
    """Route what is in the outbox, and what was held and may be told now; return how many events there were."""
    async with connection.transaction():
        released = await take_released(connection, now, _BATCH)
        events = await take_outbox(connection, now, _BATCH)
        outages = await _outages(connection, [*released, *events], now)
        at_work = await gateways_at_work(connection, now) if outages else {}
        for event in released:
            await _release(connection, event, outages.get(event.alert_id), at_work, now)
        for event in events:
            if event.kind in _ENDINGS:
                await _end(connection, event, now)
            else:
                await _begin(connection, event, outages.get(event.alert_id), at_work, now)
        if events:
            await mark_handled(connection, [event.outbox_id for event in events if event.outbox_id is not None], now)
        await incidents.close_outages(connection, now, USUAL_PERIOD)
    return len(released) + len(events)


async def _outages(connection: asyncpg.Connection, events: list[Event], now: datetime) -> dict[UUID, Outage]:
    """Return what explains the silences among some events, by alert."""
    points = {
        event.alert_id: event.point_id
        for event in events
        if event.point_id is not None and event.rule_kind in _SILENCE_KINDS and not event.ended
    }
    if not points:
        return {}
    heard = await gateways_heard(connection)
    relays = await relays_of(connection, list(set(points.values())), LATELY)
    found = {alert_id: outage_of(relays.get(point_id, ()), heard, now) for alert_id, point_id in points.items()}
    return {alert_id: outage for alert_id, outage in found.items() if outage is not None}


async def _begin(
    connection: asyncpg.Connection,
    event: Event,
    outage: Outage | None,
    at_work: Mapping[int, datetime],
    now: datetime,
) -> None:
    if event.ended:
        return  # its end stands in the outbox behind it, and there is nothing to tell of either
    where = route(event, outage)
    incident_id, opened = await incidents.open_incident(
        connection,
        tenant_id=where.tenant_id,
        cause=where.cause,
        gateway_id=where.gateway_id,
        site_id=where.site_id,
        severity="critical" if where.tenant_id is None else event.severity,
        now=now,
    )
    await incidents.attach(connection, event.alert_id, incident_id)
    if where.why is not None:
        held_by = incident_id if where.why == "outage" else None
        await incidents.hold(
            connection, event.alert_id, where.why, now, incident_id=held_by, release_at=where.release_at
        )
        if not (opened and where.why == "outage"):
            return  # an outage that nobody told of yet is told, by itself, once nobody works on the antenna any more
        now = max(now, at_work.get(where.gateway_id or 0, now))
    else:
        await incidents.record(
            connection, incident_id, now, "joined" if not opened else "alert", note=str(event.alert_id)
        )
    wait = timedelta(0) if event.severity == "critical" and where.why is None else GATHER
    at_most_every = timedelta(0) if event.severity == "critical" or event.kind == "raised" else AT_MOST_EVERY
    await incidents.revise(connection, incident_id, event.severity, now + wait, at_most_every)


async def _end(connection: asyncpg.Connection, event: Event, now: datetime) -> None:
    await incidents.release(connection, event.alert_id, "ended", now)
    if event.incident_id is not None:
        await incidents.close_if_over(connection, event.incident_id, now)


async def _release(
    connection: asyncpg.Connection,
    event: Event,
    outage: Outage | None,
    at_work: Mapping[int, datetime],
    now: datetime,
) -> None:
    if event.ended:
        await incidents.release(connection, event.alert_id, "ended", now)
        return
    if event.hidden_until is not None and event.hidden_until > now:
        await incidents.hold(
            connection, event.alert_id, event.hidden_by or "silence", now, release_at=event.hidden_until
        )
        return
    if outage is None:
        await incidents.release(connection, event.alert_id, "told", now)
    await _begin(connection, event, outage, at_work, now)
