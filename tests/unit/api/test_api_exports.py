import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from api.exports.columns import Columns
from api.exports.delimited import Delimited
from api.exports.features import Features
from api.exports.form import COLUMNS, Form, Row
from api.exports.spreadsheet import Spreadsheet

AT = datetime(2025, 11, 22, 9, tzinfo=UTC)
EVIL = ("=1+1", "+33", "-2+3", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://x")')


def row(name: str = "École", value: float = -1.5, number: int = 0) -> Row:
    at = AT + timedelta(seconds=number)
    return Row(name, "Air", "00", "temperature", "Cel", 0, at, at.replace(tzinfo=None, hour=10), value, 49.9, None)


def written(form: Form, *batches: Sequence[Row]) -> bytes:
    try:
        return b"".join([form.begin(), *(form.add(batch) for batch in batches), *form.end()])
    finally:
        form.close()


def test_rfc_4180() -> None:
    text = written(Delimited(french=False), [row('a "b", c')], [row()]).decode()
    assert text.count("\r\n") == 3
    header, first, _ = csv.reader(io.StringIO(text, newline=""))
    assert header == list(COLUMNS)
    assert first[0] == 'a "b", c'
    assert first[6:9] == ["2025-11-22T09:00:00Z", "2025-11-22 10:00:00", "-1.5"]
    assert first[10] == ""


def test_the_french_form_opens_in_a_french_spreadsheet() -> None:
    data = written(Delimited(french=True), [row()])
    assert data.startswith(b"\xef\xbb\xbf")
    assert "École;Air;00;temperature;Cel;0;2025-11-22T09:00:00Z;2025-11-22 10:00:00;-1,5;49,9;\r\n" in data.decode()


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("french", [True, False])
def test_no_text_is_a_formula_and_numbers_stay_numbers(text: str, french: bool) -> None:  # noqa: FBT001 - a case
    data = written(Delimited(french=french), [row(text, -7.0)]).decode("utf-8-sig")
    _, cells = csv.reader(io.StringIO(data, newline=""), delimiter=";" if french else ",")
    assert cells[0] == f"'{text}"
    assert cells[8] == ("-7,0" if french else "-7.0")


def sheets(data: bytes) -> list[list[list[str | float]]]:
    """Return the cells of each sheet: texts, and numbers."""
    spaces = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        for name in sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet")):
            root = ET.fromstring(book.read(name))
            assert root.findall(".//x:f", spaces) == []
            found.append([[_value(cell, spaces) for cell in line] for line in root.iterfind(".//x:row", spaces)])
    return found


def _value(cell: ET.Element, spaces: dict[str, str]) -> str | float:
    text = cell.findtext(".//x:t", None, spaces)
    return text if text is not None else float(cell.findtext("x:v", "nan", spaces))


def test_a_spreadsheet_holds_texts_and_numbers_and_no_formula() -> None:
    (sheet,) = sheets(written(Spreadsheet(), [row(text) for text in EVIL[:4]], [row()]))
    assert sheet[0] == list(COLUMNS)
    assert [line[0] for line in sheet[1:]] == [*EVIL[:4], "École"]
    assert [line[8] for line in sheet[1:]] == [-1.5] * 5


def test_a_spreadsheet_goes_on_in_another_sheet() -> None:
    found = sheets(written(Spreadsheet(rows_a_sheet=4), [row(number=number) for number in range(7)]))
    assert [len(sheet) for sheet in found] == [4, 4, 2]


def test_features_have_the_place_of_their_site() -> None:
    both = row()._replace(longitude_deg=2.3)
    said = json.loads(written(Features(), [row()], [both, both]))
    assert [one["geometry"] for one in said["features"]] == [
        None,
        {"type": "Point", "coordinates": [2.3, 49.9]},
        {"type": "Point", "coordinates": [2.3, 49.9]},
    ]
    assert said["features"][0]["properties"]["value"] == -1.5
    assert json.loads(written(Features())) == {"type": "FeatureCollection", "features": []}


def test_parquet_is_read_back() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [row(number=number, value=number / 2) for number in range(5)]
    table = parquet.read_table(io.BytesIO(written(Columns(), rows[:3], rows[3:])))
    assert table.column_names == list(COLUMNS)
    assert table["value"].to_pylist() == [one.value for one in rows]
    assert table["measured_at"].to_pylist() == [one.measured_at for one in rows]


def test_nothing_at_all_is_a_file_too() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(io.BytesIO(written(Columns()))).num_rows == 0
    assert sheets(written(Spreadsheet())) == [[list(COLUMNS)]]
