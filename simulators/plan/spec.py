"""What a plan is asked: territory, antennas, assumptions. A scenario's table `[plan]`, or the command's options."""

from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigurationError
from simulators import territories, toml_file
from simulators.communes import Commune, read_communes
from simulators.plan.territory import Candidate, read_candidates, town_halls


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanSpec:
    """One question to plan.

    `territory` names a territory that comes with Samara or is a CSV of communes; `candidates` a CSV of sites, else the
    middle of each commune at `height_m`; `existing` a CSV of antennas that stand; `other` one of another plan to
    compare with; `receptions` a capture to calibrate on; `elevation` how high the ground is (see `radio.elevation`),
    else a plain. Relative paths are the scenario's.
    """

    name: str = "plan"
    territory: str = "somme"
    candidates: str = ""
    existing: str = ""
    other: str = ""
    receptions: str = ""
    elevation: str = ""
    antennas: int = 20
    height_m: float = 30.0
    path_loss: str = "petajajarvi-2015"
    sigma_db: float | None = None
    walls_db: float = 15.0
    eirp_dbm: float = 14.0
    cell_m: float = 500.0
    sensors_per_1000: float = 20.0
    period_s: float = 3600.0
    stuck_share: float = 0.05
    seed: int = 1

    def __post_init__(self) -> None:
        if self.antennas < 0 or self.cell_m < 50 or not 0 <= self.stuck_share <= 1 or self.period_s <= 0:
            raise ConfigurationError(
                "a plan has 0 antennas or more, cells of 50 m or more, a stuck share of 0 to 1, a positive period"
            )


def read(path: Path) -> PlanSpec:
    """Read the `[plan]` table of a TOML file; raise ConfigurationError if it will not do."""
    return toml_file.read(path, "plan", PlanSpec)


def communes(spec: PlanSpec, beside: Path) -> list[Commune]:
    """Return the communes of a territory; raise ConfigurationError for one that is not there."""
    ours = territories.shipped().get(spec.territory)
    return read_communes(ours or beside / spec.territory)


def candidates(spec: PlanSpec, land: list[Commune], beside: Path) -> list[Candidate]:
    """Return where antennas could stand."""
    return read_candidates(beside / spec.candidates) if spec.candidates else town_halls(land, spec.height_m)


def standing(file: str, beside: Path) -> list[Candidate]:
    """Return the antennas of a CSV, none without one."""
    return read_candidates(beside / file) if file else []
