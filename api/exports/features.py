"""GeoJSON (RFC 7946): one feature a measurement, at its site. A site without position has no geometry."""

import json
from collections.abc import Iterator, Sequence

from api.exports.form import Row


class Features:
    """One GeoJSON file."""

    media_type = "application/geo+json"
    suffix = "geojson"

    def __init__(self) -> None:
        self._separator = ""

    def begin(self) -> bytes:
        """Return how a collection begins."""
        return b'{"type":"FeatureCollection","features":['

    def add(self, rows: Sequence[Row]) -> bytes:
        """Return the features."""
        text = ",\n".join(_feature(row) for row in rows)
        separator, self._separator = self._separator, ",\n"
        return f"{separator}{text}".encode() if rows else b""

    def end(self) -> Iterator[bytes]:
        """Yield how it ends."""
        yield b"]}\n"

    def close(self) -> None:
        """Hold nothing."""


def _feature(row: Row) -> str:
    geometry = None
    if row.latitude_deg is not None and row.longitude_deg is not None:
        geometry = {"type": "Point", "coordinates": [row.longitude_deg, row.latitude_deg]}
    properties = {
        "site": row.site,
        "point": row.point,
        "dev_eui": row.dev_eui,
        "quantity": row.quantity,
        "unit": row.unit,
        "channel": row.channel,
        "measured_at": row.measured_at.isoformat().replace("+00:00", "Z"),
        "value": row.value,
    }
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    return json.dumps(feature, ensure_ascii=False, separators=(",", ":"))
