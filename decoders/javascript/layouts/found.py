"""What every layout yields, and the readings of their files that they share."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from decoders.javascript.examples import WHEN_UNSAID, Example, Expected, said

_MAX_FILE_BYTES: Final = 8 * 1024 * 1024
_RELAXED: Final = re.compile(
    r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|\b0[xX]([0-9a-fA-F]+)\b|([A-Za-z_$][\w$]*)(?=\s*:)'
    r"|'((?:[^'\\]|\\.)*)'",
    re.DOTALL,
)
_TRAILING: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])')
_DECODED_KEYS: Final = {"data", "errors", "warnings"}


class Found(NamedTuple):
    """A codec on disk: its name in the report, its script, its examples, or the problem with its files."""

    name: str
    source: str
    examples: tuple[Example, ...]
    problem: str = ""


def text_of(path: Path) -> str:
    """Return a file's text; raises ValueError for one that is too large or no text."""
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise ValueError(f"{path.name} is larger than {_MAX_FILE_BYTES} bytes")
    return path.read_text(encoding="utf-8-sig")


def relaxed_json(text: str) -> Any:
    """Parse JSON that may have comments, hexadecimal numbers, bare names, single quotes, trailing commas.

    Raises ValueError.
    """
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(_TRAILING.sub(lambda match: match[1] or "", _RELAXED.sub(_strict, text)))


def _strict(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    if match[2] is not None:
        return str(int(match[2], 16))
    if match[4] is not None:
        return json.dumps(match[4].replace("\\'", "'"))
    return f'"{match[3]}"' if match[3] is not None else " "


def payload_of(value: object) -> bytes:
    """Return the bytes of an input: a list of numbers, or hexadecimal. Raises ValueError or TypeError."""
    if isinstance(value, str):
        return bytes.fromhex("".join(value.split()))
    return bytes(int(one, 0) if isinstance(one, str) else int(one) & 0xFF for one in value)  # type: ignore[attr-defined]


def when_of(value: object) -> datetime:
    """Return the time of an input, WHEN_UNSAID when it says none. Raises ValueError."""
    if not value:
        return WHEN_UNSAID
    when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def example_of(name: object, given: Mapping[str, Any], output: object, normalized: object = None) -> Example:
    """Return an example of TS013's shape. Raises ValueError or TypeError when its input cannot be read."""
    enveloped = isinstance(output, dict) and not _DECODED_KEYS.isdisjoint(output)
    expected = output if isinstance(output, dict) and enveloped else {"data": output}
    return Example(
        name=str(name or ""),
        payload=payload_of(given.get("bytes") or ()),
        f_port=int(given.get("fPort", given.get("fport", 1))),
        expected=Expected(
            expected.get("data"),
            said(expected.get("errors")),
            said(expected.get("warnings")),
            normalized.get("data") if isinstance(normalized, dict) else None,
        ),
        received_at=when_of(given.get("recvTime") or given.get("time")),
        variables={str(key): str(value) for key, value in (given.get("variables") or {}).items()},
    )
