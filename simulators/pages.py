"""Reports as one file each: HTML that needs nothing beside it, and Markdown. Every plot stands beside its numbers."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b2733;--soft:#5a6b7b;--line:#d5dde4;--paper:#fff;--bar:#1f6f8b;--bad:#b3261e;
--ok:#1d7a46;--s0:#1f5fae;--s1:#1d7a46;--s2:#b86e00;--s3:#b3261e;--s4:#6a3d9a}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9fb0c0;--line:#33414e;--paper:#12181f;--bar:#5cb3cf;
--bad:#ff8a80;--ok:#6fd39b;--s0:#6aa9f0;--s1:#6fd39b;--s2:#f0b04a;--s3:#ff8a80;--s4:#c3a1f0}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:62rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft)}
td,th{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.number{text-align:right}tbody th{font-weight:400}
rect{fill:var(--bar)}.bad{color:var(--bad);font-weight:700}.ok{color:var(--ok);font-weight:700}
.curves{display:block;width:100%;max-width:45rem;height:auto}
.curves text{fill:var(--soft);font:13px system-ui,sans-serif}
.curves line{stroke:var(--line)}polyline{fill:none;stroke-width:2}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none;color:var(--soft)}
.key i{display:inline-block;width:.8rem;height:.8rem;margin-right:.35rem}
circle.s0{fill:var(--s0)}polyline.s0{stroke:var(--s0)}i.s0{background:var(--s0)}
circle.s1{fill:var(--s1)}polyline.s1{stroke:var(--s1)}i.s1{background:var(--s1)}
circle.s2{fill:var(--s2)}polyline.s2{stroke:var(--s2)}i.s2{background:var(--s2)}
circle.s3{fill:var(--s3)}polyline.s3{stroke:var(--s3)}i.s3{background:var(--s3)}
circle.s4{fill:var(--s4)}polyline.s4{stroke:var(--s4)}i.s4{background:var(--s4)}
img{width:100%;height:auto;image-rendering:pixelated;background:var(--line)}.note{color:var(--soft)}
"""
_BAR_PX: Final = 220
_FRENCH: Final = str.maketrans({",": "\N{NARROW NO-BREAK SPACE}", ".": ","})

Cell = str | float | None


def document(title: str, parts: Iterable[str], *, language: str) -> str:
    """Return a whole page of parts that are HTML already."""
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    )
    body = f"<main><h1>{html.escape(title)}</h1>{''.join(parts)}</main>"
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{body}</body></html>\n'


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; `kind` is a class of the style: ok, bad, note."""
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{html.escape(text)}</p>"


def said(value: float, language: str) -> str:
    """Return a number as a language writes it."""
    text = f"{value:,}"
    return text.translate(_FRENCH) if language == "fr" else text


def _cell(value: Cell, language: str) -> str:
    """Return a cell: numbers to the right."""
    if isinstance(value, str) or value is None:
        return f"<td>{html.escape(value or '')}</td>"
    return f'<td class="number">{said(value, language)}</td>'


def _row(first: object, rest: Iterable[Cell], language: str) -> str:
    cells = "".join(_cell(one, language) for one in rest)
    return f'<tr><th scope="row">{html.escape(str(first))}</th>{cells}</tr>'


def table(
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    note: str = "",
    *,
    drawing: str = "",
    language: str = "en",
) -> str:
    """Return a titled table whose first column names the rows, below its note and its drawing (SVG)."""
    heads = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in head)
    body = "".join(_row(first, rest, language) for first, *rest in rows)
    below = paragraph(note, "note") if note else ""
    return (
        f"<h2>{html.escape(title)}</h2>{below}{drawing}"
        f'<div class="wide" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def bars(title: str, values: Mapping[str, float], note: str = "") -> str:
    """Return a table whose last column draws each number."""
    largest = max(values.values(), default=0) or 1
    rows = []
    for name, value in values.items():
        width = max(0, round(_BAR_PX * value / largest))
        drawn = f'<svg width="{_BAR_PX}" height="14" aria-hidden="true"><rect width="{width}" height="14"/></svg>'
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{_cell(value, "en")}<td>{drawn}</td></tr>')
    below = paragraph(note, "note") if note else ""
    return f'<h2>{html.escape(title)}</h2>{below}<div class="wide"><table><tbody>{"".join(rows)}</tbody></table></div>'


def markdown_table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a titled Markdown table."""
    body = ["| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    return [f"## {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body, ""]
