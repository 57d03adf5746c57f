"""What a row of a spreadsheet says of a sensor."""

import pytest

from domain.labels import crc16
from domain.sensor_list import FIELDS, KEY, NO_KEY, Row, RowError, propose, understand, use_of
from domain.uses import USES

EUI = "70B3D5E75E001234"
MODELS = {"acmeth": "acme-th", "acmesonde": "acme-th"}
BASE = f"LW:D0:0011223344556677:{EUI}:AABB1122"


def row(**said: str) -> list[str]:
    return [said.get(field, "") for field in FIELDS]


@pytest.mark.parametrize(
    ("headings", "fields"),
    [
        (["DevEUI", "Nom", "Modèle", "Lieu", "Point"], ["dev_eui", "name", "model_id", "site", "point"]),
        (["dev_eui", "LATITUDE", "longitude (deg)", "Bâtiment"], ["dev_eui", "latitude_deg", "longitude_deg", "site"]),
        (["EUI", "DevEUI", "AppKey"], ["dev_eui", "", "app_key"]),  # the first that says it
        (["Deveui", "AppEUI", "Clé"], ["dev_eui", "join_eui", "app_key"]),
        (["Motif du refus", "Numéro"], ["", ""]),
    ],
)
def test_headings_are_understood(headings: list[str], fields: list[str]) -> None:
    assert propose(headings, {}) == fields


def test_what_was_chosen_before_goes_before_words() -> None:
    assert propose(["Nom", "Étiquette"], {"nom": "", "etiquette": "dev_eui"}) == ["", "dev_eui"]


def test_a_row_is_read_as_people_write_it() -> None:
    said = row(dev_eui="70-b3-d5-e7-5e-00-12-34", model_id="ACME TH", site=" École ", point="Air", latitude_deg="49,9",
               longitude_deg="2.3")  # fmt: skip
    assert understand(said, FIELDS, MODELS) == Row(EUI.lower(), "", "acme-th", "École", "Air", 49.9, 2.3)
    assert understand([f"{BASE}:C{crc16(BASE.encode()):04X}"], ["dev_eui"], {}) == Row(
        EUI.lower(), join_eui="0011223344556677"
    )
    said = understand([EUI, "00-11-22-33-44-55-66-88", KEY, KEY], ["dev_eui", "join_eui", "app_key", "nwk_key"], {})
    assert said == Row(EUI.lower(), join_eui="0011223344556688", has_app_key=True, has_nwk_key=True)
    assert understand([EUI, KEY], ["dev_eui", "name"], {}) == Row(EUI.lower())  # a key is nobody's name
    assert understand(["x", EUI], ["", "dev_eui"], {}) == Row(EUI.lower())


def test_a_row_says_what_a_meter_is_for_and_behind_which_it_is() -> None:
    said = row(dev_eui=EUI, site="École", point="Four", use="Cuisine", part_of="Compteur général")
    found = understand(said, FIELDS, {})
    assert (found.use, found.part_of) == ("kitchen", "Compteur général")
    assert {use_of(one) for one in ("Éclairage public", "outdoor_lighting")} == {"outdoor_lighting"}
    assert [use_of(one) for one in USES] == list(USES)
    assert propose(["Usage", "Sous-compteur de"], {}) == ["use", "part_of"]


@pytest.mark.parametrize(
    ("said", "why", "found"),
    [
        ({}, "empty", ""),
        ({"dev_eui": EUI, "use": "danse"}, "use", "danse"),
        ({"dev_eui": EUI, "part_of": "Compteur général"}, "no_site", "Compteur général"),
        ({"dev_eui": "7.07600E+15"}, "number", "7.07600E+15"),
        ({"dev_eui": "7,076E+15"}, "number", "7,076E+15"),
        ({"dev_eui": "70B3D5E75E00123"}, "dev_eui", "70B3D5E75E00123"),
        ({"dev_eui": "0" * 16}, "placeholder", "0" * 16),
        ({"dev_eui": EUI, "model_id": "Acme 9"}, "model", "Acme 9"),
        ({"dev_eui": EUI, "site": "x" * 201, "point": "y"}, "long", "x" * 60),
        ({"dev_eui": EUI, "site": "École"}, "no_point", "École"),
        ({"dev_eui": EUI, "join_eui": "00112233"}, "join_eui", "00112233"),
        ({"dev_eui": EUI, "app_key": NO_KEY}, "not_key", ""),
        ({"dev_eui": EUI, "nwk_key": KEY}, "nwk_alone", ""),
        ({"dev_eui": EUI, "point": "Air"}, "no_site", "Air"),
        ({"dev_eui": EUI, "latitude_deg": "49.9"}, "half", "49.9"),
        ({"dev_eui": EUI, "latitude_deg": "nord", "longitude_deg": "2"}, "latitude", "nord"),
        ({"dev_eui": EUI, "latitude_deg": "49", "longitude_deg": "nan"}, "longitude", "nan"),
        ({"dev_eui": EUI, "latitude_deg": "91", "longitude_deg": "2"}, "latitude", "91"),
        ({"dev_eui": EUI, "latitude_deg": "2,3", "longitude_deg": "49,9"}, "swapped", "2,3 49,9"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(said: dict[str, str], why: str, found: str) -> None:
    with pytest.raises(RowError) as refused:
        understand(row(**said), FIELDS, MODELS)
    assert (refused.value.why, refused.value.found) == (why, found)
