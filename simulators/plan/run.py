"""One call that answers a plan's question: choose, cover, count what arrives, and say what it all rests on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.communes import Commune
from simulators.plan import calibration, capacity, comparing, coverage, delivery, placement, sensitivity, territory
from simulators.plan import spec as plan_spec
from simulators.plan.calibration import Fit
from simulators.plan.capacity import Crowd
from simulators.plan.comparing import Comparison
from simulators.plan.coverage import CALIBRATED, Assumptions, Coverage, Lost
from simulators.plan.delivery import Delivery, Demand
from simulators.plan.placement import Plan
from simulators.plan.sensitivity import Band
from simulators.plan.spec import PlanSpec
from simulators.plan.territory import Candidate, Grid
from simulators.radio import elevation

CROWDS: Final = (250, 500, 1000, 2000, 4000, 8000, 16_000)
STUCK: Final = (0.0, 0.05, 0.2, 1.0)
WALLS_DB: Final = (10.0, 15.0, 20.0)


class CommuneRow(NamedTuple):
    """What one commune gets: shares of its land heard, how many antennas hear it, what its sensors deliver."""

    insee: str
    name: str
    epci: str
    population: int
    outdoor_sf7: float
    outdoor_sf12: float
    indoor_sf12: float
    redundancy: float
    delivery: float


class Planned(NamedTuple):
    """Everything a report tells. `existing` antennas are counted, not chosen; walls are those of the spec."""

    spec: PlanSpec
    communes: list[Commune]
    existing: list[Candidate]
    grid: Grid
    assumed: Assumptions
    plan: Plan
    outdoors: Coverage
    indoors: Coverage
    delivered: Delivery
    losses: list[Lost]
    capacity: dict[float, list[Crowd]]
    band: list[Band]
    fit: Fit | None
    comparison: Comparison | None

    @property
    def antennas(self) -> list[Candidate]:
        """All the antennas there would be, those that stand first."""
        return [*self.existing, *(step.candidate for step in self.plan.steps)]


def plan(spec: PlanSpec, beside: Path, *, fit: Fit | None = None) -> Planned:
    """Answer a question; files are looked for `beside`. `fit` is a calibration made elsewhere.

    Raises ConfigurationError.
    """
    communes = plan_spec.communes(spec, beside)
    candidates = plan_spec.candidates(spec, communes, beside)
    existing = plan_spec.standing(spec.existing, beside)
    if spec.receptions:
        fit = calibration.fit(calibration.read_chirpstack3(beside / spec.receptions), eirp_dbm=spec.eirp_dbm)
    assumed = _assumed(spec, fit)
    other = plan_spec.standing(spec.other, beside)
    grid = _land(spec, beside, communes, [*candidates, *existing, *other], assumed.device_height_m)
    walls = assumed.behind(spec.walls_db)
    chosen = placement.place(candidates, grid, walls, spec.antennas, existing=existing)
    antennas = [*existing, *(step.candidate for step in chosen.steps)]
    demand = Demand(spec.sensors_per_1000, spec.period_s, spec.stuck_share)
    curves = _capacity(spec)
    return Planned(
        spec=spec,
        communes=communes,
        existing=existing,
        grid=grid,
        assumed=assumed,
        plan=chosen,
        outdoors=coverage.cover(antennas, grid, assumed),
        indoors=coverage.cover(antennas, grid, walls),
        delivered=delivery.predict(antennas, grid, walls, demand, curves[spec.stuck_share]),
        losses=coverage.losses(communes, antennas, grid, walls),
        capacity=curves,
        band=sensitivity.band(
            antennas,
            candidates,
            existing=existing,
            grid=grid,
            assumed=assumed,
            walls_db=sorted({*WALLS_DB, spec.walls_db}),
        ),
        fit=fit,
        comparison=comparing.compare(antennas, other, grid, walls, seed=spec.seed) if other else None,
    )


def _land(
    spec: PlanSpec, beside: Path, communes: list[Commune], sites: Sequence[Candidate], device_height_m: float
) -> Grid:
    grid = territory.grid(communes, spec.cell_m)
    if not spec.elevation:
        return grid
    path = beside / spec.elevation
    return territory.on_ground(grid, sites, elevation.read(path), device_height_m, name=str(path))


def _assumed(spec: PlanSpec, fit: Fit | None) -> Assumptions:
    fitted = fit.line if fit is not None and fit.reliable else None
    assumed = Assumptions(path_loss=spec.path_loss, sigma_db=spec.sigma_db, eirp_dbm=spec.eirp_dbm, fitted=fitted)
    if spec.path_loss == CALIBRATED and fitted is None:
        raise ConfigurationError("the path loss `calibrated` needs receptions of ten links or more to calibrate on")
    return assumed


def _capacity(spec: PlanSpec) -> dict[float, list[Crowd]]:
    """Return delivery against the number of sensors about one antenna, for several shares stuck at SF12."""
    shares = sorted({*STUCK, spec.stuck_share})
    period_s, seed = spec.period_s, spec.seed
    return {one: capacity.curve(CROWDS, stuck_share=one, period_s=period_s, seed=seed) for one in shares}


def rows(planned: Planned) -> list[CommuneRow]:
    """Return each commune's row; communes too small for a cell take the nearest cell's values."""
    columns = [
        coverage.by_commune(planned.communes, planned.grid, values)
        for values in (
            planned.outdoors.heard[0],
            planned.outdoors.heard[5],
            planned.indoors.heard[5],
            planned.indoors.redundancy,
            planned.delivered.cells,
        )
    ]
    return [
        CommuneRow(
            one.insee, one.name, one.epci, round(one.population), *(round(float(column[at]), 4) for column in columns)
        )
        for at, one in enumerate(planned.communes)
    ]


def sensors_carried(crowds: Sequence[Crowd], least: float = 0.9) -> int:
    """Return up to how many sensors an antenna delivers `least` of the frames: on the curve, between its points."""
    sizes = np.array([one.devices for one in crowds], dtype=float)
    delivered = np.minimum.accumulate([one.delivery for one in crowds])
    if delivered[0] < least:
        return 0
    return int(np.interp(-least, -delivered, sizes))
