"""Bars, as SVG that a PDF and a browser both show. Pure."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

_WIDTH: Final = 640
_HEIGHT: Final = 180
_FOOT: Final = 22
_HEAD: Final = 16
_TEXT: Final = 'text-anchor="middle" font-size="10" font-family="DejaVu Sans, sans-serif" fill="#26211b"'
_BEFORE: Final = "#9cc4c1"
_NOW: Final = "#0f5c5c"
_HOLE: Final = "\u2013"
_GAP: Final = 0.28  # of a bar's place


def bars(values: Sequence[tuple[str, float | None, str]], caption: str) -> Markup:
    """Return a bar for each (label, value, value in words), the last one marked; None is a hole that says so.

    The caption is for who does not see it; a table says the same. Attributes, not classes: weasyprint styles no SVG.
    """
    highest = max((value for _, value, _ in values if value is not None), default=0.0) or 1.0
    place = _WIDTH / max(1, len(values))
    drawn = []
    for number, (label, value, said) in enumerate(values):
        left, middle = number * place + place * _GAP / 2, (number + 0.5) * place
        drawn.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 6}" {_TEXT}>{escape(label)}</text>')
        if value is None:
            drawn.append(f'<text x="{middle:.1f}" y="{_HEIGHT - _FOOT - 6}" {_TEXT}>{_HOLE}</text>')
            continue
        height = (_HEIGHT - _FOOT - _HEAD) * max(0.0, value) / highest
        top = _HEIGHT - _FOOT - height
        colour = _NOW if number == len(values) - 1 else _BEFORE
        width = place * (1 - _GAP)
        drawn.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
            f'<text x="{middle:.1f}" y="{top - 4:.1f}" {_TEXT}>{escape(said)}</text>'
        )
    return Markup(  # noqa: S704 - numbers, and texts that were escaped
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(caption)}">{"".join(drawn)}</svg>'
    )
