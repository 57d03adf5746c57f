"""Tells a run: JSON for programs, Markdown and one HTML page (drawings within, nothing fetched) for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import ConfigurationError
from simulators.radio import plots
from simulators.radio.counting import Result
from simulators.radio.network import Dialogue
from simulators.radio.summary import summary
from simulators.radio.texts import LOST, TEXTS, number, percent
from simulators.radio.world import World


class Table(NamedTuple):
    """One table of a report: a title, a sentence, column names, rows; a drawing above it, and a bar for each row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    drawing: str = ""
    bars: Sequence[float] = ()
    top: float = 0.0


def _tables(said: Mapping[str, Any], language: str) -> Iterable[Table]:
    """Yield the tables of a report, in order."""
    text = TEXTS[language]

    def counted(value: float) -> str:
        return number(value, language)

    def share(part: float, whole: float) -> str:
        return percent(part / whole if whole else 0.0, language)

    causes, frames = said["by_cause"], said["frames"]
    yield Table(
        text["causes"],
        (text["cause"], text["frames"], "%"),
        [(text[name], counted(count), share(count, frames)) for name, count in causes.items()],
        text["causes_note"],
        bars=list(causes.values()),
    )
    yield Table(text["map"], (), (), text["map_note"], plots.territory(said["map"]["gateways"], said["map"]["devices"]))
    factors = said["by_spreading_factor"]
    totals = {name: sum(row.values()) - row["devices"] for name, row in factors.items()}
    yield Table(
        text["factors"],
        ("", text["devices"], text["frames"], text["delivered"], *(text[name] for name in LOST)),
        [
            (name, counted(row["devices"]), counted(totals[name]), share(row["received"], totals[name]),
             *(counted(row[cause]) for cause in LOST))
            for name, row in factors.items()
        ],
        bars=[row["received"] / max(1, totals[name]) for name, row in factors.items()],
        top=1.0,
    )  # fmt: skip
    yield Table(
        text["fleets"],
        (text["name"], text["devices"], text["delivered"]),
        [(row["name"], counted(row["devices"]), percent(row["delivery"], language)) for row in said["by_fleet"]],
        bars=[row["delivery"] for row in said["by_fleet"]],
        top=1.0,
    )
    yield Table(
        text["gateways"],
        (text["name"], text["delivered"], *(text[name] for name in LOST)),
        [(row["name"], *(counted(row[cause]) for cause in ("received", *LOST))) for row in said["by_gateway"]],
        bars=[row["received"] for row in said["by_gateway"]],
    )
    copies = said["by_receptions"]
    yield Table(
        text["copies"],
        (text["passerelles"], text["frames"], "%"),
        [(name, counted(count), share(count, frames)) for name, count in copies.items()],
        bars=list(copies.values()),
    )
    hours = said["by_hour"]
    yield Table(
        text["hours"],
        (text["hour"], text["sent"], text["delivered"], "%"),
        [
            (str(hour), counted(row["sent"]), counted(row["delivered"]), share(row["delivered"], row["sent"]))
            for hour, row in enumerate(hours)
        ],
        drawing=plots.steps([100 * row["delivered"] / max(1, row["sent"]) for row in hours], " %", 100.0),
    )
    if said["dialogue"]:
        yield from _dialogue(said["dialogue"], language)


def _dialogue(said: Mapping[str, Any], language: str) -> Iterable[Table]:
    text = TEXTS[language]
    names = ("messages", "messages_delivered", "messages_not_sent")
    yield Table(text["dialogue"], ("", ""), [(text[name], number(said[name], language)) for name in names])
    ways = ("rx1", "rx2", "not_sent", "received")
    if said["answers"]:
        yield Table(
            "",
            (text["answers"], *(text[way] for way in ways)),
            [(text[name], *(number(row[way], language) for way in ways)) for name, row in said["answers"].items()],
        )
    hourly = said["devices_by_spreading_factor_by_hour"]
    if any(row != hourly[0] for row in hourly):
        yield Table(
            text["adr"],
            (text["hour"], *hourly[0]),
            [(str(hour), *(number(one, language) for one in row.values())) for hour, row in enumerate(hourly)],
            drawing=plots.key(list(hourly[0])) + plots.stack(hourly),
        )
    if said["joined_by_hour"] and said["joined_by_hour"][-1]:
        times = said["minutes_until_joined"]
        yield Table(
            text["joined"],
            (text["hour"], text["devices"]),
            [(str(hour), number(count, language)) for hour, count in enumerate(said["joined_by_hour"])],
            text["joined_note"].format(half=times["half"], most=times["95_percent"]),
            plots.steps(said["joined_by_hour"]),
        )


def lead(said: Mapping[str, Any], language: str = "fr") -> str:
    """Return the run in two sentences; raise ConfigurationError for a language that there is not."""
    if language not in TEXTS:
        raise ConfigurationError(f"reports are in {', '.join(TEXTS)}, not {language!r}")
    text, dialogue = TEXTS[language], said["dialogue"]
    sentences = text["lead"].format(
        frames=number(said["frames"], language),
        devices=number(said["devices"], language),
        delivery=percent(said["delivery"], language),
        weak=number(said["devices_below_90_percent"], language),
    )
    if not dialogue:
        return sentences
    share = percent(dialogue["messages_delivered"] / max(1, dialogue["messages"]), language)
    return sentences + " " + text["lead_messages"].format(messages=number(dialogue["messages"], language), share=share)


def markdown(said: Mapping[str, Any], language: str = "fr") -> str:
    """Return the report as Markdown."""
    text = TEXTS[language]
    lines = [f"# {said['name']}", "", lead(said, language), ""]
    for table in _tables(said, language):
        if table.rows:
            lines += [f"## {table.title}", ""] if table.title else []
            lines += [table.note, ""] if table.note else []
            lines += ["| " + " | ".join(table.head) + " |", "|" + "---|" * len(table.head)]
            lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
            lines.append("")
    lines += [f"## {text['assumptions']}", "", text["assumptions_note"], ""]
    lines += [f"- {name}: {value}" for name, value in said["assumptions"].items()]
    return "\n".join([*lines, ""])


def page(said: Mapping[str, Any], language: str = "fr") -> str:
    """Return the report as one HTML page: each drawing stands beside its numbers."""
    text, title = TEXTS[language], escape(said["name"])
    parts = [f'<h1>{title}</h1><p class="lead">{escape(lead(said, language))}</p>']
    parts += [_section(table, text) for table in _tables(said, language)]
    parts.append(f"<h2>{text['assumptions']}</h2><p>{escape(text['assumptions_note'])}</p><dl>")
    parts += [
        f"<dt>{escape(name)}</dt><dd>{escape(str(value)) or 'none'}</dd>" for name, value in said["assumptions"].items()
    ]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{plots.STYLE}</style>"
    )
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{"".join(parts)}</dl></body></html>\n'


def _section(table: Table, text: Mapping[str, str]) -> str:
    title = f"<h2>{escape(table.title)}</h2>" if table.title else ""
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    if not table.rows:
        words, marks = text["map_key"].split(";"), ("good", "fair", "bad")
        named = "".join(f'<li><i style="background:var(--{mark})"></i>{escape(word)}</li>'
                        for mark, word in zip(marks, words, strict=True))  # fmt: skip
        return f'{title}{note}<ul class="key">{named}</ul>{table.drawing}'
    top = table.top or max(table.bars, default=0)
    drawn = [f'<td class="bar">{plots.bar(value, top)}</td>' for value in table.bars] or [""] * len(table.rows)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}{bar}</tr>'
        for row, bar in zip(table.rows, drawn, strict=True)
    )
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head) + ("<td></td>" if table.bars else "")
    head = f"<thead><tr>{names}</tr></thead>" if any(table.head) else ""
    return (
        f'{title}{note}{table.drawing}<div class="wide" tabindex="0"><table>{head}<tbody>{rows}</tbody></table></div>'
    )


def write(
    world: World, result: Result, dialogue: Dialogue | None, folder: Path, language: str = "fr"
) -> dict[str, Any]:
    """Write report.json, report.md and report.html; return what they say."""
    said = summary(world, result, dialogue)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(said, language), encoding="utf-8")
    (folder / "report.html").write_text(page(said, language), encoding="utf-8")
    return said
