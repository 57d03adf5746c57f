"""What is written on a sensor: QR codes of the LoRa Alliance, older drafts of them, addresses of vendors, or a DevEUI.

Source: LoRa Alliance TR005-1.0.0, LoRaWAN Device Identification QR Codes for Automated Onboarding:
    LW:D0:<JoinEUI>:<DevEUI>:<ProfileID>[:O<owner>][:S<serial>][:P<proprietary>][:C<CRC>]
The CRC is CRC-16/MODBUS over the text before `:C`. Drafts 2 and 3 wrote
    URN:LW:DP:<JoinEUI>:<DevEUI>:<ProfileID>[:%V<owner>…]
    URN:DEV:LW:<JoinEUI>_<DevEUI>_<ProfileID>[_V<owner>][_S<serial>][_P<proprietary>]
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from domain.errors import SamaraError

MAX_LENGTH: Final = 2000  # characters: a QR code has 4,296 at most, and none of these comes near
_EUI: Final = re.compile(r"[0-9A-Fa-f]{16}")
_KEY: Final = re.compile(r"[0-9A-Fa-f]{32}")
_PROFILE: Final = re.compile(r"[0-9A-Fa-f]{8}")
_CRC: Final = re.compile(r"[0-9A-Fa-f]{4}")
_SEPARATED: Final = re.compile(r"[0-9A-Fa-f]{2}([-: .]?[0-9A-Fa-f]{2}){7}")
_TWO: Final = re.compile(r"[0-9A-Fa-f]{16}\s+[0-9A-Fa-f]{16}")
_NAMED: Final = re.compile(r"([A-Za-z][A-Za-z _-]{2,15}?)\"?\s*[:=]\s*\"?([0-9A-Fa-f][0-9A-Fa-f:. -]*)")
_PLACEHOLDERS: Final = frozenset({"0" * 16, "f" * 16})
_DEV_EUI_NAMES: Final = ("deveui", "dev", "eui", "devid", "deviceeui", "id")
_JOIN_EUI_NAMES: Final = ("joineui", "appeui", "join")
_KEY_NAMES: Final = ("appkey", "nwkkey", "key")


class Label(NamedTuple):
    """What a code says of a sensor, in lower case where hexadecimal. `form` is how it was written.

    `has_key` tells that a network key was in it, which is not here.
    """

    form: str  # tr005, draft, address, text, dev_eui
    dev_eui: str
    join_eui: str | None = None
    profile_id: str | None = None
    owner_token: str = ""
    serial: str = ""
    proprietary: str = ""
    has_key: bool = False


class LabelError(SamaraError):
    """The code cannot be used: `why` is one word for it, `found` the part of the code that is meant.

    `why` is one of: empty, long, key_alone, schema, parts, join_eui, dev_eui, profile, extension_twice, crc_form, crc,
    placeholder, address, several, unknown.
    """

    def __init__(self, why: str, found: str = "") -> None:
        super().__init__(f"{why}: {found[:60]!r}" if found else why)
        self.why = why
        self.found = found[:60]


def read(text: str) -> Label:
    """Return what the text of a code says. Raises LabelError with the exact reason."""
    text = text.strip()
    if not text:
        raise LabelError("empty")
    if len(text) > MAX_LENGTH:
        raise LabelError("long", str(len(text)))
    beginning = text[:11].upper()
    if beginning.startswith("LW:"):
        return _usable(_tr005(text))
    if beginning.startswith("URN:DEV:LW:"):
        return _usable(_draft(text[11:].split("_")))
    if beginning.startswith("URN:LW:DP:"):
        return _usable(_draft(text[10:].replace("%", "").split(":")))
    if re.match(r"https?://", text, re.IGNORECASE):
        return _usable(_address(text))
    return _usable(_bare(text) or _named(text))


def crc16(data: bytes) -> int:
    """Return CRC-16/MODBUS: polynomial 0x8005 reflected, 0xFFFF at first, nothing at the end."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


def _usable(label: Label) -> Label:
    if label.dev_eui in _PLACEHOLDERS:
        raise LabelError("placeholder", label.dev_eui)
    return label


def _tr005(text: str) -> Label:
    parts = text.split(":")
    if len(parts) > 1 and parts[1].upper() != "D0":
        raise LabelError("schema", parts[1])
    join_eui, dev_eui, profile_id = _identified(parts[2:])
    said = _extensions(parts[5:])
    if "C" in said:
        _check(text, said["C"])
    return Label(
        "tr005", dev_eui, join_eui, profile_id, said.get("O", ""), said.get("S", ""), said.get("P", "")
    )  # fmt: skip


def _draft(parts: list[str]) -> Label:
    join_eui, dev_eui, profile_id = _identified(parts)
    said = _extensions(parts[3:])
    return Label("draft", dev_eui, join_eui, profile_id, said.get("V", ""), said.get("S", ""), said.get("P", ""))


def _identified(parts: list[str]) -> tuple[str, str, str]:
    """Return JoinEUI, DevEUI and ProfileID, the first three parts."""
    if len(parts) < 3:
        raise LabelError("parts", str(len(parts)))
    join_eui, dev_eui, profile_id = parts[:3]
    for why, form, part in (
        ("join_eui", _EUI, join_eui),
        ("dev_eui", _EUI, dev_eui),
        ("profile", _PROFILE, profile_id),
    ):
        if not form.fullmatch(part):
            raise LabelError(why, part)
    return join_eui.lower(), dev_eui.lower(), profile_id.lower()


def _extensions(parts: Iterable[str]) -> Mapping[str, str]:
    """Return the values of the extensions by their letter; those that nobody knows do no harm."""
    said: dict[str, str] = {}
    for part in parts:
        letter, value = part[:1].upper(), part[1:]
        if letter in said:
            raise LabelError("extension_twice", letter)
        if letter:
            said[letter] = value
    return said


def _check(text: str, crc: str) -> None:
    if not _CRC.fullmatch(crc):
        raise LabelError("crc_form", crc)
    covered = text[: re.search(rf":C{crc}(:|$)", text, re.IGNORECASE).start()]  # type: ignore[union-attr] # it is there
    if crc16(covered.encode()) != int(crc, 16):
        raise LabelError("crc", crc)


def _address(text: str) -> Label:
    """Return what an address of a vendor names: in its parameters, or a DevEUI alone in its path."""
    try:
        split = urlsplit(text)
    except ValueError:
        raise LabelError("address", text) from None
    within = unquote(split.query or split.fragment)
    if "LW:D0:" in within.upper():
        return _tr005(within[within.upper().index("LW:D0:") :].partition("&")[0])
    named = parse_qsl(split.query) + parse_qsl(split.fragment)
    label = _told("address", named)
    if label is not None:
        return label
    euis = [part for part in re.split(r"[/_,;]", unquote(split.path)) if _EUI.fullmatch(part)]
    return _only("address", euis, text)


def _bare(text: str) -> Label | None:
    """Return what a text of hexadecimal digits is, None if it is anything else."""
    digits = re.sub(r"[-: .]", "", text)
    if _KEY.fullmatch(digits) and not _TWO.fullmatch(text):
        raise LabelError("key_alone")
    if _SEPARATED.fullmatch(text):
        return Label("dev_eui", digits.lower())
    if re.fullmatch(r"[0-9A-Fa-f]{9,31}", digits):  # too long for a serial number: a DevEUI miscopied
        raise LabelError("dev_eui", text)
    return None


def _named(text: str) -> Label:
    """Return what a text such as `DevEUI: …, AppEUI: …`, or JSON, names."""
    label = _told("text", _NAMED.findall(text))
    if label is not None:
        return label
    return _only("text", [one for one in re.split(r"[^0-9A-Za-z]+", text) if _EUI.fullmatch(one)], text)


def _told(form: str, named: Iterable[tuple[str, str]]) -> Label | None:
    said: dict[str, str] = {}
    for name, value in named:
        said.setdefault(re.sub(r"[^a-z]", "", name.lower()), re.sub(r"[-: .]", "", value))
    found = [said[name] for name in _DEV_EUI_NAMES if _EUI.fullmatch(said.get(name, ""))]
    wrong = [said[name] for name in ("deveui", "deviceeui") if said.get(name) and not _EUI.fullmatch(said[name])]
    if wrong:
        raise LabelError("dev_eui", wrong[0])
    if not found:
        return None
    if len(set(found)) > 1:
        raise LabelError("several", ", ".join(sorted(set(found))))
    joined = [said[name] for name in _JOIN_EUI_NAMES if _EUI.fullmatch(said.get(name, ""))]
    has_key = any(_KEY.fullmatch(said.get(name, "")) for name in _KEY_NAMES)
    return Label(form, found[0].lower(), joined[0].lower() if joined else None, has_key=has_key)


def _only(form: str, euis: list[str], text: str) -> Label:
    found = sorted({one.lower() for one in euis})
    if len(found) > 1:
        raise LabelError("several", ", ".join(found))
    if not found:
        raise LabelError("address" if form == "address" else "unknown", text)
    return Label(form, found[0])
