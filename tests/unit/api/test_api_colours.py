"""Colours of the style sheet that no tool judges: of borders, signs and lines (RGAA 3.3, WCAG 2.1, 1.4.11)."""

import re
from pathlib import Path

import pytest

import api

SHEET = (Path(api.__file__).parent / "static" / "samara.css").read_text("utf-8")
_SCHEMES = [
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
]
LIGHT, DARK = _SCHEMES[:2]


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.1."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "surface"])
@pytest.mark.parametrize("drawn", ["edge", "river", "clay", "sun", "leaf", "sky", "muted"])
def test_what_is_drawn_stands_out(scheme: dict[str, str], ground: str, drawn: str) -> None:
    assert contrast(scheme[drawn], scheme[ground]) >= 3, f"--{drawn} on --{ground}"


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"), [("on-river", "river"), ("clay", "clay-soft"), ("sun", "sun-soft"), ("leaf", "leaf-soft")]
)
def test_words_on_colours_can_be_read(scheme: dict[str, str], ink: str, ground: str) -> None:
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


def test_black_on_white_is_the_most() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert LIGHT.keys() >= {"edge", "river"} <= DARK.keys()
