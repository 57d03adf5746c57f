"""The catalogue in DCAT-AP 3 (JSON-LD), as data.gouv.fr harvests it, and the Table Schema of each CSV. Pure.

DCAT-AP: https://semiceu.github.io/DCAT-AP/. Table Schema: https://specs.frictionlessdata.io/table-schema/.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from api.opendata.serving import LICENCE_URL
from domain.quantities import QUANTITIES
from store.open_data import Dataset, Publisher

Node = dict[str, Any]

CONTEXT: Final[Node] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_AUTHORITY: Final = "http://publications.europa.eu/resource/authority"
_THEMES: Final = {"energy": "ENER", "water": "ENVI", "environment": "ENVI"}
_PLACES: Final = {"commune": "commune", "departement": "departement"}  # of INSEE's own identifiers
_FORMATS: Final = {
    "csv": ("CSV", "text/csv"),
    "geojson": ("GEOJSON", "application/geo+json"),
}
_STEPS: Final = {"hour": "PT1H", "day": "P1D"}

# Column, type, and what it says. `point` and `channel` are of datasets by point alone.
_COLUMNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("code_insee", "string", "Code INSEE de la collectivité qui publie"),
    ("collectivite", "string", "Nom de la collectivité qui publie"),
    ("site", "string", "Lieu de la mesure"),
    ("point", "string", "Point de mesure ; vide pour un site entier"),
    ("latitude", "number", "Latitude du site, degrés, WGS 84"),
    ("longitude", "number", "Longitude du site, degrés, WGS 84"),
    ("grandeur", "string", "Grandeur mesurée"),
    ("unite", "string", "Unité, code UCUM"),
    ("voie", "integer", "Voie du capteur ; vide pour un site entier"),
    ("debut", "datetime", "Début de l'intervalle, UTC"),
    ("mesures", "integer", "Nombre de mesures"),
    ("minimum", "number", "Minimum de l'intervalle"),
    ("moyenne", "number", "Moyenne de l'intervalle"),
    ("maximum", "number", "Maximum de l'intervalle"),
    ("consommation", "number", "Accroissement de l'index pendant l'intervalle"),
    ("licence", "string", "Licence Ouverte 2.0 (etalab-2.0)"),
)
COLUMNS: Final = tuple(name for name, _, _ in _COLUMNS)
_NEEDED: Final = frozenset({"collectivite", "site", "grandeur", "unite", "debut", "mesures", "licence"})


def catalogue(datasets: Sequence[Dataset], root: str) -> Node:
    """Return the catalogue of all datasets that are published. `root` is the address of open data."""
    return {
        "@context": CONTEXT,
        "@id": f"{root}/catalogue.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": _fr("Données ouvertes des collectivités"),
        "dct:description": _fr("Mesures de capteurs publiées par les collectivités qui l'ont choisi."),
        "dct:language": {"@id": f"{_AUTHORITY}/language/FRA"},
        "dct:license": {"@id": LICENCE_URL},
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": "Samara"},
        "dcat:dataset": [dataset(one, root) for one in datasets],
    }


def dataset(one: Dataset, root: str) -> Node:
    """Return one dataset that is published, with its files."""
    assert one.publisher is not None, "what is published has a publisher"
    assert one.published_to is not None, "what is published has an end"
    base = f"{root}/{one.publisher.slug}/{one.name}"
    themes = sorted({_THEMES[QUANTITIES[name].domain] for name in one.quantities if QUANTITIES[name].domain in _THEMES})
    said: Node = {
        "@id": base,
        "@type": "dcat:Dataset",
        "dct:identifier": f"{one.publisher.slug}/{one.name}",
        "dct:title": _fr(one.title),
        "dct:description": _fr(one.description),
        "dct:publisher": _publisher(one.publisher),
        "dct:license": {"@id": LICENCE_URL},
        "dct:issued": _moment(one.since),
        "dct:modified": _moment(one.updated_at or one.published_to),
        "dct:language": {"@id": f"{_AUTHORITY}/language/FRA"},
        "dct:accrualPeriodicity": {"@id": f"{_AUTHORITY}/frequency/DAILY"},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _moment(one.since),
            "dcat:endDate": _moment(one.published_to),
        },
        "dcat:temporalResolution": {"@type": "xsd:duration", "@value": _STEPS[one.every]},
        "dcat:theme": [{"@id": f"{_AUTHORITY}/data-theme/{name}"} for name in themes],
        "dcat:keyword": [_fr(QUANTITIES[name].label_fr) for name in one.quantities],
        "dcat:contactPoint": {"@type": "vcard:Organization", "vcard:fn": one.publisher.name},
        "dcat:distribution": [_distribution(base, form) for form in _FORMATS],
    }
    if one.publisher.insee is not None:
        said["dct:spatial"] = _place(one.publisher)
    return said


def _publisher(one: Publisher) -> Node:
    said: Node = {"@type": "foaf:Organization", "foaf:name": one.name}
    identifier = one.siren or one.insee
    return said if identifier is None else {**said, "dct:identifier": identifier}


def _place(one: Publisher) -> Node:
    kind = _PLACES.get(one.kind)
    named = {"@type": "dct:Location", "dct:identifier": one.insee, "dct:title": one.name}
    return named if kind is None else {"@id": f"http://id.insee.fr/geo/{kind}/{one.insee}", **named}


def _distribution(base: str, form: str) -> Node:
    name, media = _FORMATS[form]
    said: Node = {
        "@id": f"{base}.{form}",
        "@type": "dcat:Distribution",
        "dct:title": _fr(name),
        "dcat:accessURL": {"@id": f"{base}.{form}"},
        "dcat:downloadURL": {"@id": f"{base}.{form}"},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{media}"},
        "dct:format": {"@id": f"{_AUTHORITY}/file-type/{name}"},
        "dct:license": {"@id": LICENCE_URL},
    }
    return {**said, "dct:conformsTo": {"@id": f"{base}.schema.json"}} if form == "csv" else said


def _fr(text: str) -> Node:
    return {"@language": "fr", "@value": text}


def _moment(at: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": at.isoformat().replace("+00:00", "Z")}


def table_schema(one: Dataset, root: str) -> Node:
    """Return the Table Schema of a dataset's CSV."""
    assert one.publisher is not None, "what is published has a publisher"
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "name": one.name,
        "title": one.title,
        "description": one.description,
        "homepage": f"{root}/{one.publisher.slug}/{one.name}.csv",
        "licenses": [{"name": "etalab-2.0", "title": "Licence Ouverte 2.0", "path": LICENCE_URL}],
        "fields": [
            {
                "name": name,
                "type": kind,
                "title": title,
                **({"format": "any"} if kind == "datetime" else {}),
                "constraints": {"required": name in _NEEDED},
            }
            for name, kind, title in _COLUMNS
        ],
        "missingValues": [""],
    }
