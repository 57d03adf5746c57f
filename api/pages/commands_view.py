"""What a sensor can be told, and what it was told, as its page shows it to technicians."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import INSTALL
from api.commands import COMMAND_DESK
from api.context import CLOCK
from api.pages import words
from api.pages.network_words import PARIS
from api.pages.texts import Texts
from api.problems import ProblemError
from domain.commands import CODEC, PERIOD, PERIOD_S, RAW, Command
from domain.downlinks import TROUBLES, leaves_at
from store.access.bearer import may
from store.downlinks import asking
from store.downlinks.asking import Device, Downlink
from store.provisioning import servers

FIELDS: Final = ("commande", "periode", "json", "port", "suivie", "feuille")
_SHOWN: Final = 20
_MINUTE, _HOUR = 60, 3600
# What technicians choose from, where the model takes it.
_PERIODS: Final = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
)
_KINDS: Final = {
    "queued": "none", "accepted": "none", "sent": "none", "acknowledged": "good", "refused": "bad", "failed": "bad",
    "expired": "bad", "cancelled": "none",
}  # fmt: skip


class Line(NamedTuple):
    """A downlink in the list. `cancels` is where it is cancelled, '' when it is too late for that."""

    command: str
    asked: str
    kind: str
    state: str
    cancels: str


class Section(NamedTuple):
    """Commands on a sensor's page. `periods` are (seconds, words); empty: the model's period cannot be set.

    `sheet` is new each time: what is sent twice from it is meant once.
    """

    action: str
    sheet: str
    served: bool
    periods: Sequence[tuple[str, str]]
    period: str
    others: Sequence[tuple[str, str]]
    codec: Command | None
    lines: Sequence[Line]
    given: Mapping[str, str]
    wrong: str


async def section(
    request: web.Request,
    connection: asyncpg.Connection,
    tenant_id: int,
    dev_eui: str,
    texts: Texts,
    *,
    given: Mapping[str, str],
    wrong: str,
) -> Section | None:
    """Return what somebody may tell a sensor, None for who may tell it nothing."""
    if not await may(connection, tenant_id, INSTALL):
        return None
    device = await asking.device(connection, tenant_id, dev_eui)
    codec = await asking.codec_of(connection, device.device_id)
    found = await asking.newest(connection, tenant_id, device.device_id, _SHOWN)
    is_served = await servers.serving(connection, tenant_id) is not None
    commands = request.app[COMMAND_DESK].of(device.model_id, codec)
    action = f"/reseau/capteurs/{dev_eui}/commandes"
    now = request.app[CLOCK]()
    return Section(
        action=action,
        sheet=token_urlsafe(12),
        served=is_served,
        periods=periods(commands, texts),
        period=str(device.period_s or ""),
        others=[(one.name, texts(f"command.{one.name}")) for one in commands if one.name not in {PERIOD, CODEC}],
        codec=next((one for one in commands if one.name == CODEC), None),
        lines=[line(one, device, action, now, texts) for one in found],
        given=dict.fromkeys(FIELDS, "") | dict(given),
        wrong=wrong,
    )


def periods(commands: Sequence[Command], texts: Texts) -> list[tuple[str, str]]:
    """Return the periods that a model can be set to, among those that people use."""
    taken = next((one.parameters[0] for one in commands if one.name == PERIOD), None)
    if taken is None:
        return []
    fit = (one for one in _PERIODS if taken.least <= one <= taken.most and one % taken.step == 0)
    return [(str(one), lasting(one, texts)) for one in fit]


def lasting(period_s: int, texts: Texts) -> str:
    """Return a period without rounding, where it is of whole minutes or hours: "1 heure", "90 minutes"."""
    if period_s % _HOUR == 0:
        return texts.plural("command.hours", period_s // _HOUR)
    if period_s % _MINUTE == 0:
        return texts.plural("command.minutes", period_s // _MINUTE)
    return texts.plural("command.seconds", period_s)


def line(one: Downlink, device: Device, action: str, now: datetime, texts: Texts) -> Line:
    """Return a downlink in words. Pure."""
    may_cancel = one.state in {"queued", "accepted"} and one.withdrawn_at is None
    return Line(
        command=_command(one, texts),
        asked=words.moment(one.created_at, PARIS, "minute", texts),
        kind=_KINDS[one.state],
        state=state(one, device, now, PARIS, texts),
        cancels=f"{action}/{one.downlink_id}/annulation" if may_cancel else "",
    )


def _command(one: Downlink, texts: Texts) -> str:
    if one.command == PERIOD and one.period_s is not None:
        return texts("command.period_of", period=lasting(one.period_s, texts))
    if one.command == CODEC:
        return texts("command.codec_of", json=one.parameters)
    if one.command == RAW:
        return texts("command.raw_of", payload=one.payload.hex(), port=one.f_port)
    return texts(f"command.{one.command}") if texts.has(f"command.{one.command}") else one.command


def state(one: Downlink, device: Device, now: datetime, zone: ZoneInfo, texts: Texts) -> str:
    """Return how far a downlink is, and for one that waits what it waits for. Pure."""
    if one.withdrawn_at is not None and one.state in {"queued", "accepted"}:
        return texts("downlink.withdrawn")
    if one.state in {"queued", "accepted"}:
        if one.state == "queued" and one.trouble:
            return texts("downlink.again", trouble=_trouble(one.trouble, texts))
        waits = _waits(one, device, now, zone, texts)
        return texts("downlink.because", said=waits, trouble=_trouble(one.trouble, texts)) if one.trouble else waits
    at = {
        "sent": one.sent_at,
        "acknowledged": one.acknowledged_at,
        "refused": one.refused_at,
        "failed": one.failed_at,
        "expired": one.expired_at,
        "cancelled": one.cancelled_at,
    }[one.state]
    when = "" if at is None else words.moment(at, zone, "minute", texts)
    key = "downlink.sent_unconfirmed" if one.state == "sent" and not one.confirmed else f"downlink.{one.state}"
    said = texts(key, at=when)
    return texts("downlink.because", said=said, trouble=_trouble(one.trouble, texts)) if one.trouble else said


def _waits(one: Downlink, device: Device, now: datetime, zone: ZoneInfo, texts: Texts) -> str:
    leaves, said = leaves_at(device.last_seen_at, device.period_s, now), texts(f"downlink.{one.state}")
    if leaves is None:
        return texts("downlink.leaves", said=said)
    return texts("downlink.leaves_at", said=said, at=words.moment(leaves, zone, "minute", texts))


def _trouble(said: str, texts: Texts) -> str:
    """Return what is wrong in the reader's language; what a network server says, as it says it."""
    return texts(f"downlink.trouble.{TROUBLES[said]}") if said in TROUBLES else said


class Asked(NamedTuple):
    """What the form says: a command, its parameters, an FPort for codecs that say none, the period that follows."""

    command: str
    parameters: dict[str, Any]
    f_port: int | None
    period_s: int | None


def asked(given: Mapping[str, str]) -> Asked | None:
    """Return what a form asks for, None when it cannot be read. Pure."""
    command = given["commande"]
    if command == PERIOD:
        return Asked(PERIOD, {PERIOD_S: int(given["periode"])}, None, None) if _whole(given["periode"]) else None
    if command != CODEC:
        return Asked(command, {}, None, None) if command else None
    try:
        said = json.loads(given["json"])
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or any(given[name] and not _whole(given[name]) for name in ("port", "suivie")):
        return None
    port, minutes = given["port"], given["suivie"]
    return Asked(CODEC, said, int(port) if port else None, int(minutes) * _MINUTE if minutes else None)


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


def complaint(error: ProblemError, texts: Texts) -> str:
    """Return in words why a command was not taken."""
    why = error.extensions.get("why")
    if why is not None:
        return texts("downlink.too_many" if why == "too_many" else "command.no_server")
    return texts("downlink.not_taken", detail=error.detail)
