"""Milesight's SensorDecoders: <series>/<model>/<model>-decoder.js with examples in README.md.

Source: the READMEs themselves. An example is a comment with the payload in hexadecimal, then the object, in a
block marked `json`; all are on FPort 85.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from decoders.javascript.examples import Example
from decoders.javascript.layouts.found import Found, example_of, relaxed_json, text_of

NAME: Final = "milesight"
_BLOCK: Final = re.compile(r"```json\s*\n(.*?)```", re.DOTALL)
_EXAMPLE: Final = re.compile(r"^//\s*((?:[0-9a-fA-F]{2}\s*)+)\n(.*?)(?=^//|\Z)", re.DOTALL | re.MULTILINE)
_F_PORT: Final = 85


def find(root: Path) -> Iterator[Found]:
    """Yield every decoder that has a README beside it."""
    for script in sorted(root.rglob("*-decoder.js")):
        readme = script.with_name("README.md")
        if not readme.is_file():
            continue
        name = str(script.relative_to(root))
        try:
            yield Found(name, text_of(script), tuple(examples_of_readme(text_of(readme))))
        except (OSError, ValueError, TypeError) as error:
            yield Found(name, "", (), f"{type(error).__name__}: {error}")


def examples_of_readme(readme: str) -> Iterator[Example]:
    """Yield the examples that are whole; some READMEs abbreviate theirs."""
    for block in _BLOCK.findall(readme):
        for payload, answer in _EXAMPLE.findall(block):
            try:
                data = relaxed_json(answer.strip().rstrip(","))
            except ValueError:
                continue
            yield example_of(payload.strip(), {"bytes": payload, "fPort": _F_PORT}, {"data": data})
