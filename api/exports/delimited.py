"""CSV: as RFC 4180 has it, or as a French spreadsheet opens it (semicolons, decimal commas, a byte order mark)."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from aiohttp import hdrs, web

from api.exports.form import COLUMNS

_BOM: Final = "\ufeff"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Delimited:
    """One CSV file of measurements."""

    media_type = "text/csv; charset=utf-8"
    suffix = "csv"

    def __init__(self, *, french: bool, columns: Sequence[str] = COLUMNS) -> None:
        self._french = french
        self._columns = columns

    def begin(self) -> bytes:
        """Return the header."""
        return written([self._columns], french=self._french)

    def add(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Return the rows."""
        return _lines(rows, french=self._french)

    def end(self) -> Iterator[bytes]:
        """Yield nothing more."""
        return iter(())

    def close(self) -> None:
        """Hold nothing."""


def written(rows: Sequence[Sequence[object]], *, french: bool) -> bytes:
    """Return a file, or its beginning."""
    return (_BOM.encode() if french else b"") + _lines(rows, french=french)


def _lines(rows: Sequence[Sequence[object]], *, french: bool) -> bytes:
    held = io.StringIO(newline="")
    lines = csv.writer(held, delimiter=";" if french else ",", lineterminator="\r\n")
    lines.writerows([_cell(value, french=french) for value in row] for row in rows)
    return held.getvalue().encode()


def _cell(value: object, *, french: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).replace(".", ",") if french else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.tzinfo is None else value.isoformat().replace("+00:00", "Z")
    return harmless(value) if isinstance(value, str) else str(value)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before it makes it a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def attachment(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> web.Response:
    """Return the answer that gives a small table to a browser as a French spreadsheet opens it.

    `name` is of ASCII letters.
    """
    return web.Response(
        body=written([columns, *rows], french=True),
        content_type="text/csv",
        charset="utf-8",
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"', hdrs.CACHE_CONTROL: "private, no-cache"},
    )
