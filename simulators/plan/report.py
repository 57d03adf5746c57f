"""A plan told: JSON for programs, Markdown and one HTML page for people, PNG and GeoJSON maps."""

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy.typing as npt

from simulators import pages
from simulators.plan import maps, output
from simulators.plan.run import Planned
from simulators.plan.sensitivity import MOST
from simulators.plan.summary import summary
from simulators.plan.tables import TARGET, tables
from simulators.plan.texts import Texts


class _Map(NamedTuple):
    """One picture: its file and text, its values a cell, the range of its colours."""

    name: str
    values: npt.NDArray[Any]
    low: float
    high: float


def _caution(planned: Planned, texts: Texts) -> str:
    """Return the sentence that must stand beside every answer."""
    shares = [one.people for one in planned.band]
    counts = [one.needed[TARGET] for one in planned.band]
    known = [count for count in counts if count is not None]
    beyond = texts.say("many", most=MOST)
    return texts.say(
        "caution",
        low=texts.percent(min(shares)),
        high=texts.percent(max(shares)),
        target=round(100 * TARGET),
        least=min(known, default=beyond),
        most=max(known) if known and len(known) == len(counts) else beyond,
    )


def _headline(planned: Planned, texts: Texts) -> str:
    return texts.say(
        "headline",
        count=len(planned.plan.steps),
        existing=len(planned.existing),
        share=texts.percent(planned.plan.share),
        before=texts.percent(planned.plan.existing_share),
        walls=planned.spec.walls_db,
    )


def _maps(planned: Planned) -> list[_Map]:
    return [
        _Map("map_indoor", planned.indoors.heard[5], 0.0, 1.0),
        _Map("map_delivery", planned.delivered.cells, 0.0, 1.0),
        _Map("map_outdoor", planned.outdoors.heard[0], 0.0, 1.0),
        _Map("map_margin", planned.outdoors.margin_db, 0.0, 30.0),
    ]


def _figure(texts: Texts, one: _Map, picture: bytes) -> str:
    title = texts.say(one.name)
    point = "," if texts.language == "fr" else "."
    marks = ((f"{value:g}".replace(".", point), colour) for value, colour in maps.legend(one.low, one.high))
    steps = "".join(
        f'<span style="border-left:1rem solid {colour};padding:0 .8rem 0 .4rem">{mark}</span>' for mark, colour in marks
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
    for table in tables(planned, said, texts):
        parts.append(
            pages.table(table.title, table.head, table.rows, table.note, drawing=table.drawing, language=language)
        )
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
