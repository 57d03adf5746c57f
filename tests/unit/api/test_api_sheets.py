"""Tables as spreadsheets write them, and files made to hurt."""

import io
import zipfile
import zlib

import openpyxl
import pytest
import xlsxwriter

from api import sheets
from api.exports.delimited import written
from api.sheets import SheetError, read
from domain.sensor_list import KEY, NO_KEY

EUI = "70B3D5E75E001234"


def book(rows: list[list[object]], **cells: object) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        for where, value in cells.items():
            sheet.write(where, value)
    return held.getvalue()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_however_a_spreadsheet_wrote_it(delimiter: str, encoding: str) -> None:
    lines = [["DevEUI", "Lieu"], [EUI, "École, « Jules; Verne »"], [], ["x", "Été"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    found = read(text.encode(encoding))
    assert found.headings == ["DevEUI", "Lieu"]
    assert found.rows == [(2, [EUI, "École, « Jules; Verne »"]), (4, ["x", "Été"])]


def test_a_workbook_is_read_as_it_is_seen() -> None:
    found = read(book([["DevEUI", "Latitude", "N"], [EUI, 49.9, 12.0], [], [7076000000001234, "", True]]))
    assert found.headings == ["DevEUI", "Latitude", "N"]
    assert found.rows == [(2, [EUI, "49.9", "12"]), (4, ["7.07600E+15", "", "1"])]


def test_a_file_without_headings_has_numbers_for_them() -> None:
    assert read(f"{EUI};École\n".encode()).headings == ["(1)", "(2)"]
    assert read(f"DevEUI\n{EUI};École\n".encode()).headings == ["DevEUI", "(2)"]


def test_network_keys_are_not_kept() -> None:
    found = read(f"DevEUI;AppKey;Nom\n{EUI};00112233445566778899aabbccddeeff;x\n".encode())
    assert found.rows == [(2, [EUI, KEY, "x"])]
    assert found.keys == [(0, 1, bytes.fromhex("00112233445566778899aabbccddeeff"))]
    assert "0011" not in repr(found).lower()
    spoilt = read(f"DevEUI;AppKey\n{EUI};00112233445566778899aabbccddeef\n".encode())
    assert (spoilt.rows, spoilt.keys) == ([(2, [EUI, NO_KEY])], [])  # most of a key is not kept either


def test_what_our_own_file_made_harmless_is_read_back_as_it_was() -> None:
    cells = ["=1+1", "-2,3", "+33", "@x", "'a"]
    assert read(written([["a"] * 5, cells], french=True)).rows == [(2, cells)]


def bomb(size: int) -> bytes:
    held = io.BytesIO(book([["DevEUI"], [EUI]]))
    with zipfile.ZipFile(held, "a", zipfile.ZIP_DEFLATED) as parts, parts.open("xl/media/a", "w") as part:
        for _ in range(size // (1 << 20)):
            part.write(bytes(1 << 20))
    return held.getvalue()


def liar() -> bytes:
    """Return a workbook whose directory says that a part of 50 MB has one byte."""
    content = bytearray(bomb(50 << 20))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (1).to_bytes(4, "little")
    content[entry + 16 : entry + 20] = zlib.crc32(b"\0").to_bytes(4, "little")
    return bytes(content)


def entities() -> bytes:
    names = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    text = f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{names}]><sst><si><t>&a8;</t></si></sst>'
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book([["DevEUI"], [EUI]]))) as parts, zipfile.ZipFile(held, "w") as made:
        for part in parts.infolist():
            made.writestr(part, text if part.filename == "xl/sharedStrings.xml" else parts.read(part))
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"DevEUI;Nom\n", "empty"),
        (b"\xd0\xcf\x11\xe0 xls", "old"),
        (b"%PDF-1.7", "old"),
        (b"\x89PNG\r\n\0\0", "unreadable"),
        (b"PK\x03\x04 no", "unreadable"),
        (b"a;" * 41 + b"b\n1;2\n", "columns"),
        (b"DevEUI\n" + f"{EUI}\n".encode() * (sheets.MAX_ROWS + 1), "rows"),
        (b'"' + b"x" * 200_000 + b'";1\n2;3\n', "unreadable"),
        pytest.param(bomb(50 << 20), "unpacked", id="bomb"),
        pytest.param(entities(), "unreadable", id="entities"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, why: str) -> None:
    with pytest.raises(SheetError) as refused:
        read(content)
    assert refused.value.why == why


def test_a_cell_far_away_costs_nothing() -> None:
    assert read(book([["DevEUI"], [EUI]], XFD1="x")).rows == [(2, [EUI])]
    assert [line for line, _ in read(book([["DevEUI"], [EUI]], A1048576="x")).rows] == [2, 1048576]


def test_a_part_that_says_less_than_it_holds_is_read_no_further() -> None:
    assert read(liar()).rows == [(2, [EUI])]


def test_a_workbook_of_another_program_is_read() -> None:
    made = openpyxl.Workbook()
    made.active.append(["DevEUI", "Nom"])
    made.active.append([EUI, "=A1"])
    held = io.BytesIO()
    made.save(held)
    assert read(held.getvalue()).rows == [(2, [EUI])]  # a formula that nobody computed says nothing
