"""A plan told: JSON for programs, Markdown and one HTML page for people, PNG and GeoJSON maps."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy.typing as npt

from simulators import pages
from simulators.plan import maps, output, run
from simulators.plan.capacity import Crowd
from simulators.plan.coverage import people_share
from simulators.plan.run import Planned
from simulators.plan.sensitivity import MOST
from simulators.plan.texts import Texts

_TARGET: Final = 0.9
_WORST: Final = 25


class _Map(NamedTuple):
    """One picture: its file and text, its values a cell, the range of its colours."""

    name: str
    values: npt.NDArray[Any]
    low: float
    high: float


class _Table(NamedTuple):
    """One table of the report."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


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
        "assumptions": asdict(planned.assumed) | {"terrain": None},
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
            "stands": added is None,
            "adds": added,
            "lost_without": lost.people,
            "communes_lost_without": [list(pair) for pair in lost.communes],
            "sensors_heard": round(float(heard)),
            "frames_received": round(float(received), 4),
        }
        for one, added, lost, heard, received in zip(
            planned.antennas, adds, planned.losses, planned.delivered.sensors, planned.delivered.survival, strict=True
        )
    ]


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _said(share: float, texts: Texts) -> str:
    return pages.said(_percent(share), texts.language)


def _caution(planned: Planned, texts: Texts) -> str:
    """Return the sentence that must stand beside every answer."""
    shares = [one.people for one in planned.band]
    counts = [one.needed[_TARGET] for one in planned.band]
    known = [count for count in counts if count is not None]
    beyond = texts.say("many", most=MOST)
    return texts.say(
        "caution",
        low=_said(min(shares), texts),
        high=_said(max(shares), texts),
        target=round(100 * _TARGET),
        least=min(known, default=beyond),
        most=max(known) if known and len(known) == len(counts) else beyond,
    )


def _headline(planned: Planned, texts: Texts) -> str:
    return texts.say(
        "headline",
        count=len(planned.plan.steps),
        existing=len(planned.existing),
        share=_said(planned.plan.share, texts),
        before=_said(planned.plan.existing_share, texts),
        walls=planned.spec.walls_db,
    )


def _tables(planned: Planned, said: dict[str, Any], texts: Texts) -> list[_Table]:
    beyond = texts.say("many", most=MOST)
    return [
        _Table(
            texts.say("antennas"),
            texts.head("antenna_head"),
            [
                (
                    texts.say("standing", name=one["name"]) if one["stands"] else one["name"],
                    None if one["adds"] is None else round(100 * one["adds"], 2),
                    round(100 * one["lost_without"], 2),
                    ", ".join(f"{name} ({_said(share, texts)} %)" for name, share in one["communes_lost_without"]),
                    one["sensors_heard"],
                    _percent(one["frames_received"]),
                )
                for one in said["antennas"]
            ],
            texts.say("antennas_note"),
        ),
        _Table(
            texts.say("band"),
            texts.head("band_head"),
            [
                (
                    one.path_loss,
                    one.walls_db,
                    _percent(one.people),
                    *(beyond if count is None else count for count in one.needed.values()),
                )
                for one in planned.band
            ],
            texts.say("no_terrain"),
        ),
        _capacity(planned, texts),
        _Table(
            texts.say("factors"),
            texts.head("factors_head"),
            [(name, *(_percent(one) for one in row.values())) for name, row in said["people_heard"].items()],
        ),
        *_comparison(planned, texts),
        *_calibration(planned, texts),
        _communes(planned, said, texts),
        _Table(
            texts.say("assumptions"),
            texts.head("assumptions_head"),
            [(name, str(value)) for name, value in (said["scenario"] | said["assumptions"]).items()],
        ),
    ]


def _capacity(planned: Planned, texts: Texts) -> _Table:
    sizes = [str(one.devices) for one in next(iter(planned.capacity.values()))]
    rows = [
        (
            f"{100 * share:g} %",
            *(_percent(one.delivery) for one in crowds),
            _carried(crowds, texts),
        )
        for share, crowds in planned.capacity.items()
    ]
    head = [texts.say("capacity_head"), *sizes, texts.say("carried")]
    return _Table(texts.say("capacity"), head, rows, texts.say("capacity_note"))


def _carried(crowds: Sequence[Crowd], texts: Texts) -> str:
    carried = pages.said(run.sensors_carried(crowds), texts.language)
    return texts.say("more", count=carried) if crowds[-1].delivery >= _TARGET else carried


def _comparison(planned: Planned, texts: Texts) -> list[_Table]:
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
    return [_Table(texts.say("comparison"), texts.head("comparison_head"), rows)]


def _calibration(planned: Planned, texts: Texts) -> list[_Table]:
    fit = planned.fit
    if fit is None:
        return []
    rows: list[tuple[str, Any]] = [
        (texts.say("links"), fit.links),
        (texts.say("frames"), fit.frames),
        (texts.say("line"), " ; ".join(f"{value:.1f}" for value in fit.line)),
        (texts.say("least_squares"), " ; ".join(f"{value:.1f}" for value in fit.least_squares)),
        (texts.say("range"), f"{fit.nearest_m:.0f} … {fit.farthest_m:.0f}"),
        (texts.say("heard_to"), round(fit.heard_to_dbm, 1)),
    ]
    note = "" if fit.reliable else texts.say("unreliable")
    return [_Table(texts.say("calibration"), texts.head("calibration_head"), rows, note)]


def _communes(planned: Planned, said: dict[str, Any], texts: Texts) -> _Table:
    worst = sorted(said["communes"], key=lambda one: (one["delivery"], one["name"]))[:_WORST]
    spec = planned.spec
    note = texts.say("communes_note", sensors=spec.sensors_per_1000, period=spec.period_s, stuck=100 * spec.stuck_share)
    shares = ("outdoor_sf7", "outdoor_sf12", "indoor_sf12")
    rows = [
        (
            one["name"],
            one["epci"],
            one["population"],
            *(_percent(one[share]) for share in shares),
            round(one["redundancy"], 2),
            _percent(one["delivery"]),
        )
        for one in worst
    ]
    return _Table(texts.say("communes_worst"), texts.head("communes_head"), rows, note)


def _maps(planned: Planned) -> list[_Map]:
    return [
        _Map("map_indoor", planned.indoors.heard[5], 0.0, 1.0),
        _Map("map_delivery", planned.delivered.cells, 0.0, 1.0),
        _Map("map_outdoor", planned.outdoors.heard[0], 0.0, 1.0),
        _Map("map_margin", planned.outdoors.margin_db, 0.0, 30.0),
    ]


def _figure(texts: Texts, one: _Map, picture: bytes) -> str:
    title = texts.say(one.name)
    steps = "".join(
        f'<span style="border-left:1rem solid {colour};padding:0 .8rem 0 .4rem">{value:g}</span>'
        for value, colour in maps.legend(one.low, one.high)
    )
    source = base64.b64encode(picture).decode()
    return f'<h2>{title}</h2><p class="note">{steps}</p><img alt="{title}" src="data:image/png;base64,{source}">'


def told(planned: Planned, language: str = "fr") -> str:
    """Return the answer and its caution, for a terminal."""
    texts = Texts(language)
    return f"{_headline(planned, texts)}\n{_caution(planned, texts)}"


def write(planned: Planned, folder: Path, language: str = "fr") -> dict[str, Any]:
    """Write plan.json, plan.md, plan.html, three GeoJSON files and a PNG a map; return the summary."""
    texts, said = Texts(language), summary(planned)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_geojson(planned, said, folder)
    title, headline = texts.say("title", name=planned.spec.name), _headline(planned, texts)
    caution = _caution(planned, texts)
    lines = [f"# {title}", "", headline, "", caution, ""]
    parts = [pages.paragraph(headline), pages.paragraph(caution, "bad")]
    parts.append(pages.paragraph(texts.say("map_note", cell=planned.spec.cell_m), "note"))
    for one in _maps(planned):
        picture = maps.picture(planned.grid, one.values, planned.antennas, low=one.low, high=one.high)
        (folder / f"{one.name}.png").write_bytes(picture)
        parts.append(_figure(texts, one, picture))
        lines += [f"![{texts.say(one.name)}]({one.name}.png)", ""]
    for table in _tables(planned, said, texts):
        parts.append(pages.table(table.title, table.head, table.rows, table.note, language=language))
        lines += pages.markdown_table(table.title, table.head, table.rows)
        lines += [table.note, ""] if table.note else []
    (folder / "plan.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / "plan.html").write_text(pages.document(title, parts, language=language), encoding="utf-8")
    return said


def _write_geojson(planned: Planned, said: dict[str, Any], folder: Path) -> None:
    values = {
        **{f"outdoor_sf{factor}": planned.outdoors.heard[factor - 7] for factor in range(7, 13)},
        **{f"indoor_sf{factor}": planned.indoors.heard[factor - 7] for factor in range(7, 13)},
        "redundancy": planned.indoors.redundancy,
        "margin_db": planned.outdoors.margin_db,
        "delivery": planned.delivered.cells,
    }
    files = {
        "antennas": output.antennas_geojson(planned.antennas, said["antennas"]),
        "cells": output.cells_geojson(planned.grid, values),
        "communes": output.communes_geojson(planned.communes, said["communes"]),
    }
    for name, content in files.items():
        (folder / f"{name}.geojson").write_text(content, encoding="utf-8")
