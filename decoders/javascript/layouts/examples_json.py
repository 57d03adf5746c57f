"""Watteco's Codec-API-LoRaWAN and Actility's device catalogue: a folder with the script and examples.json.

Source: the examples of the LoRaWAN Payload Codec API (TS013) as both lay them out: a list of objects with
`type` ("uplink" is ours), `input` and `output`. The script is package.json's `main`, else main.js or index.js;
with Watteco, main.js is the bundle of the sources beside it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from decoders.javascript.layouts.found import Found, example_of, relaxed_json, text_of

NAME: Final = "examples-json"


def find(root: Path) -> Iterator[Found]:
    """Yield every folder with an examples.json of TS013."""
    for path in sorted(root.rglob("examples.json")):
        if "node_modules" in path.parts:
            continue
        name = str(path.parent.relative_to(root))
        try:
            examples = tuple(
                example_of(one.get("description"), one["input"], one["output"])
                for one in relaxed_json(text_of(path))
                if one.get("type") == "uplink"
            )
            yield Found(name, text_of(_script(path.parent)), examples)
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            yield Found(name, "", (), f"{type(error).__name__}: {error}")


def _script(folder: Path) -> Path:
    package = folder / "package.json"
    named = json.loads(text_of(package)).get("main") if package.is_file() else None
    for name in (named, "index.js", "main.js"):
        script = (folder / name).resolve() if name else folder
        if script.is_file() and script.is_relative_to(folder.resolve()):
            return script
    raise ValueError("neither index.js nor main.js")
