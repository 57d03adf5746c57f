"""One TOML file that describes a run of the air: who talks, who listens, what lies between.

    [radio]                      the air and the clock: see `Radio`
    [[radio.gateways]]           see `Gateway`; or `gateways_file`, a CSV with the same names for columns
    [[radio.fleets]]             see `Fleet`

CSV files are beside the TOML file. A fleet's `places`: `latitude,longitude` and, optionally, `weight` (a commune's
population) and `spread_m` (how far around). Its `positions`: one row a device, `latitude,longitude`, optionally
`indoor_db`. Without either, devices lie within `spread_m` of the gateways' middle.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from domain.errors import ConfigurationError
from simulators import toml_file
from simulators.payloads.sizes import SIZES

HERE: Final = Path()  # for scenarios that read no other file
SETTLED: Final = "settled"
ADR: Final = (SETTLED, "chirpstack", "semtech")
PATTERNS: Final = ("periodic", "poisson")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """A relay antenna. Outages are hours of the run; in a CSV, `0.5-1;4-5`."""

    name: str
    latitude: float
    longitude: float
    height_m: float = 30.0
    antenna_dbi: float = 3.0
    demodulators: int = 8  # 16 with two SX1303, or an SX1302
    outages_h: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """Devices of one kind. `spreading_factor` 0 leaves it to the network's ADR; those of 7 to 12 are stuck there.

    `model` gives `payload_bytes` by its name (simulators/payloads/sizes.py).
    """

    name: str
    devices: int = 0
    model: str = ""
    period_s: float = 3600.0
    payload_bytes: int = 20
    indoor_db: float = 0.0
    indoor_sigma_db: float = 0.0
    spreading_factor: int = 0
    confirmed: bool = False
    tries: int = 8  # of a confirmed frame, the first included
    transmissions: int = 1  # NbTrans of an unconfirmed one, until ADR says otherwise
    downlink_share: float = 0.0  # of uplinks, after which the application has something to say
    downlink_bytes: int = 10
    places: str = ""
    positions: str = ""
    spread_m: float = 20_000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Radio:
    """The air, the clock and the network."""

    name: str = "radio"
    seed: int = 1
    hours: float = 24.0
    path_loss: str = "petajajarvi-2015"
    elevation: str = ""  # how high the ground is: an ASCII grid, a folder of them, or a CSV; else a plain
    decorrelation_m: float = 500.0
    fading: str = "none"  # none, rayleigh, or rice:K
    capture: str = "goursaud"
    chip: str = "sx1301"
    channels: int = 8
    eirp_dbm: float = 14.0
    device_height_m: float = 1.5
    device_chip: str = "sx1276"
    pattern: str = "periodic"
    jitter: float = 0.2
    preamble_rule: bool = True
    adr: str = SETTLED  # settled: what ADR would end with, from the start; chirpstack, semtech: during the run
    margin_db: float = 10.0
    joins: bool = False  # devices join over the air first
    rx1_delay_s: int = 1
    rx2_spreading_factor: int = 12
    gateways_file: str = ""
    gateways: tuple[Gateway, ...] = ()
    fleets: tuple[Fleet, ...] = ()

    @property
    def listens(self) -> bool:
        """Whether anything that the network says changes what devices do."""
        return (
            self.adr != SETTLED
            or self.joins
            or any(one.confirmed or one.transmissions > 1 or one.downlink_share > 0 for one in self.fleets)
        )


def find(name: str) -> Path:
    """Return the file that a path, or the name of an example, means; raise ConfigurationError for neither."""
    ours = Path(__file__).parent / "examples" / f"{name}.toml"
    if Path(name).is_file():
        return Path(name)
    if not ours.is_file():
        examples = ", ".join(sorted(one.stem for one in ours.parent.glob("*.toml")))
        raise ConfigurationError(f"{name}: no such file, and the examples are {examples}")
    return ours


def read(path: Path) -> Radio:
    """Read a scenario and the CSV files it names; raise ConfigurationError if it will not do."""
    return whole(toml_file.read(path, "radio", Radio), path.parent)


def whole(radio: Radio, folder: Path) -> Radio:
    """Return a scenario with its gateways and the sizes of its fleets filled in; raise ConfigurationError."""
    gateways = radio.gateways
    if radio.gateways_file:
        gateways += tuple(_gateway(row, folder / radio.gateways_file) for row in rows(folder / radio.gateways_file))
    fleets = tuple(_sized(one, folder) for one in radio.fleets)
    made = replace(radio, gateways=gateways, gateways_file="", fleets=fleets)
    _check(made)
    return made


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; raise ConfigurationError if there is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if not found:
        raise ConfigurationError(f"{path} has no row")
    return found


def number(path: Path, row: dict[str, str], column: str, default: float | None = None) -> float:
    """Return a number of a row, `default` where it is empty; raise ConfigurationError without one."""
    value = row.get(column)
    if not value and default is not None:
        return default
    try:
        return float(value or "")
    except ValueError as error:
        raise ConfigurationError(f"{path}, {row}: no number for {column}") from error


def _gateway(row: Mapping[str, str], path: Path) -> Gateway:
    known = {one.name for one in fields(Gateway)}
    given: dict[str, Any] = {name: value for name, value in row.items() if name in known and value}
    try:
        if "outages_h" in given:
            given["outages_h"] = [span.split("-") for span in given["outages_h"].split(";")]
        return msgspec.convert(given, Gateway, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}, {row}: {error}") from error


def _sized(fleet: Fleet, folder: Path) -> Fleet:
    if fleet.model:
        if fleet.model not in SIZES:
            raise ConfigurationError(f"fleet {fleet.name}: models are {', '.join(SIZES)}, not {fleet.model!r}")
        fleet = replace(fleet, payload_bytes=SIZES[fleet.model])
    if fleet.positions:
        fleet = replace(fleet, devices=len(rows(folder / fleet.positions)))
    return fleet


def _check(radio: Radio) -> None:
    if not radio.gateways or not radio.fleets:
        raise ConfigurationError("a scenario has gateways and fleets")
    for said, names in ((radio.pattern, PATTERNS), (radio.adr, ADR)):
        if said not in names:
            raise ConfigurationError(f"{said!r}: one of {', '.join(names)}")
    if not 1 <= radio.channels <= 8 or radio.hours <= 0 or not 0 <= radio.jitter < 1:
        raise ConfigurationError("channels are 1 to 8, hours above 0, jitter from 0 to below 1")
    if not 1 <= radio.rx1_delay_s <= 15 or radio.rx2_spreading_factor not in range(7, 13):
        raise ConfigurationError("rx1_delay_s is 1 to 15, rx2_spreading_factor 7 to 12")
    for gateway in radio.gateways:
        if gateway.demodulators < 1:
            raise ConfigurationError(f"gateway {gateway.name} has no demodulator")
    for fleet in radio.fleets:
        _check_fleet(fleet)


def _check_fleet(fleet: Fleet) -> None:
    if fleet.devices < 1 or fleet.period_s <= 0 or not 0 <= fleet.payload_bytes <= 222:
        raise ConfigurationError(f"fleet {fleet.name}: devices from 1, a period above 0, 0 to 222 bytes")
    if fleet.spreading_factor not in {0, *range(7, 13)}:
        raise ConfigurationError(f"fleet {fleet.name}: spreading factors are 7 to 12, or 0 for ADR")
    if not 1 <= fleet.tries <= 15 or not 1 <= fleet.transmissions <= 15 or not 0 <= fleet.downlink_share <= 1:
        raise ConfigurationError(f"fleet {fleet.name}: tries and transmissions are 1 to 15, a share 0 to 1")
