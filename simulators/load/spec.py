"""What a load is: devices, pace, format, faults. Read from TOML, or built by a test."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from domain.errors import ConfigurationError
from simulators import toml_file

Format = Literal["chirpstack-json", "chirpstack-protobuf", "things-stack"]
FORMATS: Final = ("chirpstack-json", "chirpstack-protobuf", "things-stack")
MAX_DEVICES: Final = 1 << 24
MAX_SPEED: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """Gateways that are cut off from `start_s` to `end_s`: a `share` of the devices is then heard in one burst.

    That share of the gateways says OFFLINE, then ONLINE, where the network server tells it.
    """

    start_s: float
    end_s: float
    share: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RejoinStorm:
    """At `at_s` a `share` of the devices joins again: a join event, a new DevAddr, FCnt from 0."""

    at_s: float
    share: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """What goes wrong. Shares are of messages, unless said of devices; at most one fault befalls a message."""

    duplicate: float = 0.0  # the same bytes again, up to `delay_s` later
    redeliver: float = 0.0  # the same bytes again at once: what QoS 1 does after a lost PUBACK
    new_id: float = 0.0  # the same frame again under a new deduplication id: it came by another gateway
    late_reception: float = 0.0  # the same, by the third gateway alone, up to `delay_s` later
    reorder: float = 0.0  # published up to `delay_s` late
    truncate_payload: float = 0.0  # the frame's own bytes, cut
    flip_payload: float = 0.0  # one bit of the frame's own bytes
    cut_message: float = 0.0  # besides the good one, a copy that ends half-way and cannot be read
    delay_s: float = 30.0
    clock_drift: float = 0.0  # of devices, whose gateway's clock is up to `clock_drift_s` off
    clock_drift_s: float = 60.0
    f_cnt_reset: float = 0.0  # of devices: FCnt back to 0 in the same session, once
    roll_over: float = 0.0  # of devices: FCnt passes 65,535
    death: float = 0.0  # of devices: they fall silent half-way; their last message tells of it
    outages: tuple[Outage, ...] = ()
    rejoin_storms: tuple[RejoinStorm, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadSpec:
    """One load. Same spec, same messages.

    Each of `devices` sends `uplinks_per_device` times, every `period_s` of simulated time, evenly spread, with
    `jitter_s` either way. `start_at` is the simulated time of the first. `speed` is how many simulated seconds
    pass in a real one; None or 0 publishes as fast as possible. `rate` fixes the uplinks a real second instead.
    DevEUIs are `first_dev_eui` and the next ones.
    """

    name: str = "load"
    seed: int = 1
    source: str = "load"
    format: Format = "chirpstack-json"
    devices: int = 1000
    uplinks_per_device: int = 10
    period_s: float = 900.0
    jitter_s: float = 0.0
    speed: float | None = 1.0
    rate: float = 0.0
    start_at: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    first_dev_eui: int = 0x025A_1000_0000_0000
    models: tuple[str, ...] = ("dragino-lse01",)
    gateways: int = 8
    receptions: int = 2
    positions: tuple[tuple[float, float, float], ...] = ()  # of gateways: degrees, degrees, metres; else a grid
    radio: str = ""  # the folder of a radio run's outcomes: its frames are sent, as its gateways heard them
    stats_every_s: float = 0.0  # of each gateway; 0 = none
    first_join: bool = False  # each device joins before its first uplink
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if not 1 <= self.devices <= MAX_DEVICES or self.uplinks_per_device < 0 or self.period_s <= 0:
            raise ConfigurationError(f"a load has 1 to {MAX_DEVICES} devices and a positive period")
        if self.start_at.tzinfo is None:
            raise ConfigurationError("start_at has no offset")
        if (self.speed is not None and not 0 <= self.speed <= MAX_SPEED) or self.rate < 0:
            raise ConfigurationError(f"a load's speed is 0 (as fast as possible) to {MAX_SPEED}, its rate positive")
        if self.format not in FORMATS or not 1 <= self.receptions <= min(3, self.gateways):
            raise ConfigurationError(f"formats are {', '.join(FORMATS)}; receptions 1 to 3, of as many gateways")

    @property
    def uplinks(self) -> int:
        """How many uplinks there would be without faults."""
        return self.devices * self.uplinks_per_device

    @property
    def duration_s(self) -> float:
        """The simulated time that it covers."""
        return self.uplinks_per_device * self.period_s

    @property
    def pace(self) -> float:
        """How many real seconds a simulated one takes; 0 = as fast as possible."""
        if self.rate:
            return self.devices / self.period_s / self.rate
        return 1 / self.speed if self.speed else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishing:
    """How a load reaches the platform (a scenario's table `[publish]`), and what is expected of it.

    `connections` publishers share the devices. `max_lateness_s` is the p99 beyond which the run is not valid: the
    generator was measured, not the platform. An uplink stored more than `late_after_s` after it was published is
    late; 0 does not judge that.
    """

    qos: Literal[0, 1] = 1
    connections: int = 1
    window: int = 1000
    max_lateness_s: float = 0.1
    late_after_s: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= 1000 or not 1 <= self.window < 65_535:
            raise ConfigurationError("a load has 1 to 1000 connections, each with a window of 1 to 65,534 messages")


def at_rate(rate: float, seconds: float, *, start_at: datetime, devices: int = 5000, **others: Any) -> LoadSpec:
    """Return a load of `rate` uplinks a second for so many seconds, in real time from `start_at`."""
    per_device = max(1, round(rate * seconds / devices))
    return LoadSpec(
        devices=devices,
        uplinks_per_device=per_device,
        period_s=devices / rate,
        speed=1.0,
        start_at=start_at,
        **others,
    )


def read(path: Path) -> LoadSpec:
    """Read the `[load]` table of a TOML file; raise ConfigurationError if it will not do."""
    return toml_file.read(path, "load", LoadSpec)


def says_when(path: Path) -> bool:
    """Say whether a file's load has a time of its own (`start_at`)."""
    return "start_at" in toml_file.table(path, "load")


def ending_now(spec: LoadSpec, now: datetime) -> LoadSpec:
    """Return the load that, begun `now`, ends its simulated time together with the real one.

    To the millisecond: two runs of one scenario then hardly ever speak at the same moment for the same device.
    """
    ahead = timedelta(seconds=spec.duration_s * (1 - spec.pace))
    return replace(spec, start_at=now.replace(microsecond=now.microsecond // 1000 * 1000) - ahead)


def read_publishing(path: Path) -> Publishing:
    """Read the `[publish]` table of a TOML file, if it has one; raise ConfigurationError if it will not do."""
    return toml_file.read(path, "publish", Publishing, Publishing())
