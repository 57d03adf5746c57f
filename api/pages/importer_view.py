"""What the pages of a list of sensors say: its columns, what would become of each row, why one was refused."""

from collections.abc import Sequence
from typing import Any, Final

from api.bulk import Looked
from api.pages import orders_view, words
from api.pages.network_words import count
from api.pages.pose_view import eui
from api.pages.texts import Texts
from api.provisioning import Planned
from domain.sensor_list import KEY, NO_KEY, REASON, plain
from store.import_files import File, Line
from store.provisioning.following import Order
from store.reading.territory import Tenant

EXAMPLE: Final = (
    "70B3D5E75E001234", "Sonde cantine", "", "École Jules-Verne", "Air, cantine", 49.9, 2.3, "", "", "", "", "",
)  # fmt: skip
_SAMPLES: Final = 3
_LOOKED: Final = 100  # rows, for samples
_EUI_LENGTH: Final = 16
_REASONS: Final = frozenset(plain(one) for one in REASON)


def listed(one: File, here: str, tenant: Tenant, texts: Texts) -> list[Any]:
    """Return the row of a list among others."""
    state = ("good", "importer.state.over") if one.looked_at == one.rows else ("none", "importer.state.waiting")
    if one.refused and one.looked_at == one.rows:
        state = ("watch", "importer.state.over")
    return [
        {"text": one.name, "href": f"{here}/{one.import_id}"},
        words.moment(one.created_at, words.zone_of(tenant), "minute", texts),
        count(one.rows, texts),
        {"status": state[0], "text": texts(state[1])},
        count(one.refused, texts) if one.looked_at else "",
    ]


def told(found: File, texts: Texts) -> list[tuple[str, str]]:
    """Return how far a list is, label and value."""
    return [
        (
            texts("importer.fact.rows"),
            texts("importer.of", done=count(found.looked_at, texts), rows=count(found.rows, texts)),
        ),
        (texts("importer.fact.taken"), count(found.looked_at - found.refused, texts)),
        (texts("importer.fact.devices"), count(found.devices, texts)),
        (texts("importer.fact.assignments"), count(found.assignments, texts)),
        (texts("importer.fact.refused"), count(found.refused, texts)),
    ]


def choices(found: File, lines: Sequence[Line], texts: Texts) -> list[tuple[str, str, str, str]]:
    """Return the choice of what each column is: name, heading, chosen field, its first cells."""
    made = []
    for place, (heading, field) in enumerate(zip(found.headings, found.fields, strict=True)):
        cells = [_cell(line, place, texts) for line in lines[:_LOOKED] if place < len(line.cells) and line.cells[place]]
        sample = texts("importer.sample", cells=" · ".join(cells[:_SAMPLES])) if cells else texts("importer.no_sample")
        made.append((f"column_{place}", heading, field, sample))
    return made


def _shown(found: File) -> list[int]:
    """Return the places of the columns that say something."""
    return [place for place, field in enumerate(found.fields) if field]


def _cell(line: Line, place: int, texts: Texts) -> str:
    """Return a cell as it may be shown: of a key, that there is one."""
    cell = line.cells[place] if place < len(line.cells) else ""
    return {KEY: texts("importer.key"), NO_KEY: texts("importer.no_key")}.get(cell, cell)


def columns(found: File, texts: Texts, *, is_served: bool = False) -> list[str]:
    """Return the headings of a table of rows: their line, what became of them, and the columns that say something."""
    said = [texts(f"importer.field.{found.fields[place]}") for place in _shown(found)]
    there = [texts("importer.there")] if is_served else []
    return [texts("importer.line"), texts("importer.becomes"), *there, *said]


def preview(
    lines: Sequence[Line], looked: Looked, found: File, texts: Texts, *, is_served: bool = False
) -> list[list[Any]]:
    """Return the first rows, with what would become of each, on the network server too if one serves the tenant."""
    rows = [_row(line, looked.refused.get(line.place), found, texts) for line in lines]
    if not is_served:
        return rows
    plans = [_plan(looked.planned.get(line.place), texts) for line in lines]
    return [[*row[:2], planned, *row[2:]] for row, planned in zip(rows, plans, strict=True)]


def _plan(planned: Planned | None, texts: Texts) -> Any:
    if planned is None:
        return ""
    kind, text = orders_view.steps_planned(planned.steps, texts, needs_profile=planned.needs_profile)
    return {"status": kind, "text": text}


def whole(looked: Looked, texts: Texts) -> list[tuple[str, str]]:
    """Return what a whole list would do on the network server, label and count."""
    plans = looked.planned.values()
    kinds = {
        "created": sum("created" in one.steps and not one.needs_profile for one in plans),
        "keyed": sum("keyed" in one.steps and not one.needs_profile for one in plans),
        "changed": sum("changed" in one.steps or "moved" in one.steps for one in plans),
        "nothing": sum(not one.steps for one in plans),
        "no_profile": sum(one.needs_profile for one in plans),
        "not_taken": len(looked.refused),
    }
    return [(texts(f"importer.plan.{kind}"), count(number, texts)) for kind, number in kinds.items()]


def orders(asked: Sequence[Order], texts: Texts) -> list[tuple[str, str]]:
    """Return how far the orders of a list are, label and count; nothing when it asked for none."""
    states = [one.state for one in asked]
    return [
        (texts(f"importer.orders.{state}"), count(states.count(state), texts))
        for state in ("done", "waiting", "failed", "cancelled")
        if states and (state != "cancelled" or state in states)
    ]


def refused(lines: Sequence[Line], found: File, texts: Texts) -> list[list[Any]]:
    """Return rows that were not taken, each with its reason."""
    return [_row(line, (line.why or "", line.found), found, texts) for line in lines]


def _row(line: Line, refusal: tuple[str, str] | None, found: File, texts: Texts) -> list[Any]:
    becomes = (
        {"status": "bad", "text": reason(*refusal, texts)}
        if refusal
        else {"status": "good", "text": texts("importer.taken")}
    )
    return [str(line.line), becomes, *(_cell(line, place, texts) for place in _shown(found))]


def reason(why: str, found: str, texts: Texts) -> str:
    """Return in words why a row was not taken: as the page of a single sensor says it of a code."""
    if why == "occupied" and len(found) == _EUI_LENGTH:
        found = eui(found)
    key = f"importer.why.{why}"
    return texts(key if texts.has(key) else f"pose.why.{why}", found=found)


def refused_file(lines: Sequence[Line], found: File, texts: Texts) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of the file of what was not taken: the same columns, and the reason last."""
    return _file(lines, found, [reason(line.why or "", line.found, texts) for line in lines], texts)


def _file(
    lines: Sequence[Line], found: File, reasons: Sequence[str], texts: Texts
) -> tuple[list[str], list[list[str]]]:
    kept = [place for place, heading in enumerate(found.headings) if plain(heading) not in _REASONS]
    rows = [
        [
            *("" if _is_key(line, place) or place >= len(line.cells) else line.cells[place] for place in kept),
            f"{texts('importer.line')} {line.line}: {said}",
        ]
        for line, said in zip(lines, reasons, strict=True)
    ]
    return [*(found.headings[place] for place in kept), texts("importer.reason")], rows


def _is_key(line: Line, place: int) -> bool:
    return place < len(line.cells) and line.cells[place] in {KEY, NO_KEY}


def failed_file(lines: Sequence[Line], found: File, texts: Texts) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of the file of what the network server refused: keys are to be filled in."""
    return _file(lines, found, [f"{orders_view.reason(line.found, texts)} ({line.found})" for line in lines], texts)
