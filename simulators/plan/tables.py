"""The tables of a plan's report; those that draw say the same numbers as a curve."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from simulators import pages
from simulators.plan import drawings, run
from simulators.plan.capacity import Crowd
from simulators.plan.run import Planned
from simulators.plan.sensitivity import MOST
from simulators.plan.texts import Texts

TARGET: Final = 0.9
_WORST: Final = 25


class Table(NamedTuple):
    """One table of the report; a drawing, if there is one, stands above it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    drawing: str = ""


def percent(share: float) -> float:
    """Return a share in percent, to a tenth."""
    return round(100 * share, 1)


def tables(planned: Planned, said: dict[str, Any], texts: Texts) -> list[Table]:
    """Return the tables of the report, in order."""
    beyond = texts.say("many", most=MOST)
    return [
        Table(
            texts.say("antennas"),
            texts.head("antenna_head"),
            [
                (
                    texts.say("standing", name=one["name"]) if one["stands"] else one["name"],
                    None if one["adds"] is None else round(100 * one["adds"], 2),
                    round(100 * one["lost_without"], 2),
                    ", ".join(f"{name} ({texts.percent(share)} %)" for name, share in one["communes_lost_without"]),
                    one["sensors_heard"],
                    percent(one["frames_received"]),
                )
                for one in said["antennas"]
            ],
            texts.say("antennas_note"),
            _benefit(planned, texts),
        ),
        Table(
            texts.say("band"),
            texts.head("band_head"),
            [
                (
                    one.path_loss,
                    one.walls_db,
                    percent(one.people),
                    *(beyond if count is None else count for count in one.needed.values()),
                )
                for one in planned.band
            ],
            texts.say("terrain" if planned.spec.elevation else "no_terrain"),
        ),
        _capacity(planned, texts),
        Table(
            texts.say("factors"),
            texts.head("factors_head"),
            [(name, *(percent(one) for one in row.values())) for name, row in said["people_heard"].items()],
        ),
        *_comparison(planned, texts),
        *_calibration(planned, texts),
        _communes(planned, said, texts),
        Table(
            texts.say("assumptions"),
            texts.head("assumptions_head"),
            [
                (name, str(value))
                for name, value in (said["scenario"] | said["assumptions"]).items()
                if value not in {"", None}
            ],
        ),
    ]


def _capacity(planned: Planned, texts: Texts) -> Table:
    sizes = [str(one.devices) for one in next(iter(planned.capacity.values()))]
    rows = [
        (
            f"{100 * share:g} %",
            *(percent(one.delivery) for one in crowds),
            _carried(crowds, texts),
        )
        for share, crowds in planned.capacity.items()
    ]
    head = [texts.say("capacity_head"), *sizes, texts.say("carried")]
    series = {
        f"{100 * share:g} %": [(one.devices, 100 * one.delivery) for one in crowds]
        for share, crowds in planned.capacity.items()
    }
    drawing = drawings.curves(series, across=texts.say("capacity_across"), marks=run.CROWDS, halving=True)
    return Table(texts.say("capacity"), head, rows, texts.say("capacity_note"), drawing)


def _benefit(planned: Planned, texts: Texts) -> str:
    """Return the share of people heard after each new antenna, as a curve."""
    steps = planned.plan.steps
    if len(steps) < 2:
        return ""
    shares = accumulate((one.adds for one in steps), initial=planned.plan.existing_share)
    points = [(float(count), 100 * share) for count, share in enumerate(shares)]
    every = max(1, len(steps) // 10)
    return drawings.curves({"": points}, across=texts.say("antennas_across"), marks=range(0, len(steps) + 1, every))


def _carried(crowds: Sequence[Crowd], texts: Texts) -> str:
    carried = pages.said(run.sensors_carried(crowds), texts.language)
    return texts.say("more", count=carried) if crowds[-1].delivery >= TARGET else carried


def _comparison(planned: Planned, texts: Texts) -> list[Table]:
    found = planned.comparison
    if found is None:
        return []
    rows = [
        (texts.say("share_a"), round(100 * found.share_a, 2)),
        (texts.say("share_b"), round(100 * found.share_b, 2)),
        (texts.say("gain"), round(100 * found.gain, 2)),
        (texts.say("gain_range"), f"{100 * found.gain_low:.2f} … {100 * found.gain_high:.2f}"),
        (texts.say("b_is_better"), f"{found.b_is_better} / {found.draws}"),
        (texts.say("spread"), round(100 * found.spread, 3)),
        (texts.say("spread_if_apart"), round(100 * found.spread_if_apart, 3)),
    ]
    return [Table(texts.say("comparison"), texts.head("comparison_head"), rows)]


def _calibration(planned: Planned, texts: Texts) -> list[Table]:
    fit = planned.fit
    if fit is None:
        return []
    rows: list[tuple[str, Any]] = [
        (texts.say("links"), fit.links),
        (texts.say("frames"), fit.frames),
        (texts.say("line"), " ; ".join(pages.said(round(value, 1), texts.language) for value in fit.line)),
        (
            texts.say("least_squares"),
            " ; ".join(pages.said(round(value, 1), texts.language) for value in fit.least_squares),
        ),
        (texts.say("range"), f"{fit.nearest_m:.0f} … {fit.farthest_m:.0f}"),
        (texts.say("heard_to"), round(fit.heard_to_dbm, 1)),
    ]
    note = "" if fit.reliable else texts.say("unreliable")
    return [Table(texts.say("calibration"), texts.head("calibration_head"), rows, note)]


def _communes(planned: Planned, said: dict[str, Any], texts: Texts) -> Table:
    worst = sorted(said["communes"], key=lambda one: (one["delivery"], one["name"]))[:_WORST]
    spec = planned.spec
    note = texts.say("communes_note", sensors=spec.sensors_per_1000, period=spec.period_s, stuck=100 * spec.stuck_share)
    shares = ("outdoor_sf7", "outdoor_sf12", "indoor_sf12")
    rows = [
        (
            one["name"],
            one["epci"],
            one["population"],
            *(percent(one[share]) for share in shares),
            round(one["redundancy"], 2),
            percent(one["delivery"]),
        )
        for one in worst
    ]
    return Table(texts.say("communes_worst"), texts.head("communes_head"), rows, note)
