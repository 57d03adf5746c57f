"""XLSX, row by row to a temporary file: XlsxWriter keeps one row in memory."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import xlsxwriter  # type: ignore[import-untyped]

from api.exports.form import COLUMNS

_ROWS: Final = 1_048_576  # of a sheet, at most
_CHUNK: Final = 256 * 1024
# What is text stays text: nothing is a formula, a number or an address because it looks like one.
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": True,
}


class Spreadsheet:
    """One XLSX file, with a sheet for each million rows."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    suffix = "xlsx"

    def __init__(self, *, columns: Sequence[str] = COLUMNS, rows_a_sheet: int = _ROWS) -> None:
        self._columns = columns
        self._directory = tempfile.TemporaryDirectory(prefix="samara-export-")
        self._path = Path(self._directory.name) / "export.xlsx"
        self._book = xlsxwriter.Workbook(self._path, {**_OPTIONS, "tmpdir": self._directory.name})
        self._at = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._rows_a_sheet = rows_a_sheet
        self._new_sheet()

    def _new_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.write_row(0, 0, self._columns)
        self._sheet.freeze_panes(1, 0)
        self._next = 1

    def begin(self) -> bytes:
        """Return nothing yet: the file is a ZIP, made at the end."""
        return b""

    def add(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Write the rows."""
        for row in rows:
            if self._next == self._rows_a_sheet:
                self._new_sheet()
            for column, value in enumerate(row):
                self._cell(column, value)
            self._next += 1
        return b""

    def _cell(self, column: int, value: object) -> None:
        if isinstance(value, datetime):
            self._sheet.write_datetime(self._next, column, value.replace(tzinfo=None), self._at)
        elif isinstance(value, str):
            self._sheet.write_string(self._next, column, value)
        elif isinstance(value, int | float):
            self._sheet.write_number(self._next, column, value)

    def end(self) -> Iterator[bytes]:
        """Yield the file."""
        self._book.close()
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def close(self) -> None:
        """Delete the files."""
        self._directory.cleanup()
