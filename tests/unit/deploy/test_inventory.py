import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.inventory import Listed, RowError, read
from domain.errors import ConfigurationError

EUI = "70b3d5e75e000001"


def test_a_csv_of_a_spreadsheet_in_french() -> None:
    content = (
        "DevEUI;Tenant;Name;Model;Site;Point;Latitude;Longitude\r\n"
        '70-B3-D5-E7-5E-00-00-01;amiens;"Sonde; cave";lse01;École;Cave;49,8941;2,2958\r\n'
        ";;;;;;;\r\n"
    ).encode("cp1252")
    assert list(read(content)) == [Listed(2, EUI, "amiens", "Sonde; cave", "lse01", "École", "Cave", 49.8941, 2.2958)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_byte_order_mark(separator: str) -> None:
    content = f"dev_eui{separator}tenant\n{EUI}{separator}amiens\n".encode("utf-8-sig")
    assert list(read(content)) == [Listed(2, EUI, "amiens")]


def test_one_json_object_a_line() -> None:
    content = f'{{"dev_eui": "{EUI}", "latitude": 49.9, "longitude": 2, "site": null}}\n\n[]\n{{"dev_eui"\n'.encode()
    assert list(read(content, "amiens")) == [
        Listed(1, EUI, "amiens", latitude_deg=49.9, longitude_deg=2.0),
        RowError(3, "not a JSON object"),
        RowError(4, "not a JSON object"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("70b3,a,,,,", "DevEUI '70b3' is not 16 hexadecimal digits"),
        (f"{EUI},,,,,", "no tenant"),
        (f"{EUI},a,s,,,", "the site 's' has no point: what is measured there?"),
        (f"{EUI},a,,p,,", "the point 'p' has no site"),
        (f"{EUI},a,,,91,2", "'91' is not degrees between -90 and 90"),
        (f"{EUI},a,,,nan,2", "'nan' is not degrees between -90 and 90"),
        (f"{EUI},a,,,north,2", "'north' is not degrees between -90 and 90"),
        (f"{EUI},a,,,49,", "latitude and longitude go together"),
        (f"{EUI},a\0,,,,", "a NUL character"),
    ],
)
def test_a_wrong_line_is_told_and_its_neighbour_kept(row: str, reason: str) -> None:
    content = f"dev_eui,tenant,site,point,latitude,longitude\n{row}\n70b3d5e75e000002,a\n".encode()
    assert list(read(content)) == [RowError(2, reason), Listed(3, "70b3d5e75e000002", "a")]


def test_a_device_is_listed_once() -> None:
    content = f"dev_eui,tenant\n{EUI},a\n{EUI.upper()},b\n".encode()
    assert list(read(content))[1] == RowError(3, f"DevEUI {EUI} is already on line 2")


def test_a_file_without_dev_eui_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no column dev_eui"):
        list(read(b"name,tenant\nx,y\n"))


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_one_error(content: bytes) -> None:
    try:
        for row in read(b"dev_eui,tenant,latitude\n" + content):
            assert isinstance(row, Listed | RowError)
    except ConfigurationError:
        pass
