"""Devices on a network server: what is wanted there, what is there, and what is to be done. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

Step = Literal["created", "moved", "changed", "keyed", "deleted"]
Difference = Literal["absent", "unknown", "name", "profile", "join_eui"]


_EUI: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
_LONGEST: Final = 200


class Wanted(NamedTuple):
    """A device as it should be over there. `profile` is the network server's own word; `join_eui` '' leaves it."""

    dev_eui: str
    name: str
    profile: str
    join_eui: str = ""


class There(NamedTuple):
    """A device as it is over there. `join_eui` None: it was not asked. `application` '': the one that was asked for."""

    dev_eui: str
    name: str
    profile: str
    join_eui: str | None = None
    application: str = ""


def legible(there: There) -> There | None:
    """Return what a network server says of a device as it can be kept, None for what is no device.

    A tenant names the network server: what it says is bounded and printable, or it is not kept.
    """
    dev_eui = there.dev_eui.lower()
    if _EUI.fullmatch(dev_eui) is None:
        return None
    join_eui = None if there.join_eui is None else there.join_eui.lower()
    if join_eui and _EUI.fullmatch(join_eui) is None:
        join_eui = None
    return There(dev_eui, _printable(there.name), _printable(there.profile), join_eui, _printable(there.application))


def _printable(said: str) -> str:
    return "".join(one for one in said if one.isprintable())[:_LONGEST]


class RootKeys(NamedTuple):
    """The root keys of a device, 16 bytes each. `nwk_key` is there from LoRaWAN 1.1 on."""

    app_key: bytes
    nwk_key: bytes | None = None

    def __repr__(self) -> str:
        """Say nothing: a key that is in no log cannot be read there."""
        return "RootKeys(…)"


def name_there(name: str, dev_eui: str) -> str:
    """Return the name that a device has over there: its own, else its DevEUI. Network servers insist on one."""
    return name[:100] or dev_eui


def differences(wanted: Wanted, there: There | None) -> tuple[Difference, ...]:
    """Return in what the two sides differ. What was not said on one side does not differ."""
    if there is None:
        return ("absent",)
    found: list[Difference] = []
    if wanted.name != there.name:
        found.append("name")
    if wanted.profile and wanted.profile != there.profile:
        found.append("profile")
    if wanted.join_eui and there.join_eui is not None and wanted.join_eui != there.join_eui:
        found.append("join_eui")
    return tuple(found)


def steps(wanted: Wanted, there: There | None, application: str, *, has_keys: bool) -> tuple[Step, ...]:
    """Return what has to be done so that the device is there as wanted; nothing where it is."""
    if there is None:
        return ("created", "keyed") if has_keys else ("created",)
    found: list[Step] = []
    if there.application not in {"", application}:
        found.append("moved")
    elif differences(wanted, there):
        found.append("changed")
    return (*found, "keyed") if has_keys else tuple(found)


FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=30)
GIVE_UP_AFTER: Final = timedelta(days=2)


def next_attempt(attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures that may pass (one at least), None when it is time to stop."""
    at = now + min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)
    return None if at - created_at > GIVE_UP_AFTER else at


class Compared(NamedTuple):
    """One device on both sides, and in what they differ. None: it is not on that side. `unknown`: not in Samara."""

    dev_eui: str
    here: Wanted | None
    there: There | None
    differs: tuple[Difference, ...]


def compared(here: Sequence[Wanted], there: Sequence[There]) -> list[Compared]:
    """Return every device in which the two sides differ, in the order of DevEUIs."""
    by_eui = {one.dev_eui: one for one in there}
    found = [Compared(one.dev_eui, one, by_eui.get(one.dev_eui), differences(one, by_eui.get(one.dev_eui)))
             for one in here]  # fmt: skip
    known = {one.dev_eui for one in here}
    found += [Compared(one.dev_eui, None, one, ("unknown",)) for one in there if one.dev_eui not in known]
    return sorted((one for one in found if one.differs), key=lambda one: one.dev_eui)
