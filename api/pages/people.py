"""What pages say of contacts: who is told, how, when, and what became of each message. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from api.pages import words
from api.pages.texts import Texts
from store.delivery.contacts import Contact, Shift, Step
from store.delivery.reading import Letter

# What each channel asks for: the name of the field, and its kind in a form.
CHANNELS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "email": (("address", "email"),),
    "sms": (("number", "tel"),),
    "mattermost": (("url", "url"),),
    "slack": (("url", "url"),),
    "teams": (("url", "url"),),
    "ntfy": (("topic", "text"),),
    "webhook": (("url", "url"), ("secret", "text")),
}
PREFERENCES: Final = ("digest", "quiet_from", "quiet_to", "remind")
REMINDERS_S: Final = ("3600", "14400", "86400")
STEPS: Final = 3
_STATUS: Final = {"sent": "good", "dead": "bad"}


class Person(NamedTuple):
    """A contact in words."""

    contact_id: int
    name: str
    how: str
    when: list[str]
    on_call: bool


class Told(NamedTuple):
    """A message, and what became of it."""

    delivery_id: int
    who: str
    what: str
    when: str
    status: str
    state: str
    error: str
    dead: bool


def person(one: Contact, texts: Texts) -> Person:
    """Return a contact in words. Where it is reached is not told again."""
    channel = texts(f"contacts.channel.{one.channel}") if one.channel in CHANNELS else one.channel
    said = [texts(f"contacts.from.{one.min_severity}")]
    if one.on_call_only:
        said.append(texts("contacts.only_on_call"))
    wanted = one.preferences
    if wanted.get("digest", "none") != "none":
        said.append(texts(f"contacts.digest.{wanted['digest']}"))
    if wanted.get("quiet_from") and wanted.get("quiet_to"):
        said.append(texts("contacts.quiet", since=wanted["quiet_from"][:5], until=wanted["quiet_to"][:5]))
    if wanted.get("remind_every_s"):
        said.append(texts("contacts.reminded", lasting=words.lasting(wanted["remind_every_s"], texts)))
    return Person(one.contact_id, one.name, channel, said, one.on_call)


def preferences(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the preferences that a form says, those that differ from what is usual."""
    found: dict[str, Any] = {}
    if given["digest"] in {"daily", "weekly"}:
        found["digest"] = given["digest"]
    if given["quiet_from"] or given["quiet_to"]:
        found |= {"quiet_from": given["quiet_from"] or None, "quiet_to": given["quiet_to"] or None}
    if given["remind"] in REMINDERS_S:
        found["remind_every_s"] = int(given["remind"])
    return found


def steps(found: Sequence[Step]) -> list[tuple[str, str]]:
    """Return the steps of escalation as a form shows them: minutes and whom, with empty ones to fill in."""
    known = [(str(one.after_s // 60), "" if one.contact_id is None else str(one.contact_id)) for one in found]
    return [*known, *[("", "")] * (STEPS - len(known))][:STEPS]


def steps_given(given: Mapping[str, str]) -> list[tuple[int, int | None]]:
    """Return the steps that a form says; one without minutes is none."""
    found = set()
    for place in range(STEPS):
        minutes, whom = given[f"after{place}"].strip(), given[f"whom{place}"]
        if minutes.isascii() and minutes.isdigit() and 0 < int(minutes) <= 10_080:
            found.add((int(minutes) * 60, int(whom) if whom.isascii() and whom.isdigit() else None))
    return sorted(found, key=lambda step: step[0])


def shifts(found: Sequence[Shift], zone: ZoneInfo, texts: Texts) -> list[tuple[int, str]]:
    """Return who is on call, now and later: (id, words)."""
    return [
        (
            one.shift_id,
            texts(
                "contacts.shift",
                name=one.contact_name,
                since=words.moment(one.since, zone, "minute", texts),
                until=words.moment(one.until, zone, "minute", texts),
            ),
        )
        for one in found
    ]


def told(found: Sequence[Letter], zone: ZoneInfo, texts: Texts) -> list[Told]:
    """Return the last messages, in words."""
    return [
        Told(
            one.delivery_id,
            one.contact_name or texts("contacts.on_call"),
            texts(f"contacts.kind.{one.kind}"),
            words.moment(one.ended_at or one.due_at, zone, "minute", texts),
            _STATUS.get(one.state, "none"),
            texts(f"contacts.state.{one.state}"),
            one.error if one.state == "dead" else "",
            one.state == "dead",
        )
        for one in found
    ]
