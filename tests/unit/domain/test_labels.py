"""Codes of sensors: those that can be used, and why others cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.labels import Label, LabelError, crc16, read

BASE = "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122"
FULL = f"{BASE}:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C"  # the example of TR005
LABEL = Label("tr005", "aabbccddeeff0011", "1122334455667788", "aabb1122")


def _with_crc(text: str) -> str:
    return f"{text}:C{crc16(text.encode()):04X}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BASE, LABEL),
        (FULL, LABEL._replace(owner_token="AABBCCDDEEFF", serial="YYWWNNNNNN", proprietary="FOOBAR")),
        (_with_crc(f"{BASE}:PX:S12"), LABEL._replace(proprietary="X", serial="12")),
        (f"  {BASE.lower()}\n", LABEL),
        (f"{_with_crc(BASE)}:S9", LABEL._replace(serial="9")),
        (f"{BASE}:ZNEW", LABEL),
        (
            "URN:DEV:LW:1122334455667788_AABBCCDDEEFF0011_AABB1122_V0102_SSERIAL_PPROP",
            LABEL._replace(form="draft", owner_token="0102", serial="SERIAL", proprietary="PROP"),
        ),
        (
            "URN:LW:DP:1122334455667788:AABBCCDDEEFF0011:AABB1122:%V0102",
            LABEL._replace(form="draft", owner_token="0102"),
        ),
        ("https://acme.example/d?devEUI=AABBCCDDEEFF0011&joinEUI=1122334455667788&sn=7",
         Label("address", "aabbccddeeff0011", "1122334455667788")),
        ("https://acme.example/activate/aabbccddeeff0011", Label("address", "aabbccddeeff0011")),
        (f"https://acme.example/q?c={BASE}", LABEL),
        ("DevEUI: AA-BB-CC-DD-EE-FF-00-11\nAppEUI: 1122334455667788\nAppKey: 000102030405060708090A0B0C0D0E0F",
         Label("text", "aabbccddeeff0011", "1122334455667788", has_key=True)),
        ('{"deveui":"AABBCCDDEEFF0011","sn":"12"}', Label("text", "aabbccddeeff0011")),
        ("SN1234;AABBCCDDEEFF0011", Label("text", "aabbccddeeff0011")),
        ("AA:BB:CC:DD:EE:FF:00:11", Label("dev_eui", "aabbccddeeff0011")),
        ("aabbccddeeff0011", Label("dev_eui", "aabbccddeeff0011")),
    ],
)  # fmt: skip
def test_a_code_is_read(text: str, expected: Label) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "why", "found"),
    [
        (" ", "empty", ""),
        ("A" * 2001, "long", "2001"),
        ("LW:D1:1122334455667788:AABBCCDDEEFF0011:AABB1122", "schema", "D1"),
        ("LW:D0:1122334455667788", "parts", "1"),
        ("LW:D0:112233445566778:AABBCCDDEEFF0011:AABB1122", "join_eui", "112233445566778"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF00:AABB1122", "dev_eui", "AABBCCDDEEFF00"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB11", "profile", "AABB11"),
        (f"{BASE}:S1:S2", "extension_twice", "S"),
        (f"{BASE}:CAF2", "crc_form", "AF2"),
        (FULL.replace("FOOBAR", "FOOBAZ"), "crc", "AF2C"),
        ("0000000000000000", "placeholder", "0000000000000000"),
        ("https://acme.example/manual.pdf", "address", "https://acme.example/manual.pdf"),
        ("https://acme.example/?deveui=AABB", "dev_eui", "AABB"),
        ("000102030405060708090A0B0C0D0E0F", "key_alone", ""),
        ("AABBCCDDEEFF001", "dev_eui", "AABBCCDDEEFF001"),
        ("aabbccddeeff0011 1122334455667788", "several", "1122334455667788, aabbccddeeff0011"),
        ("SN 1234", "unknown", "SN 1234"),
    ],
)
def test_a_code_that_cannot_be_used_says_why(text: str, why: str, found: str) -> None:
    with pytest.raises(LabelError) as caught:
        read(text)
    assert (caught.value.why, caught.value.found) == (why, found)


@given(st.text(max_size=80) | st.from_regex(r"(LW:D0|URN:DEV:LW|https://[^/]{0,9}):.{0,60}", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        label = read(text)
    except LabelError:
        return
    assert len(label.dev_eui) == 16
    assert label.dev_eui == label.dev_eui.lower()


@given(st.integers(0, len(BASE) - 1), st.sampled_from("0123456789ABCDEF"))
def test_a_digit_misread_is_noticed_by_the_checksum(place: int, digit: str) -> None:
    text = _with_crc(BASE)
    if text[place] in ("L", "W", ":", digit):
        return
    with pytest.raises(LabelError):
        read(text[:place] + digit + text[place + 1 :])
