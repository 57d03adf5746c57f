"""When a contact wants to be told: quiet hours, digests, reminders. Pure."""

from datetime import datetime, time, timedelta
from typing import Annotated, Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerting.notice import SEVERITIES, Severity

_DAY: Final = timedelta(days=1)


class Preferences(BaseModel):
    """What a contact asked for; times are local to its tenant.

    Between `quiet_from` and `quiet_to` (which may lie across midnight) nothing less than `quiet_below` is told: it
    waits for their end, all in one message. With a `digest`, what is not critical waits for it; critical notices are
    told at once. `remind_every_s`: told again until somebody acknowledges.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quiet_from: time | None = None
    quiet_to: time | None = None
    quiet_below: Severity = "critical"
    digest: Literal["none", "daily", "weekly"] = "none"
    digest_at: time = time(7, 30)
    digest_weekday: Annotated[int, Field(ge=0, le=6)] = 0
    remind_every_s: Annotated[int, Field(ge=900, le=7 * 86_400)] | None = None

    @model_validator(mode="after")
    def _quiet_hours_have_both_ends(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet_from and quiet_to go together")
        if self.quiet_from is not None and self.quiet_from == self.quiet_to:
            raise ValueError("quiet hours of a whole day: choose a digest instead")
        return self


class When(NamedTuple):
    """When a notice is sent, and whether with others in one message."""

    due_at: datetime
    grouped: bool


def at_least(severity: str, other: str) -> bool:
    """Say whether a severity is another or more."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(other)


def when(preferences: Preferences, severity: str, now: datetime, zone: ZoneInfo) -> When:
    """Return when a contact is to be told something of this severity. `now` is timezone-aware."""
    if preferences.digest != "none" and severity != "critical":
        return When(_next_digest(preferences, now, zone), grouped=True)
    if not at_least(severity, preferences.quiet_below):
        end = quiet_until(preferences, now, zone)
        if end is not None:
            return When(end, grouped=True)
    return When(now, grouped=False)


def quiet_until(preferences: Preferences, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the quiet hours that hold now end, None when there are none now."""
    if preferences.quiet_from is None or preferences.quiet_to is None:
        return None
    local = now.astimezone(zone)
    for day in (local.date() - _DAY, local.date()):
        since = datetime.combine(day, preferences.quiet_from, zone)
        last = day if preferences.quiet_from < preferences.quiet_to else day + _DAY
        until = datetime.combine(last, preferences.quiet_to, zone)
        if since.timestamp() <= now.timestamp() < until.timestamp():
            return until.astimezone(now.tzinfo)
    return None


def _next_digest(preferences: Preferences, now: datetime, zone: ZoneInfo) -> datetime:
    day = now.astimezone(zone).date()
    while True:
        at = datetime.combine(day, preferences.digest_at, zone)
        if at.timestamp() > now.timestamp() and (
            preferences.digest == "daily" or day.weekday() == preferences.digest_weekday
        ):
            return at.astimezone(now.tzinfo)
        day += _DAY
