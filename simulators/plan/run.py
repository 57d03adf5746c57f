"""One call that plans a territory and writes what it found."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from simulators.plan import coverage, output, placement, territory
from simulators.plan.coverage import Assumptions
from simulators.plan.placement import Plan
from simulators.plan.territory import Candidate, Commune, Grid


class Planned(NamedTuple):
    """A plan and the ground it stands on. `existing` antennas are counted, not chosen."""

    communes: list[Commune]
    existing: list[Candidate]
    grid: Grid
    assumed: Assumptions
    plan: Plan

    @property
    def antennas(self) -> list[Candidate]:
        """All the antennas there would be."""
        return [*self.existing, *(step.candidate for step in self.plan.steps)]


def plan(
    communes: list[Commune],
    candidates: list[Candidate],
    count: int,
    *,
    existing: list[Candidate] | None = None,
    assumed: Assumptions | None = None,
    indoor_db: float = 15.0,
    cell_m: float = 500.0,
) -> Planned:
    """Choose antennas for people behind walls of `indoor_db`, at SF12. Raises ConfigurationError."""
    assumed, standing = assumed or Assumptions(), existing or []
    grid = territory.grid(communes, cell_m)
    behind_walls = replace(assumed, indoor_db=assumed.indoor_db + indoor_db)
    chosen = placement.place(candidates, grid, behind_walls, count, existing=standing)
    return Planned(communes, standing, grid, assumed, chosen)


def summary(planned: Planned) -> dict[str, Any]:
    """Return what a plan says, as plain JSON values; its assumptions and their band are always with it."""
    antennas, grid, assumed = planned.antennas, planned.grid, planned.assumed
    found = coverage.cover(antennas, grid, assumed)
    return {
        "antennas": [
            {"name": step.candidate.name, "adds": step.adds, "lost_without": step.lost_without}
            for step in planned.plan.steps
        ],
        "people_heard_indoors": planned.plan.share,
        "people_heard_indoors_before": planned.plan.existing_share,
        "people_heard_outdoors": {f"SF{sf}": round(coverage.people_share(found, grid, sf), 4) for sf in range(7, 13)},
        "communes": [row._asdict() for row in coverage.by_commune(planned.communes, antennas, grid, assumed)],
        "assumptions": {name: getattr(assumed, name) for name in Assumptions.__slots__},
        "band": coverage.band(antennas, grid, assumed),
    }


def write(planned: Planned, folder: Path) -> dict[str, Any]:
    """Write plan.json, antennas.geojson, cells.geojson and coverage.png; return the summary."""
    said = summary(planned)
    found = coverage.cover(planned.antennas, planned.grid, planned.assumed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "antennas.geojson").write_text(output.antennas_geojson(planned.plan), encoding="utf-8")
    (folder / "cells.geojson").write_text(output.cells_geojson(planned.grid, found), encoding="utf-8")
    (folder / "coverage.png").write_bytes(output.picture(planned.grid, found.heard[-1]))
    return said
