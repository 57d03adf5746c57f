"""Tells a run: JSON for programs, Markdown and HTML (plots within, nothing fetched) for people."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from simulators.radio import kernel
from simulators.radio.downlinks import Answers
from simulators.radio.engine import Result
from simulators.radio.scenario import World

_BAR_PX: Final = 320
_WEAK_DELIVERY: Final = 0.9


def summary(world: World, result: Result, answers: Answers | None = None) -> dict[str, Any]:
    """Return everything that a run tells, as plain JSON values."""
    radio, sent = world.radio, np.maximum(result.sent, 1)
    delivery = result.delivered / sent
    talking = result.sent > 0
    return {
        "name": radio.name,
        "frames": result.frames,
        "delivery": round(result.delivery, 6),
        "seconds": round(result.seconds, 3),
        "devices": len(result.sent),
        "devices_below_90_percent": int((delivery[talking] < _WEAK_DELIVERY).sum()),
        "by_cause": _named(result.by_factor.sum(axis=0)),
        "by_spreading_factor": {
            f"SF{row + 7}": {"devices": int((world.talk.factor == row).sum()), **_named(counts)}
            for row, counts in enumerate(result.by_factor)
        },
        "by_fleet": [
            {
                "name": fleet.name,
                "devices": fleet.devices,
                "delivery": _share(result.delivered[world.fleet == number], result.sent[world.fleet == number]),
            }
            for number, fleet in enumerate(radio.fleets)
        ],
        "by_gateway": [
            {"name": gateway.name, **_named(counts)}
            for gateway, counts in zip(radio.gateways, result.by_gateway, strict=True)
        ],
        "by_receptions": {str(copies): int(count) for copies, count in enumerate(result.by_copies) if count},
        "by_hour": [{"sent": int(sent), "delivered": int(received)} for sent, received in result.by_chunk],
        "acknowledgements": dict(answers._asdict()) if answers is not None else {},
        "assumptions": assumptions(world),
    }


def assumptions(world: World) -> dict[str, Any]:
    """Return what the answer rests on: the same scenario under others may answer tenfold otherwise."""
    radio = world.radio
    names = (
        "seed", "hours", "path_loss", "decorrelation_m", "fading", "capture", "chip", "demodulators", "channels",
        "margin_db", "eirp_dbm", "device_height_m", "pattern", "jitter", "preamble_rule",
    )  # fmt: skip
    return {name: getattr(radio, name) for name in names} | {
        "devices_out_of_reach": round(world.out_of_reach, 6),
        "devices_beyond_duty_cycle": world.beyond_duty_cycle,
        "not_modelled": "retransmissions, terrain, other networks, downlinks but for acknowledgements",
    }


def _named(counts: Sequence[int] | Any) -> dict[str, int]:
    return {name: int(count) for name, count in zip(kernel.CAUSES, counts, strict=True) if name != "pending"}


def _share(part: Any, whole: Any) -> float:
    return round(float(part.sum() / max(1, whole.sum())), 6)


def _headline(said: Mapping[str, Any]) -> str:
    return (
        f"{said['frames']:,} frames of {said['devices']:,} devices: {said['delivery']:.2%} delivered, "
        f"{said['devices_below_90_percent']:,} devices below 90 %."
    )


def markdown(said: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    lines = [
        f"# {said['name']}",
        "",
        _headline(said),
        "",
        *_table("What became of the frames", ("cause", "frames"), said["by_cause"].items()),
        *_table(
            "By spreading factor",
            ("", "devices", *kernel.CAUSES[1:]),
            ((name, *row.values()) for name, row in said["by_spreading_factor"].items()),
        ),
        *_table("By fleet", ("fleet", "devices", "delivered"), (row.values() for row in said["by_fleet"])),
        *_table("By gateway", ("gateway", *kernel.CAUSES[1:]), (row.values() for row in said["by_gateway"])),
        *_table("Frames by how many gateways heard them", ("gateways", "frames"), said["by_receptions"].items()),
        *_table("Acknowledgements", ("window", "frames"), said["acknowledgements"].items()),
        *_table("Assumptions", ("", ""), said["assumptions"].items()),
    ]
    return "\n".join(lines)


def _table(title: str, head: Sequence[str], rows: Any) -> list[str]:
    body = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return [f"## {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body, ""]


def page(said: Mapping[str, Any]) -> str:
    """Return the report as one HTML page: each plot stands beside its numbers."""
    parts = [
        f"<h1>{html.escape(said['name'])}</h1>",
        f"<p>{html.escape(_headline(said))}</p>",
        _bars("What became of the frames", said["by_cause"]),
        _bars(
            "Delivered, by spreading factor (%)",
            {name: _percent(row["received"], row) for name, row in said["by_spreading_factor"].items()},
        ),
        _bars("Delivered, by fleet (%)", {row["name"]: round(100 * row["delivery"], 2) for row in said["by_fleet"]}),
        _bars("Received, by gateway", {row["name"]: row["received"] for row in said["by_gateway"]}),
        _bars("Frames by how many gateways heard them", said["by_receptions"]),
        _bars("Acknowledgements", said["acknowledgements"]),
        _bars(
            "Delivered, by hour (%)",
            {str(hour): _ratio(row["delivered"], row["sent"]) for hour, row in enumerate(said["by_hour"])},
        ),
        "<h2>Assumptions</h2><dl>",
        *(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>"
            for name, value in said["assumptions"].items()
        ),
        "</dl>",
    ]
    style = "body{font:16px sans-serif;max-width:60rem;margin:auto}td,th{text-align:left;padding:0 .5rem}"
    head = f'<meta charset="utf-8"><title>{html.escape(said["name"])}</title><style>{style}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</dl></body></html>\n'


def _percent(received: int, row: Mapping[str, int]) -> float:
    return _ratio(received, sum(count for name, count in row.items() if name != "devices"))


def _ratio(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _bars(title: str, values: Mapping[str, float]) -> str:
    """Return a table whose last column draws each number as a bar."""
    largest = max(values.values(), default=0) or 1
    rows = []
    for name, value in values.items():
        width = round(_BAR_PX * value / largest)
        bar = f'<svg width="{_BAR_PX}" height="14" aria-hidden="true"><rect width="{width}" height="14"/></svg>'
        rows.append(f"<tr><th scope=row>{html.escape(str(name))}</th><td>{value:,}</td><td>{bar}</td></tr>")
    return f"<h2>{html.escape(title)}</h2><table>{''.join(rows)}</table>"


def write(world: World, result: Result, answers: Answers | None, folder: Path) -> dict[str, Any]:
    """Write report.json, report.md and report.html; return what they say."""
    said = summary(world, result, answers)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(said), encoding="utf-8")
    (folder / "report.html").write_text(page(said), encoding="utf-8")
    return said
