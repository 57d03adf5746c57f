"""A list of sensors as people keep it in a spreadsheet: which column says what, and what each row says."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from domain import labels
from domain.errors import SamaraError
from domain.uses import USES, Use

FIELDS: Final = (
    "dev_eui", "name", "model_id", "site", "point", "latitude_deg", "longitude_deg", "use", "part_of",
)  # fmt: skip
NEEDED: Final = "dev_eui"
REASON: Final = "motif du refus", "reason of refusal"  # what the file of refused rows says of each
MAX_TEXT: Final = 200
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
    "other": "autre autreequipement",
}
_SAID_BY: Final = {heading: field for field, headings in _HEADINGS.items() for heading in headings.split()}
_BY_SPREADSHEET: Final = re.compile(r"\d([.,]\d+)?E\+\d{1,3}")  # a DevEUI of digits alone, once taken for a number
_KEY: Final = re.compile(r"[0-9A-Fa-f]{32}")


class Row(NamedTuple):
    """What one row says of one sensor. '' and None: not said."""

    dev_eui: str
    name: str = ""
    model_id: str | None = None
    site: str = ""
    point: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    use: Use | None = None
    part_of: str = ""


class RowError(SamaraError):
    """The row cannot be taken: `why` is one word for it, `found` what stands there.

    `why` is one of those of domain.labels.LabelError, or number, model, long, no_site, no_point, latitude,
    longitude, half, swapped, use.
    """

    def __init__(self, why: str, found: str = "") -> None:
        super().__init__(f"{why}: {found[:60]!r}" if found else why)
        self.why = why
        self.found = found[:60]


def plain(text: str) -> str:
    """Return a text by which headings and names of models are compared: without case, accents, spaces and signs."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if one.isalnum() and not unicodedata.combining(one))


def is_key(text: str) -> bool:
    """Say whether a cell is a network key, which is not to be kept."""
    return _KEY.fullmatch(re.sub(r"[-: ]", "", text)) is not None


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
        field: cell.strip() for field, cell in zip(fields, cells, strict=False) if field and cell.strip()
    }
    for field in ("name", "site", "point", "part_of"):
        if len(said[field]) > MAX_TEXT:
            raise RowError("long", said[field])
    dev_eui = _dev_eui(said["dev_eui"])
    model_id = models.get(plain(said["model_id"]))
    if said["model_id"] and model_id is None:
        raise RowError("model", said["model_id"])
    if bool(said["site"]) != bool(said["point"]) or (said["part_of"] and not said["site"]):
        raise RowError("no_point" if said["site"] else "no_site", said["site"] or said["point"] or said["part_of"])
    latitude, longitude = _position(said["latitude_deg"], said["longitude_deg"])
    where = (said["site"], said["point"], latitude, longitude)
    return Row(dev_eui, said["name"], model_id, *where, use_of(said["use"]), said["part_of"])


def use_of(text: str) -> Use | None:
    """Return the use that a text names, in French or as domain/uses.py has it; None for ''. Raises RowError."""
    if not text:
        return None
    found = next((one for one in USES if plain(text) in {plain(one), *_USES[one].split()}), None)
    if found is None:
        raise RowError("use", text)
    return found


def _dev_eui(text: str) -> str:
    if _BY_SPREADSHEET.fullmatch(text.upper()):
        raise RowError("number", text)
    try:
        return labels.read(text).dev_eui
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
