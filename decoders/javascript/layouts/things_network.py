"""The LoRaWAN device repository of The Things Network: vendor/<vendor>/<name>-codec.yaml beside the script.

Source: the repository's README, on payload codecs. A codec file names its script as `uplinkDecoder.fileName`;
several may share one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from decoders.javascript.layouts.found import Found, example_of, text_of

NAME: Final = "things-network"
_DECODER: Final = "uplinkDecoder"


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema: `on` and `off` are words, a date is a string."""


CoreLoader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", list("-+.0123456789")),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_form})$"), _first)


def find(root: Path) -> Iterator[Found]:
    """Yield every codec with an uplink decoder."""
    for path in sorted(root.rglob("*.yaml")):
        try:
            text = text_of(path)
        except (OSError, ValueError):
            continue  # no codec of ours to speak of
        if f"{_DECODER}:" not in text:
            continue
        name = str(path.relative_to(root))
        try:
            yield _codec(root, path, name, yaml.load(text, CoreLoader))  # noqa: S506  # a SafeLoader
        except (OSError, ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
            yield Found(name, "", (), f"{type(error).__name__}: {error}")


def _codec(root: Path, path: Path, name: str, said: dict[str, Any]) -> Found:
    decoder = said[_DECODER]
    script = (path.parent / decoder["fileName"]).resolve()
    if not script.is_relative_to(root.resolve()):
        raise ValueError(f"{decoder['fileName']} is outside the collection")
    examples = tuple(
        example_of(one.get("description"), one["input"], one["output"], one.get("normalizedOutput"))
        for one in decoder.get("examples") or ()
    )
    return Found(name, text_of(script), examples)
