"""The monthly report: its words, its bars, its PDF."""

from datetime import date
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from api.pages import air_view, energy_view, water_view
from api.pages.texts import texts
from api.reports import month, pdf, words
from api.reports.drawing import bars
from domain.water import Leak
from store.reading.territory import Tenant

FIRST = date(2026, 10, 1)
TENANT = Tenant(1, None, "commune", "mareuville", "Mareuville <&>", None, None, "Europe/Paris", None)


def told(**changes: object) -> month.Month:
    amount = energy_view.Amount(12_345.0, 2_500.0, -0.08, 0.07)
    site = energy_view.SiteEnergy(3, "École", {}, amount, 10.0, 400.0, 0.5)
    leaking = water_view.Meter(7, 30.0, 20.0, 120.0, 62.0, Leak(62.0, 5), 2200.0, supplies=False, is_abnormal=False)
    found = month.Month(
        tenant=TENANT,
        first=FIRST,
        period=month.period_of(FIRST, ZoneInfo("Europe/Paris")),
        energy=energy_view.Figures(amount, {"active_energy_import": amount}, [site]),
        meters=[leaking],
        air=air_view.Seen([], []),
        names={7: "École, eau froide"},
        kwh=[(one, None if one.month == 8 else 1000.0 * one.month) for one in month.months_before(FIRST, 13)],
        m3=[(one, None) for one in month.months_before(FIRST, 13)],
        incidents=[],
    )
    return found._replace(**changes)


def test_months_go_over_the_turn_of_the_year() -> None:
    assert month.months_before(date(2026, 2, 1), 3) == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert month.month_after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month.period_of(FIRST, ZoneInfo("Europe/Paris")).days == 31


def test_it_says_what_was_used_and_what_to_do() -> None:
    said = words.tell(told(), texts("fr"))
    assert said.month == "octobre 2026"
    assert "12\u202f345" in said.sentences[0].replace("\u00a0", "\u202f")
    assert "À météo égale" in said.sentences[0]
    assert any("fuite" in one for one in said.to_do)
    assert any("consigne" in one for one in said.to_do)
    assert len(said.charts) == 1  # no water was counted in these months


def test_bars_are_well_formed_and_a_hole_is_no_bar() -> None:
    drawn = ET.fromstring(bars([("a", 10.0, "10"), ("b", None, ""), ("<", 5.0, "5 & 5")], "Énergie"))
    heights = [float(one.attrib["height"]) for one in drawn.iter("rect")]
    assert heights[0] == pytest.approx(2 * heights[1])
    assert len(heights) == 2


async def test_a_pdf_comes_of_it_and_no_name_becomes_markup() -> None:
    catalogue = texts("fr")
    document = pdf.html(words.tell(told(), catalogue), catalogue)
    assert "Mareuville &lt;&amp;&gt;" in document
    try:
        drawn = await pdf.made(document)
    except pdf.PdfError as error:
        pytest.skip(str(error))
    assert drawn.startswith(b"%PDF-")


async def test_a_report_reads_nothing_from_elsewhere() -> None:
    try:
        drawn = await pdf.made('<img src="file:///etc/passwd"><img src="http://127.0.0.1:1/">')
    except pdf.PdfError as error:
        pytest.skip(str(error))
    assert b"root" not in drawn
