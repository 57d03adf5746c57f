"""Is it the sensor, the radio or the antenna? What is known of a device, and the most likely fault with its reasons.

Pure. Thresholds are ours, from how LoRaWAN class A devices behave; docs/supervision.md says why each is as it is.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

NEVER: Final = "never"  # nothing was ever heard
GATEWAY: Final = "gateway"
BATTERY: Final = "battery"
RADIO: Final = "radio"
SENSOR: Final = "sensor"
DECODER: Final = "decoder"
FINE: Final = "fine"

CAUSES: Final = (NEVER, GATEWAY, BATTERY, RADIO, SENSOR)  # of silence

_UNKNOWN_PERIOD_S: Final = 86_400
_SILENT_PERIODS: Final = 3
_SILENT_LEAST: Final = timedelta(hours=1)
_WEAK_MARGIN_DB: Final = 5.0  # less than what fading takes, now and then
_SPARE_MARGIN_DB: Final = 10.0  # the margin that ADR leaves before it lowers the spreading factor
_LOST_SHARE: Final = 0.1
_LOST_BEFORE_SILENCE: Final = 0.3
_UNDECODED_SHARE: Final = 0.2
_SF12_SHARE: Final = 0.9
_RESETS: Final = 3
_LAST_DAYS: Final = 14
_BATTERY_DAYS: Final = 60
_ENOUGH_FRAMES: Final = 10


class Facts(NamedTuple):
    """What is known of a device. Frames are of its last seven days with any.

    `period_s` is the usual time between two frames, None when not known; `margin_db` of the gateway that hears it
    best, over what its spreading factor needs; `gateways_away` how many of the `gateways` that hear it say nothing now.
    """

    now: datetime
    last_seen_at: datetime | None
    period_s: int | None
    heard: int = 0
    lost: int = 0
    resets: int = 0
    undecoded: int = 0
    sf12: int = 0
    margin_db: float | None = None
    gateways: int = 0
    gateways_away: int = 0
    battery_days: int | None = None
    joins: int = 0

    @property
    def lost_share(self) -> float:
        """Return the share of what it sent that nobody heard, 0 to 1."""
        return self.lost / (self.heard + self.lost) if self.heard + self.lost else 0.0

    @property
    def is_silent(self) -> bool:
        """Return whether it should have spoken since."""
        return self.last_seen_at is None or self.now - self.last_seen_at > silent_after(self.period_s)


class Reason(NamedTuple):
    """One thing that speaks for a verdict: its name, and the number that it says, if any."""

    name: str
    value: float | None = None


class Diagnosis(NamedTuple):
    """What is likely wrong (`fine`: nothing), and why. `remarks` are no faults, yet worth knowing."""

    verdict: str
    reasons: tuple[Reason, ...]
    remarks: tuple[Reason, ...] = ()


def silent_after(period_s: int | None) -> timedelta:
    """Return for how long a device of this period may say nothing: three periods, an hour at least."""
    return max(_SILENT_LEAST, timedelta(seconds=_SILENT_PERIODS * (period_s or _UNKNOWN_PERIOD_S)))


def is_stuck(heard: int, sf12: int, margin_db: float | None) -> bool:
    """Return whether a device stays at SF12 although a faster rate would be heard: ADR is off, or is not followed."""
    return (
        heard >= _ENOUGH_FRAMES
        and sf12 >= _SF12_SHARE * heard
        and margin_db is not None
        and margin_db >= _SPARE_MARGIN_DB
    )


def diagnose(facts: Facts) -> Diagnosis:
    """Return the most likely fault of a device, the reasons for it, and what else is worth knowing."""
    verdict, reasons = _silence(facts) if facts.is_silent else _trouble(facts)
    said = {reason.name for reason in reasons}
    return Diagnosis(verdict, tuple(reasons), tuple(one for one in _remarks(facts) if one.name not in said))


def _silence(facts: Facts) -> tuple[str, list[Reason]]:
    """Return why nothing comes: the antenna before the battery, the battery before the radio, else the sensor."""
    if facts.last_seen_at is None:
        return NEVER, [Reason("joins", facts.joins) if facts.joins else Reason("never_heard")]
    hours = Reason("silent_hours", (facts.now - facts.last_seen_at).total_seconds() / 3600)
    if facts.gateways and facts.gateways_away == facts.gateways:
        return GATEWAY, [hours, Reason("gateways_away", facts.gateways_away)]
    if facts.battery_days is not None and facts.battery_days <= _LAST_DAYS:
        return BATTERY, [hours, Reason("battery_days", max(facts.battery_days, 0))]
    radio = []
    if facts.margin_db is not None and facts.margin_db < _WEAK_MARGIN_DB:
        radio.append(Reason("weak_margin", facts.margin_db))
    if facts.lost_share > _LOST_BEFORE_SILENCE:
        radio.append(Reason("lost", 100 * facts.lost_share))
    if radio:
        return RADIO, [hours, *radio]
    reasons = [hours]
    if facts.gateways > facts.gateways_away:
        reasons.append(Reason("gateways_there", facts.gateways - facts.gateways_away))
    if facts.margin_db is not None:
        reasons.append(Reason("good_margin", facts.margin_db))
    return SENSOR, reasons


def _trouble(facts: Facts) -> tuple[str, list[Reason]]:
    """Return what is wrong with a device that speaks."""
    if facts.lost_share > _LOST_SHARE and facts.heard + facts.lost >= _ENOUGH_FRAMES:
        return _loss(facts)
    if facts.heard >= _ENOUGH_FRAMES and facts.undecoded > _UNDECODED_SHARE * facts.heard:
        return DECODER, [Reason("undecoded", 100 * facts.undecoded / facts.heard)]
    if facts.resets >= _RESETS:
        return SENSOR, [Reason("resets", facts.resets)]
    if facts.battery_days is not None and facts.battery_days <= _BATTERY_DAYS:
        return BATTERY, [Reason("battery_days", max(facts.battery_days, 0))]
    return FINE, [Reason("lost", 100 * facts.lost_share)] if facts.heard else []


def _loss(facts: Facts) -> tuple[str, list[Reason]]:
    """Return why much of what it sends is heard by nobody."""
    lost = Reason("lost", 100 * facts.lost_share)
    if facts.gateways_away:
        return GATEWAY, [lost, Reason("gateways_away", facts.gateways_away)]
    if facts.margin_db is not None and facts.margin_db < _WEAK_MARGIN_DB:
        return RADIO, [lost, Reason("weak_margin", facts.margin_db)]
    return RADIO, [lost, Reason("disturbed")]


def _remarks(facts: Facts) -> list[Reason]:
    found = []
    if is_stuck(facts.heard, facts.sf12, facts.margin_db):
        found.append(Reason("stuck", facts.margin_db))
    if facts.gateways == 1:
        found.append(Reason("one_gateway"))
    if facts.margin_db is not None and facts.margin_db < _WEAK_MARGIN_DB:
        found.append(Reason("weak_margin", facts.margin_db))
    if facts.resets:
        found.append(Reason("resets", facts.resets))
    if facts.battery_days is not None and facts.battery_days <= _BATTERY_DAYS:
        found.append(Reason("battery_days", max(facts.battery_days, 0)))
    return found
