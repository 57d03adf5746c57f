"""From what messages say to what one transaction stores: check the readings, number everything, count it. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from domain.events import Uplink
from domain.readings import DECODED, EMPTY
from ingest.judging import judge, kept_detail
from ingest.understanding import Identified, IdentifiedEvent, Refused, Understood
from store.batch import (
    AccountKey,
    Batch,
    EventRow,
    Frame,
    QuarantineRow,
    SetAside,
    event_key,
    frame,
    quarantine_row,
    uplink_key,
)
from store.known import Known
from store.rows import Found, Hearing, microseconds

_ESCAPED_BACKSLASH_OR_NUL: Final = re.compile(r"(\\\\)|\\u0000")  # what follows an escaped backslash is no escape
_OURS: Final = (DECODED, EMPTY)  # what the network server decoded adds nothing to these
_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time


def batch(understood: Understood, known: Known, now: datetime) -> Batch:
    """Return the rows of everything that was understood, and of everything that was refused."""
    rows = Batch.empty(microseconds(now))
    accounts: dict[tuple[date, int, int], AccountKey] = {}
    frames, heard = rows.frames, rows.heard
    for one in understood.uplinks:
        made = _frame(one, known, rows.quarantined, now, accounts)
        frames.append(made)
        received_at = made.key[1]
        for hearing in made.hearings:
            if received_at > heard.setdefault(hearing[0], received_at):
                heard[hearing[0]] = received_at
    for _, event, device in understood.events:
        if device is None and event.data.get("online", True):  # of one that is gone, the network server speaks alone
            rows.hear(known.gateways[event.gateway_eui], event.received_at)
    rows.events.extend(_event_row(event, known, now) for event in understood.events)
    rows.quarantined.extend(_refused_row(refused, known, now) for refused in understood.refused)
    rows.ignored.update(
        AccountKey(now.date(), known.sources[message.origin.source], None, "message") for message in understood.ignored
    )
    return rows


def _frame(
    one: Identified,
    known: Known,
    quarantined: list[QuarantineRow],
    now: datetime,
    accounts: dict[tuple[date, int, int], AccountKey],
) -> Frame:
    message, uplink, device, decoded, decoder_id, answer = one
    device_id, tenant_id, _, _ = device
    source, received_at = message.origin.source, uplink.received_at
    source_id = known.sources[source]
    outcome = decoded.outcome
    if answer is None and outcome not in _OURS:
        answer = uplink.decoded
    detail = decoded.detail and kept_detail(decoded.detail)
    object_json = to_jsonb(answer) if answer else None
    found = _new(Found, (device_id, source_id, decoder_id, outcome, detail, object_json))
    live, past, unfit = judge(decoded.readings, received_at, known.quantities)
    if unfit:
        quarantined.extend(_reading_row(one, known, reason, detail, now) for _, reason, detail in unfit)
    head = received_at.date(), source_id, tenant_id
    account = accounts.get(head)
    if account is None:
        account = accounts[head] = AccountKey(*head, "uplink")
    return frame(uplink, uplink_key(source, uplink), found, live, past, _hearings(uplink, known.gateways), account)


def _hearings(uplink: Uplink, numbers: Mapping[str, int]) -> list[Hearing]:
    """Return how each gateway heard it; `ingest.lns` gives one reception a gateway."""
    return [(numbers[eui], rssi_dbm, snr_db, channel) for eui, rssi_dbm, snr_db, channel, _ in uplink.receptions]


def _event_row(one: IdentifiedEvent, known: Known, now: datetime) -> EventRow:
    message, event, device = one
    source_id = known.sources[message.origin.source]
    row = (
        event.received_at,
        event_key(message.origin.source, event),
        now,
        device.device_id if device else None,
        None if device else known.gateways[event.gateway_eui],
        source_id,
        event.kind,
        to_jsonb(event.data),
    )
    tenant_id = device.tenant_id if device else None
    return EventRow(row, AccountKey(event.received_at.date(), source_id, tenant_id, event.kind))


def _refused_row(one: Refused, known: Known, now: datetime) -> QuarantineRow:
    origin = one.message.origin
    source_id = known.sources[origin.source]
    day = (one.received_at or now.astimezone(UTC)).date()
    return quarantine_row(
        SetAside(
            origin.source, source_id, origin.lns, one.message.topic, one.message.body, one.message.size, one.dev_eui
        ),
        reason=one.reason,
        detail=one.detail,
        at=now,
        account=AccountKey(day, source_id, None, one.kind),
    )


def _reading_row(one: Identified, known: Known, reason: str, detail: str, now: datetime) -> QuarantineRow:
    origin, message = one.message.origin, one.message
    source_id = known.sources[origin.source]
    return quarantine_row(
        SetAside(origin.source, source_id, origin.lns, message.topic, message.body, message.size, one.uplink.dev_eui),
        reason=reason,
        detail=detail,
        at=now,
        account=None,
        tenant_id=one.device.tenant_id,
    )


def to_jsonb(value: object) -> str:
    """Return JSON that PostgreSQL's jsonb accepts: it has no NUL, which becomes U+FFFD."""
    text = msgspec.json.encode(value).decode("utf-8", "replace")
    return _ESCAPED_BACKSLASH_OR_NUL.sub(_keep_backslash, text) if "\\u0000" in text else text


def _keep_backslash(match: re.Match[str]) -> str:
    return match[1] or r"\ufffd"
