"""A list of sensors as people keep it in a spreadsheet: which column says what, and what each row says."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from domain import labels
from domain.errors import SamaraError
from domain.uses import USES, Use

KEYS: Final = ("app_key", "nwk_key")
FIELDS: Final = (
    "dev_eui", "name", "model_id", "site", "point", "latitude_deg", "longitude_deg", "use", "part_of",
    "join_eui", *KEYS,
)  # fmt: skip
NEEDED: Final = "dev_eui"
REASON: Final = "motif du refus", "reason of refusal"  # what the file of refused rows says of each
MAX_TEXT: Final = 200
NO_KEY: Final = "\x1a?"  # of a cell that should hold one and holds something else: most of a key, say
KEY: Final = "\x1a"  # what stands in a cell instead of a network key, which is nowhere in a list
_HEADINGS: Final = {
    "dev_eui": "deveui eui eui64 identifiant identifiantlorawan identifiantcapteur idcapteur numerodeveui qrcode qr",
    "name": "nom name capteur nomducapteur nomcapteur libelle devicename sensor sensorname designation",
    "model_id": "modele model modelid type typedecapteur reference produit devicetype sensormodel",
    "site": "site lieu batiment nomdulieu nomdusite building location place emplacement etablissement",
    "point": "point pointdemesure nomdupoint mesure measure piece local measuringpoint room",
    "latitude_deg": "latitude lat latitudedeg y latitudewgs84 gpslat",
    "longitude_deg": "longitude lon lng long longitudedeg x longitudewgs84 gpslon gpslong",
    "use": "usage use usagemesure poste",
    "part_of": "souscompteurde partof compteurgeneral compteurprincipal submeterof generalmeter",
    "join_eui": "joineui appeui joinid applicationeui",
    "app_key": "appkey applicationkey cleappkey cleapplication cle cleotaa",
    "nwk_key": "nwkkey networkkey clenwkkey clereseau",
}
_USES: Final[Mapping[str, str]] = {
    "heating": "chauffage",
    "cooling": "refroidissement climatisation clim",
    "hot_water": "ecs eauchaude eauchaudesanitaire",
    "ventilation": "cta vmc",
    "lighting": "eclairage",
    "sockets": "prises prisesdecourant",
    "kitchen": "cuisine cuisson restauration",
    "charging": "recharge rechargedevehicules irve borne",
    "outdoor_lighting": "eclairageexterieur eclairagepublic",
    "watering": "arrosage",
    "distribution": "distribue misendistribution reseau",
    "other": "autre autreequipement",
}
_SAID_BY: Final = {heading: field for field, headings in _HEADINGS.items() for heading in headings.split()}
_BY_SPREADSHEET: Final = re.compile(r"\d([.,]\d+)?E\+\d{1,3}")  # a DevEUI of digits alone, once taken for a number
_KEY: Final = re.compile(r"[0-9A-Fa-f]{32}")


class Row(NamedTuple):
    """What one row says of one sensor. '' and None: not said. Of its keys, that they are there."""

    dev_eui: str
    name: str = ""
    model_id: str | None = None
    site: str = ""
    point: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    use: Use | None = None
    part_of: str = ""
    join_eui: str | None = None
    has_app_key: bool = False
    has_nwk_key: bool = False


class RowError(SamaraError):
    """The row cannot be taken: `why` is one word for it, `found` what stands there.

    `why` is one of those of domain.labels.LabelError, or number, model, long, no_site, no_point, latitude,
    longitude, half, swapped, use, not_key, nwk_alone.
    """

    def __init__(self, why: str, found: str = "") -> None:
        super().__init__(f"{why}: {found[:60]!r}" if found else why)
        self.why = why
        self.found = found[:60]


def plain(text: str) -> str:
    """Return a text by which headings and names of models are compared: without case, accents, spaces and signs."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if one.isalnum() and not unicodedata.combining(one))


def key_of(text: str) -> bytes | None:
    """Return the network key that a cell is, which is not to be kept as it stands there; None for any other."""
    digits = re.sub(r"[-: ]", "", text)
    return bytes.fromhex(digits) if _KEY.fullmatch(digits) else None


def propose(headings: Sequence[str], remembered: Mapping[str, str]) -> list[str]:
    """Return a field for each heading, '' for none: as `remembered` by plain heading, else by its words."""
    found: list[str] = []
    for heading in headings:
        field = remembered.get(plain(heading), _SAID_BY.get(plain(heading), ""))
        found.append("" if field in found else field)
    return found


def understand(cells: Sequence[str], fields: Sequence[str], models: Mapping[str, str]) -> Row:
    """Return what a row says; `models` are ids by plain id and name. Raises RowError."""
    said = dict.fromkeys(FIELDS, "") | {
        field: cell if cell == KEY else cell.strip()
        for field, cell in zip(fields, cells, strict=False)
        if field and cell and (field in KEYS or cell != KEY)
    }
    for field in ("name", "site", "point", "part_of"):
        if len(said[field]) > MAX_TEXT:
            raise RowError("long", said[field])
    label = _label(said["dev_eui"])
    model_id = models.get(plain(said["model_id"]))
    if said["model_id"] and model_id is None:
        raise RowError("model", said["model_id"])
    if bool(said["site"]) != bool(said["point"]) or (said["part_of"] and not said["site"]):
        raise RowError("no_point" if said["site"] else "no_site", said["site"] or said["point"] or said["part_of"])
    latitude, longitude = _position(said["latitude_deg"], said["longitude_deg"])
    join_eui = _join_eui(said["join_eui"]) or label.join_eui
    for field in KEYS:
        if said[field] not in {"", KEY}:
            raise RowError("not_key")
    if said["nwk_key"] and not said["app_key"]:
        raise RowError("nwk_alone")
    return Row(
        label.dev_eui, said["name"], model_id, said["site"], said["point"], latitude, longitude,
        use_of(said["use"]), said["part_of"], join_eui, bool(said["app_key"]), bool(said["nwk_key"]),
    )  # fmt: skip


def use_of(text: str) -> Use | None:
    """Return the use that a text names, in French or as domain/uses.py has it; None for ''. Raises RowError."""
    if not text:
        return None
    found = next((one for one in USES if plain(text) in {plain(one), *_USES[one].split()}), None)
    if found is None:
        raise RowError("use", text)
    return found


def _join_eui(text: str) -> str | None:
    digits = re.sub(r"[-: .]", "", text)
    if digits and re.fullmatch(r"[0-9A-Fa-f]{16}", digits) is None:
        raise RowError("join_eui", text)
    return digits.lower() or None


def _label(text: str) -> labels.Label:
    if _BY_SPREADSHEET.fullmatch(text.upper()):
        raise RowError("number", text)
    try:
        return labels.read(text)
    except labels.LabelError as error:
        raise RowError(error.why, error.found) from error


def _position(latitude: str, longitude: str) -> tuple[float | None, float | None]:
    if not latitude and not longitude:
        return None, None
    north, east = _degrees("latitude", latitude, 90), _degrees("longitude", longitude, 180)
    if north is None or east is None:
        raise RowError("half", latitude or longitude)
    if (
        -6 < north < 10 and 41 < east < 52
    ):  # in the sea off Somalia: mainland France with the columns the other way round
        raise RowError("swapped", f"{latitude} {longitude}")
    return north, east


def _degrees(name: str, text: str, limit: float) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        raise RowError(name, text) from None
    if not math.isfinite(value) or abs(value) > limit:
        raise RowError(name, text)
    return value
