"""Tables that people send: CSV as spreadsheets write it in France and elsewhere, and XLSX.

XLSX is read with openpyxl, row by row: other readers make room for the whole rectangle up to the last cell, so that one
cell in XFD1048576 takes all memory. What a file unpacks to is measured before.
"""

import csv
import io
import math
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from openpyxl import load_workbook

from domain.errors import SamaraError
from domain.labels import LabelError
from domain.labels import read as read_label
from domain.sensor_list import KEY, KEYS, NO_KEY, key_of, propose

MAX_FILE: Final = 8 * 1024 * 1024  # bytes
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 40
_MAX_UNPACKED: Final = 40 * 1024 * 1024
_MAX_PARTS: Final = 500
_MAX_CELL: Final = 500  # characters
_LAST_ROW: Final = 1 << 20  # of the format
_READ: Final = 1 << 16
_EXACT: Final = 1e15  # a spreadsheet keeps 15 digits
_DELIMITERS: Final = ";,\t|"
_FORMULA: Final = ("=", "+", "-", "@")  # what api.exports.delimited puts an apostrophe before


class Sheet(NamedTuple):
    """A table: its headings, and each row that holds something with its number in the file, from 1.

    `keys`: network keys that stood in it, each with the place of its row and of its column; in the rows stands KEY.
    """

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    keys: list[tuple[int, int, bytes]]

    def __repr__(self) -> str:
        """Leave the keys out."""
        return f"Sheet({self.headings}, {len(self.rows)} rows, {len(self.keys)} keys)"


class SheetError(SamaraError):
    """The file cannot be read: `why` is empty, old, unreadable, unpacked, rows or columns."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read(content: bytes) -> Sheet:
    """Return the first table of a file. Raises SheetError."""
    if content.startswith(b"PK\x03\x04"):
        lines = _workbook(content)
    elif content.startswith((b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise SheetError("old")
    else:
        lines = _delimited(_text(content))
    return _sheet(lines)


def _sheet(lines: Iterable[list[str]]) -> Sheet:
    headings: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    keys: list[tuple[int, int, bytes]] = []
    secret = frozenset[int]()
    for number, cells in enumerate(lines, 1):
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) > MAX_COLUMNS:
            raise SheetError("columns")
        if not headings:
            headings = [cell or f"({place})" for place, cell in enumerate(cells, 1)]
            secret = _secret(headings)
            if not any(_is_label(cell) for cell in cells):
                continue
            headings = [f"({place})" for place, _ in enumerate(cells, 1)]  # no line of headings
        if len(rows) == MAX_ROWS:
            raise SheetError("rows")
        keys += [(len(rows), place, key) for place, cell in enumerate(cells) if (key := key_of(cell)) is not None]
        rows.append((number, _keyless(cells, secret)))
    if not rows:
        raise SheetError("empty")
    width = max(len(headings), *(len(cells) for _, cells in rows))
    headings += [f"({place})" for place in range(len(headings) + 1, width + 1)]
    return Sheet(headings, rows, keys)


def _secret(headings: list[str]) -> frozenset[int]:
    """Return the columns that hold keys, by their headings."""
    return frozenset(place for place, field in enumerate(propose(headings, {})) if field in KEYS)


def _keyless(cells: list[str], secret: frozenset[int]) -> list[str]:
    """Return the cells of a row without keys, and without what a column of keys holds instead."""
    return [
        KEY if key_of(cell) is not None else NO_KEY if place in secret and cell else cell
        for place, cell in enumerate(cells)
    ]


def _is_label(cell: str) -> bool:
    try:
        return len(cell) >= 16 and bool(read_label(cell))
    except LabelError:
        return False


def _clean(text: str) -> str:
    text = "".join(one if one.isprintable() else " " for one in text[: _MAX_CELL + 1]).strip()[:_MAX_CELL]
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise SheetError("unreadable")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimited(text: str) -> Iterator[list[str]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [_clean(cell) for cell in cells]
    except csv.Error as error:
        raise SheetError("unreadable") from error


def _workbook(content: bytes) -> Iterator[list[str]]:
    try:
        _measure(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for line in sheet.iter_rows(max_row=_LAST_ROW, max_col=MAX_COLUMNS + 1, values_only=True):
            yield [_clean(_written(value)) for value in line] if any(one is not None for one in line) else []
    except SheetError:
        raise
    except Exception as error:  # a file that nobody vouches for fails in the reader as it pleases
        raise SheetError("unreadable") from error


def _measure(content: bytes) -> None:
    """Refuse what unpacks to more than it may: each part is unpacked once, whatever its header says."""
    left = _MAX_UNPACKED
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if len(parts.infolist()) > _MAX_PARTS:
            raise SheetError("unpacked")
        for part in parts.infolist():
            with parts.open(part) as held:
                while read := held.read(_READ):
                    left -= len(read)
                    if left < 0:
                        raise SheetError("unpacked")


def _written(value: object) -> str:
    """Return a cell as text. A number too long to be exact is written so that nobody takes it for an identifier."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return ""
        if abs(value) >= _EXACT:
            return f"{value:.5E}"
        return str(int(value)) if value == int(value) else repr(value)
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
