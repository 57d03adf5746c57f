"""CSV: as RFC 4180 has it, or as a French spreadsheet opens it (semicolons, decimal commas, a byte order mark)."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from api.exports.form import COLUMNS, Row

_BOM: Final = "\ufeff"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Delimited:
    """One CSV file."""

    media_type = "text/csv; charset=utf-8"
    suffix = "csv"

    def __init__(self, *, french: bool) -> None:
        self._french = french

    def begin(self) -> bytes:
        """Return the header."""
        return ((_BOM if self._french else "") + self._written([COLUMNS])).encode()

    def add(self, rows: Sequence[Row]) -> bytes:
        """Return the rows."""
        return self._written([[self._cell(value) for value in row] for row in rows]).encode()

    def end(self) -> Iterator[bytes]:
        """Yield nothing more."""
        return iter(())

    def close(self) -> None:
        """Hold nothing."""

    def _written(self, lines: Sequence[Sequence[str]]) -> str:
        held = io.StringIO(newline="")
        csv.writer(held, delimiter=";" if self._french else ",", lineterminator="\r\n").writerows(lines)
        return held.getvalue()

    def _cell(self, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, float):
            return repr(value).replace(".", ",") if self._french else repr(value)
        if isinstance(value, datetime):
            return value.isoformat(sep=" ") if value.tzinfo is None else value.isoformat().replace("+00:00", "Z")
        return harmless(value) if isinstance(value, str) else str(value)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before it makes it a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text
