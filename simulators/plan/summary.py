"""What a plan says, as plain JSON values."""

from dataclasses import asdict
from typing import Any

from simulators.plan import run
from simulators.plan.coverage import people_share
from simulators.plan.run import Planned


def summary(planned: Planned) -> dict[str, Any]:
    """Return what a plan says, as plain JSON values; its assumptions and their band are always with it."""
    grid = planned.grid
    return {
        "scenario": asdict(planned.spec),
        "antennas": _antennas(planned),
        "people_heard_indoors": planned.plan.share,
        "people_heard_indoors_before": planned.plan.existing_share,
        "people_heard": {
            f"SF{factor}": {
                "outdoors": round(people_share(planned.outdoors.heard[factor - 7], grid), 4),
                "indoors": round(people_share(planned.indoors.heard[factor - 7], grid), 4),
            }
            for factor in range(7, 13)
        },
        "people_delivered": round(people_share(planned.delivered.cells, grid), 4),
        "communes": [row._asdict() for row in run.rows(planned)],
        "capacity": {
            f"{share:g}": {
                "carried_at_90_percent": run.sensors_carried(crowds),
                "curve": [one._asdict() for one in crowds],
            }
            for share, crowds in planned.capacity.items()
        },
        "band": [one._asdict() | {"needed": {f"{at:g}": one.needed[at] for at in one.needed}} for one in planned.band],
        "assumptions": asdict(planned.assumed) | {"elevation": planned.spec.elevation or "a plain"},
        "calibration": planned.fit._asdict() | {"reliable": planned.fit.reliable} if planned.fit else None,
        "comparison": asdict(planned.comparison) if planned.comparison else None,
    }


def _antennas(planned: Planned) -> list[dict[str, Any]]:
    """Return what is said of each antenna, those that stand first."""
    adds = [None] * len(planned.existing) + [step.adds for step in planned.plan.steps]
    return [
        {
            "name": one.name,
            "latitude": one.latitude,
            "longitude": one.longitude,
            "height_m": one.height_m,
            "effective_height_m": round(height_m, 1),
            "stands": added is None,
            "adds": added,
            "lost_without": lost.people,
            "communes_lost_without": [list(pair) for pair in lost.communes],
            "sensors_heard": round(float(heard)),
            "frames_received": round(float(received), 4),
        }
        for one, height_m, added, lost, heard, received in zip(
            planned.antennas,
            planned.grid.heights_m(planned.antennas),
            adds,
            planned.losses,
            planned.delivered.sensors,
            planned.delivered.survival,
            strict=True,
        )
    ]
