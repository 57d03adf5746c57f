"""The year's assessment of the air in schools: its words, its rows, its PDF."""

import re
import zlib
from datetime import date

import pytest

from api.pages.air_view import Room
from api.pages.texts import texts
from api.reports import air, pdf
from domain.indoor_air import confinement

STUFFY, FRESH = [2000.0] * 40 + [600.0] * 40, [600.0] * 100
ROOMS = [Room(1, confinement(STUFFY), None, None, None, None), Room(2, confinement(FRESH), None, None, None, None)]
UNKNOWN = Room(3, None, None, None, None, None)
YEAR = air.Year(
    "Mareuville <&>",
    date(2024, 11, 22),
    date(2025, 11, 22),
    [*ROOMS, UNKNOWN],
    {1: ("École", "CM2"), 2: ("Crèche", "Dortoir"), 3: ("École", "CP")},
)


def test_it_says_which_rooms_want_air_and_which_are_not_known() -> None:
    told = air.tell(YEAR, texts("fr"))
    assert told.period == "Du 22 novembre 2024 au 22 novembre 2025"
    assert told.sentences == [
        "1 salle a un air à renouveler davantage.",
        "1 salle n'a pas assez de mesures pour être évaluée.",
    ]
    assert told.to_do == ["École, CM2\u00a0: aérer davantage, vérifier la ventilation."]
    assert [(site, [row[0] for row in rows]) for site, rows in told.sites] == [
        ("École", ["CM2", "CP"]),
        ("Crèche", ["Dortoir"]),
    ]
    assert {len(row) for _, rows in told.sites for row in rows} == {len(told.columns)}


def test_its_rows_are_numbers_in_the_reader_s_language() -> None:
    heads, stuffy, fresh, unknown = air.rows(YEAR, texts("fr"))
    assert heads[:2] == ("Établissement", "Salle")
    assert stuffy == ("École", "CM2", "2024-11-22", "2025-11-22", 80, 1300, 50.0, 50.0, 3, "À aérer davantage")
    assert fresh[4:9] == (100, 600, 0.0, 0.0, 0)
    assert unknown[4:9] == (None,) * 5
    assert air.rows(YEAR, texts("en"))[0][0] == "School"


async def test_its_pdf_is_tagged_and_says_its_language() -> None:
    catalogue = texts("fr")
    document = pdf.html(air.tell(YEAR, catalogue), catalogue)
    assert "Mareuville &lt;&amp;&gt;" in document
    try:
        drawn = await pdf.made(document)
    except pdf.PdfError as error:
        pytest.skip(str(error))
    assert drawn.startswith(b"%PDF-")
    held = b"".join(zlib.decompress(one) for one in re.findall(rb"stream\n(x.*?)\nendstream", drawn, re.DOTALL))
    for sign in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang (fr)", b"pdfuaid"):  # ISO 14289-1
        assert sign in drawn + held, sign
