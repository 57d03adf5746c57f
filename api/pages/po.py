"""Read gettext catalogues as translators' tools write them (GNU gettext manual, "The Format of PO Files")."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from domain.errors import ConfigurationError

FORMS: Final = ("one", "other")  # msgstr[0] and msgstr[1] of the languages that we have
Entry = str | dict[str, str]

_FIELD: Final = re.compile(r'(?:(msgid|msgid_plural|msgstr|msgstr\[[01]\]) )?(".*")\Z')


def read(text: str, name: str) -> dict[str, Entry]:
    """Return the texts of a catalogue by `msgid`, those with plural forms by form.

    What is marked fuzzy, empty or obsolete (`#~`) is not there. Raises ConfigurationError with the name and the line
    for what cannot be read, and for an entry that comes twice.
    """
    found: dict[str, Entry] = {}
    for number, flags, fields in _entries(text, name):
        key = fields.get("msgid", "")
        if not key or "fuzzy" in flags:
            continue
        entry: Entry = fields.get("msgstr", "")
        if "msgid_plural" in fields:
            entry = {form: fields.get(f"msgstr[{index}]", "") for index, form in enumerate(FORMS)}
        if key in found:
            raise ConfigurationError(f"{name}, line {number}: {key!r} is there twice")
        if entry and (isinstance(entry, str) or all(entry.values())):
            found[key] = entry
    return found


def _entries(text: str, name: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Yield each entry: its last line's number, its flags, its fields."""
    flags, field, fields = "", "", dict[str, str]()
    number = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            if fields:
                yield number, flags, fields
                flags, fields = "", {}
            flags += line[2:] if line.startswith("#,") else ""
            continue
        match = _FIELD.match(line)
        if match is None:
            raise ConfigurationError(f"{name}, line {number}: {line[:40]!r} is not of the PO format")
        field = match[1] or field
        fields[field] = fields.get(field, "") + str(ast.literal_eval(match[2]))
    if fields:
        yield number, flags, fields
