"""What each entity set is: its rows, its properties, and where it leads. `$1` is the tenant in all of them.

A Thing is a point, its Location the site; a Datastream is a quantity and channel of a point, its Sensor the device that
measures it now; an Observation is a measurement. Datastreams are those that were ever heard.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal["number", "text", "time", "place", "truth"]


class Property(NamedTuple):
    """A property that may be filtered by: the SQL of its value, of which `{row}` is the row, and its kind."""

    sql: str
    kind: Kind


class Link(NamedTuple):
    """Where an entity leads: to rows of `target` whose column `theirs` is this row's `ours`."""

    target: str
    ours: str
    theirs: str
    many: bool


class Entities(NamedTuple):
    """An entity set. `rows` selects it; `order` is how its pages are cut; `id_kind` is what an id is."""

    name: str
    one: str
    rows: str
    order: str
    id_kind: Kind
    properties: Mapping[str, Property]
    links: Mapping[str, Link]


_POINTS: Final = "FROM sites JOIN points USING (site_id)"
_MEASURED: Final = f"{_POINTS} JOIN assignments USING (point_id)"

_STREAMS: Final = f"""
SELECT DISTINCT ON (point_id, quantity_id, channel)
       concat_ws('-', point_id, quantity_id, channel) AS id, point_id, quantity_id, channel, site_id, device_id,
       points.name AS point, quantities.name AS quantity, unit, quantities.kind, label_fr, label_en,
       sites.latitude_deg, sites.longitude_deg, during
  {_MEASURED}
  JOIN latest_frames USING (device_id)
 CROSS JOIN unnest(quantity_ids, channels) AS reading (quantity_id, channel)
  JOIN quantities USING (quantity_id)
 WHERE tenant_id = $1
 ORDER BY point_id, quantity_id, channel, upper(during) DESC NULLS FIRST
"""

_OBSERVATION: Final = """
concat_ws('-', point_id, quantity_id, channel, (extract(epoch FROM measured_at) * 1000000)::bigint) AS id,
concat_ws('-', point_id, quantity_id, channel) AS stream_id, site_id, measured_at, received_at, value
"""


def _column(name: str, kind: Kind) -> Property:
    return Property(f"{{row}}.{name}", kind)


def _placed(name: str) -> dict[str, Property]:
    """Return a place as it is filtered by: QGIS asks its GeoJSON for the type, at either depth."""
    known = "CASE WHEN {row}.longitude_deg IS NOT NULL AND {row}.latitude_deg IS NOT NULL THEN 'Point' END"
    return {
        name: Property("point({row}.longitude_deg, {row}.latitude_deg)", "place"),
        f"{name}/type": Property(known, "text"),
        f"{name}/geometry/type": Property("NULL::text", "text"),
    }


_BY_NUMBER: Final = {"id": _column("id", "number")}
_BY_TEXT: Final = {"id": _column("id", "text")}
_NAMED: Final = {"name": _column("name", "text"), "description": _column("description", "text")}

_SITES: Final = """
SELECT site_id AS id, name, kind AS description, latitude_deg, longitude_deg FROM sites WHERE tenant_id = $1
"""

ALL: Final[Mapping[str, Entities]] = {
    one.name: one
    for one in (
        Entities(
            name="Things",
            one="Thing",
            rows="SELECT point_id AS id, points.name, sites.name AS description, site_id"
            f" {_POINTS} WHERE tenant_id = $1",
            order="id",
            id_kind="number",
            properties={**_BY_NUMBER, **_NAMED},
            links={
                "Locations": Link("Locations", "site_id", "id", many=True),
                "HistoricalLocations": Link("HistoricalLocations", "id", "id", many=True),
                "Datastreams": Link("Datastreams", "id", "point_id", many=True),
            },
        ),
        Entities(
            name="Locations",
            one="Location",
            rows=_SITES,
            order="id",
            id_kind="number",
            properties={**_BY_NUMBER, **_NAMED, **_placed("location")},
            links={
                "Things": Link("Things", "id", "site_id", many=True),
                "HistoricalLocations": Link("HistoricalLocations", "id", "site_id", many=True),
            },
        ),
        Entities(
            name="HistoricalLocations",
            one="HistoricalLocation",
            rows="SELECT point_id AS id, site_id, tenants.created_at AS time"
            f" {_POINTS} JOIN tenants USING (tenant_id) WHERE tenant_id = $1",
            order="id",
            id_kind="number",
            properties={**_BY_NUMBER, "time": _column("time", "time")},
            links={
                "Thing": Link("Things", "id", "id", many=False),
                "Locations": Link("Locations", "site_id", "id", many=True),
            },
        ),
        Entities(
            name="Datastreams",
            one="Datastream",
            rows="SELECT id, point_id, quantity_id, device_id, site_id, point || ', ' || label_fr AS name,"
            " label_en AS description, quantity, channel, unit, kind, latitude_deg, longitude_deg"
            f" FROM ({_STREAMS}) AS s",
            order="point_id, quantity_id, channel",
            id_kind="text",
            properties={
                **_BY_TEXT,
                **_NAMED,
                "unitOfMeasurement/symbol": _column("unit", "text"),
                "unitOfMeasurement/name": _column("unit", "text"),
                "properties/quantity": _column("quantity", "text"),
                **_placed("observedArea"),
            },
            links={
                "Thing": Link("Things", "point_id", "id", many=False),
                "Sensor": Link("Sensors", "device_id", "id", many=False),
                "ObservedProperty": Link("ObservedProperties", "quantity_id", "id", many=False),
                "Observations": Link("Observations", "id", "stream_id", many=True),
            },
        ),
        Entities(
            name="Sensors",
            one="Sensor",
            rows="SELECT device_id AS id, dev_eui, coalesce(nullif(devices.name, ''), dev_eui) AS name,"
            " coalesce(models.vendor || ' ' || models.name, '') AS description, coalesce(model_id, '') AS metadata"
            " FROM devices LEFT JOIN models USING (model_id) WHERE tenant_id = $1",
            order="id",
            id_kind="number",
            properties={
                **_BY_NUMBER,
                **_NAMED,
                "metadata": _column("metadata", "text"),
                "properties/devEui": _column("dev_eui", "text"),
            },
            links={"Datastreams": Link("Datastreams", "id", "device_id", many=True)},
        ),
        Entities(
            name="ObservedProperties",
            one="ObservedProperty",
            rows="SELECT DISTINCT quantity_id AS id, quantity AS name, label_fr AS description, unit"
            f" FROM ({_STREAMS}) AS s",
            order="id",
            id_kind="number",
            properties={**_BY_NUMBER, **_NAMED},
            links={"Datastreams": Link("Datastreams", "id", "quantity_id", many=True)},
        ),
        Entities(
            name="FeaturesOfInterest",
            one="FeatureOfInterest",
            rows=_SITES,
            order="id",
            id_kind="number",
            properties={**_BY_NUMBER, **_NAMED, **_placed("feature")},
            links={"Observations": Link("Observations", "id", "site_id", many=True)},
        ),
        Entities(
            name="Observations",
            one="Observation",
            rows=f"SELECT {_OBSERVATION} {_MEASURED}"
            " JOIN measurements ON measurements.device_id = assignments.device_id AND during @> measured_at"
            " WHERE tenant_id = $1",
            order="measured_at, id",
            id_kind="text",
            properties={
                **_BY_TEXT,
                "phenomenonTime": _column("measured_at", "time"),
                "resultTime": _column("received_at", "time"),
                "result": _column("value", "number"),
            },
            links={
                "Datastream": Link("Datastreams", "stream_id", "id", many=False),
                "FeatureOfInterest": Link("FeaturesOfInterest", "site_id", "id", many=False),
            },
        ),
    )
}


def observations_of(point: str, quantity: str, channel: str) -> str:
    """Return the rows of the observations of one datastream, by the parameters that say which.

    They are found by the key of measurements, whatever the number of others.
    """
    return f"""
SELECT {_OBSERVATION}
  {_MEASURED}
 CROSS JOIN LATERAL (SELECT measured_at, received_at, value, quantity_id, channel
                       FROM measurements
                      WHERE measurements.device_id = assignments.device_id
                        AND quantity_id = {quantity}::smallint
                        AND channel = {channel}::smallint
                        AND measured_at >= coalesce(lower(during), '-infinity')
                        AND measured_at < coalesce(upper(during), 'infinity')) AS told
 WHERE tenant_id = $1
   AND point_id = {point}::integer
"""
