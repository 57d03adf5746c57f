"""An entity as SensorThings writes it, from a row. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from store.sensorthings.entities import ALL, Entities

Row = Mapping[str, Any]

_GEOJSON: Final = "application/geo+json"
_MEASUREMENT: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
_UCUM: Final = "http://www.opengis.net/def/uom/UCUM/"
_QUANTITY: Final = "urn:samara:quantity:"


def members(entities: Entities, row: Row) -> dict[str, Any]:
    """Return the properties of an entity, without its links."""
    return _MEMBERS[entities.name](row)


def self_link(base: str, entities: Entities, row: Row) -> str:
    """Return the address of an entity."""
    key = str(row["id"]) if entities.id_kind == "number" else f"'{row['id']}'"
    return f"{base}/{entities.name}({key})"


def linked(base: str, entities: Entities, row: Row) -> dict[str, Any]:
    """Return an entity whole: its id, its address, its properties, and the addresses that it leads to."""
    own = self_link(base, entities, row)
    leading = {f"{name}@iot.navigationLink": f"{own}/{name}" for name in entities.links}
    return {"@iot.id": row["id"], "@iot.selfLink": own, **members(entities, row), **leading}


def moment(at: datetime) -> str:
    """Return a time as the standard writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place(row: Row) -> dict[str, Any] | None:
    if row["longitude_deg"] is None or row["latitude_deg"] is None:
        return None
    return {"type": "Point", "coordinates": [row["longitude_deg"], row["latitude_deg"]]}


def _named(row: Row) -> dict[str, Any]:
    return {"name": row["name"], "description": row["description"]}


def _datastream(row: Row) -> dict[str, Any]:
    unit = {"name": row["unit"], "symbol": row["unit"], "definition": _UCUM + quote(row["unit"], safe="")}
    return {
        **_named(row),
        "observationType": _MEASUREMENT,
        "unitOfMeasurement": unit,
        "observedArea": _place(row),
        "phenomenonTime": None if row["first_at"] is None else f"{moment(row['first_at'])}/{moment(row['last_at'])}",
        "properties": {"quantity": row["quantity"], "channel": row["channel"], "kind": row["kind"]},
    }


def _observation(row: Row) -> dict[str, Any]:
    return {
        "phenomenonTime": moment(row["measured_at"]),
        "resultTime": moment(row["received_at"]),
        "result": row["value"],
    }


_MEMBERS: Final[Mapping[str, Callable[[Row], dict[str, Any]]]] = {
    "Things": _named,
    "Locations": lambda row: {**_named(row), "encodingType": _GEOJSON, "location": _place(row)},
    "HistoricalLocations": lambda row: {"time": moment(row["time"])},
    "Datastreams": _datastream,
    "Sensors": lambda row: {
        **_named(row),
        "encodingType": "text/html",
        "metadata": row["metadata"],
        "properties": {"devEui": row["dev_eui"]},
    },
    "ObservedProperties": lambda row: {**_named(row), "definition": _QUANTITY + quote(row["name"], safe=":")},
    "FeaturesOfInterest": lambda row: {**_named(row), "encodingType": _GEOJSON, "feature": _place(row)},
    "Observations": _observation,
}
assert _MEMBERS.keys() == ALL.keys()
