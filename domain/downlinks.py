"""A downlink on its way: what its network server told of it, and what that makes of it. Pure.

Whatever is told sets a moment, the earliest where it is told twice, and the state follows from the moments (a generated
column of the table). So neither the order nor the repetition of what is told changes anything.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from domain.events import ACK, DOWNLINK, LOG, TXACK
from domain.provisioning import FIRST_WAIT, LONGEST_WAIT

State = Literal["queued", "accepted", "sent", "acknowledged", "refused", "failed", "expired", "cancelled"]
STATES: Final = ("queued", "accepted", "sent", "acknowledged", "refused", "failed", "expired", "cancelled")
TOLD_BY: Final = (ACK, TXACK, DOWNLINK, LOG)  # kinds of events that may speak of one

REFERENCE: Final = "samara:downlink:"  # before our reference, in a network server's correlation ids
MOST_WAITING: Final = 10  # downlinks of one device at a time
_SHORTEST: Final = timedelta(days=2)
_LONGEST: Final = timedelta(days=30)
_PERIODS: Final = 3
NO_DEVICE: Final = "the tenant no longer has this device"
NEVER_TOLD: Final = "the network server no longer has it, and did not say that it was sent"
LEFT: Final = "it is no longer in the queue of the network server: it cannot be taken back"
SHARED: Final = "others wait in the same queue of the network server, which it can only empty as a whole"
_NOT_ACKNOWLEDGED: Final = "the sensor did not acknowledge it"
_TOO_LARGE: Final = "the network server threw it away: too large for the data rate"
_WRONG_COUNTER: Final = "the network server threw it away: its frame counter was not valid"
# By what pages say in their own words; what network servers say is shown as it is.
TROUBLES: Final = {
    NO_DEVICE: "no_device",
    NEVER_TOLD: "never_told",
    LEFT: "left",
    SHARED: "shared",
    _NOT_ACKNOWLEDGED: "not_acknowledged",
    _TOO_LARGE: "too_large",
    _WRONG_COUNTER: "wrong_counter",
}
# What ChirpStack writes in its log when it throws an item of a queue away.
_LOGGED: Final = {
    "EXPIRED": ("expired_at", ""),
    "DOWNLINK_PAYLOAD_SIZE": ("failed_at", _TOO_LARGE),
    "F_CNT_DOWN": ("failed_at", _WRONG_COUNTER),
}


class Told(NamedTuple):
    """An event of a network server about a device, as it is stored."""

    at: datetime
    kind: str
    data: Mapping[str, Any]


class Heard(NamedTuple):
    """What events say of one downlink; None: they do not say it."""

    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    failed_at: datetime | None = None
    expired_at: datetime | None = None
    trouble: str = ""


class Queued(NamedTuple):
    """An item of a device's queue over there. `reference` is ours, where the network server keeps it."""

    item: str
    f_port: int
    payload: bytes
    confirmed: bool
    reference: str = ""


class Outgoing(NamedTuple):
    """What a network server is asked to send. `reference` is ours, and the same at every attempt."""

    dev_eui: str
    reference: str
    f_port: int
    payload: bytes
    confirmed: bool
    expires_at: datetime


def heard(reference: str, item: str, events: Iterable[Told]) -> Heard:
    """Return what these events say of the downlink that has this reference of ours, and over there this item.

    '' for an item is none: what is told of others says nothing.
    """
    moments: dict[str, datetime] = {}
    troubles: list[tuple[datetime, str]] = []
    for one in events:
        if not _speaks_of(one.data, reference, item):
            continue
        name, trouble = _said(one)
        if name:
            moments[name] = min(one.at, moments.get(name, one.at))
        if trouble:
            troubles.append((one.at, trouble))
    return Heard(**moments, trouble=min(troubles)[1] if troubles else "")


def _speaks_of(data: Mapping[str, Any], reference: str, item: str) -> bool:
    return data.get("reference") == reference or (bool(item) and item_of(data) == item)


def item_of(data: Mapping[str, Any]) -> str:
    """Return which item of a queue an event speaks of, '' for none."""
    context = data.get("context")
    found = data.get("queue_item_id") or (context.get("queue_item_id") if isinstance(context, Mapping) else "")
    return found if isinstance(found, str) else ""


def _said(one: Told) -> tuple[str, str]:
    """Return the moment that an event sets, and what is wrong; '' for nothing."""
    if one.kind == ACK:
        return ("acknowledged_at", "") if one.data.get("acknowledged") else ("failed_at", _NOT_ACKNOWLEDGED)
    if one.kind == LOG:
        return _LOGGED.get(str(one.data.get("code", "")), ("", ""))
    state = "sent" if one.kind == TXACK else str(one.data.get("state"))
    if state == "failed":
        return "failed_at", f"the network server says: {one.data.get('error', '')} {one.data.get('detail', '')}".strip()
    return {"queued": "accepted_at", "sent": "sent_at"}.get(state, ""), ""


def found_in(queue: Sequence[Queued], sought: Outgoing, others: Collection[str]) -> str | None:
    """Return the item of a queue that is this downlink, None when it is not there.

    `others` are items of other downlinks of ours. Where the network server keeps no reference of ours, an item that is
    nobody's and carries the same is taken for it: it was asked for, and the answer was lost.
    """
    for one in queue:
        if one.reference == sought.reference:
            return one.item
    for one in queue:
        same = (one.f_port, one.payload, one.confirmed) == (sought.f_port, sought.payload, sought.confirmed)
        if same and not one.reference and one.item not in others:
            return one.item
    return None


def strays(events: Iterable[Told], others: Collection[str], since: datetime) -> list[str]:
    """Return the items that were sent since a moment and are no downlink's of ours, in their order."""
    found = sorted((one.at, item_of(one.data)) for one in events if one.kind == TXACK and one.at >= since)
    return list(dict.fromkeys(item for _, item in found if item and item not in others))


def lasts(period_s: int | None) -> timedelta:
    """Return how long a downlink is worth sending: a device of class A hears after its own uplinks alone."""
    return min(max(_SHORTEST, timedelta(seconds=_PERIODS * (period_s or 0))), _LONGEST)


def again_at(attempts: int, now: datetime) -> datetime:
    """Return when to try again after so many failures that may pass, one at least."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)
    return now + wait


def leaves_at(last_seen_at: datetime | None, period_s: int | None, now: datetime) -> datetime | None:
    """Return when a device of class A is expected to speak next, and so to hear; None when nobody knows."""
    if last_seen_at is None or not period_s:
        return None
    due_at = last_seen_at + timedelta(seconds=period_s)
    return due_at if due_at > now else None
