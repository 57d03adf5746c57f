"""ChirpStack's device profiles: vendors/<vendor>/codecs/<name>.js with test_decode_<name>.json.

Source: the repository's README. The tests are read by a JavaScript parser there: comments and 0x.. occur. A script may
bear the constants of its device after the name (dl-pr21-1-10.js).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from decoders.javascript.layouts.found import Found, example_of, relaxed_json, text_of

NAME: Final = "chirpstack"
_PREFIX: Final = "test_decode_"


def find(root: Path) -> Iterator[Found]:
    """Yield every codec that has a file of decode tests."""
    for path in sorted(root.rglob(f"{_PREFIX}*.json")):
        script = _script(path)
        name = str(script.relative_to(root))
        try:
            tests = relaxed_json(text_of(path))
            examples = tuple(example_of(one.get("name"), one["input"], one["expected"]) for one in tests)
            yield Found(name, text_of(script), examples)
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            yield Found(name, "", (), f"{type(error).__name__}: {error}")


def _script(tests: Path) -> Path:
    name = tests.stem.removeprefix(_PREFIX)
    script = tests.with_name(f"{name}.js")
    others = [] if script.is_file() else list(tests.parent.glob(f"{name}-[0-9]*.js"))
    return others[0] if len(others) == 1 else script
