"""Lists of devices as people keep them: CSV from a spreadsheet, or one JSON object a line.

Columns: dev_eui, tenant (its slug), and as wanted name, model, site, site_kind (school, town_hall, …), point, latitude,
longitude, parameters (what its decoder needs to know of it: `pulse_weight=10 pulse_unit=L`), use (what it meters for:
heating, lighting, …, domain/uses.py), part_of (the point of the same site that counts it as well).
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from deploy.parameters import parameters_in
from domain import sensor_list
from domain.errors import ConfigurationError, MessageError
from domain.identifiers import dev_eui
from domain.sensor_list import use_of
from domain.uses import Use

COLUMNS: Final = (
    "dev_eui",
    "tenant",
    "name",
    "model",
    "site",
    "site_kind",
    "point",
    "latitude",
    "longitude",
    "parameters",
    "use",
    "part_of",
)
_SEPARATORS_IN_EUI: Final = str.maketrans("", "", " -:.")


class Listed(NamedTuple):
    """One device as listed. `line` is where; empty text is what was not said; degrees are WGS 84."""

    line: int
    dev_eui: str
    tenant: str
    name: str = ""
    model: str = ""
    site: str = ""
    point: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    parameters: Mapping[str, str] = {}
    site_kind: str = ""
    use: Use | None = None
    part_of: str = ""


class RowError(NamedTuple):
    """A line that cannot be used, and why."""

    line: int
    reason: str


def read(content: bytes, tenant: str = "") -> Iterator[Listed | RowError]:
    """Yield each device of a list, or why its line cannot be used. `tenant` is for lines that name none.

    The form is told by the first character. CSV may be separated by commas, semicolons or tabulations, in UTF-8 or
    in Windows-1252, with decimal commas: what spreadsheets in French write. Raises ConfigurationError when a needed
    column is missing.
    """
    text = _text(content)
    rows = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)
    seen: dict[str, int] = {}
    for line, row in rows:
        listed = row if isinstance(row, RowError) else _listed(line, row, tenant)
        if isinstance(listed, Listed):
            first = seen.setdefault(listed.dev_eui, line)
            if first != line:
                listed = RowError(line, f"DevEUI {listed.dev_eui} is already on line {first}")
        yield listed


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, str] | RowError]]:
    for line, written in enumerate(text.splitlines(), start=1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield line, {str(key): _cell(value) for key, value in row.items()}
        else:
            yield line, RowError(line, "not a JSON object")


def _cell(value: object) -> str:
    """Return a JSON value as a spreadsheet would hold it; an object, as `name=value` words."""
    if isinstance(value, dict):
        return " ".join(f"{name}={one}" for name, one in value.items())
    return "" if value is None else str(value)


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [_column(name) for name in next(reader, [])]
    if "dev_eui" not in names:
        raise ConfigurationError(f"no column dev_eui in the first line; columns are {', '.join(COLUMNS)}")
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, dict(zip(names, cells, strict=False))


def _column(heading: str) -> str:
    name = "_".join(heading.strip().lower().replace("-", " ").replace("_", " ").split())
    return {"deveui": "dev_eui", "lat": "latitude", "lon": "longitude", "lng": "longitude"}.get(name, name)


def _listed(line: int, row: Mapping[str, str], tenant: str) -> Listed | RowError:
    cells = {name: row.get(name, "").strip() for name in COLUMNS}
    try:
        latitude, longitude = _degrees(cells["latitude"], 90), _degrees(cells["longitude"], 180)
        found = Listed(
            line=line,
            dev_eui=dev_eui(cells["dev_eui"].translate(_SEPARATORS_IN_EUI)),
            tenant=cells["tenant"] or tenant,
            name=cells["name"],
            model=cells["model"],
            site=cells["site"],
            site_kind=cells["site_kind"],
            point=cells["point"],
            latitude_deg=latitude,
            longitude_deg=longitude,
            parameters=parameters_in(cells["parameters"].split()),
            use=use_of(cells["use"]),
            part_of=cells["part_of"],
        )
    except MessageError:
        return RowError(line, f"DevEUI {cells['dev_eui']!r} is not 16 hexadecimal digits")
    except (ValueError, ConfigurationError, sensor_list.RowError) as error:
        return RowError(line, str(error))
    wrong = _contradiction(found, cells.values())
    return RowError(line, wrong) if wrong else found


def _contradiction(found: Listed, cells: Iterable[str]) -> str:
    """Return what is wrong with the line as a whole, '' when nothing is."""
    if any("\0" in cell for cell in cells):
        return "a NUL character"
    if not found.tenant:
        return "no tenant"
    if (found.latitude_deg is None) != (found.longitude_deg is None):
        return "latitude and longitude go together"
    if found.point and not found.site:
        return f"the point {found.point!r} has no site"
    if not found.point and (found.site or found.part_of):
        return f"the site {found.site!r} has no point: what is measured there?"
    return ""


def _degrees(text: str, limit: float) -> float | None:
    """Return degrees; None when nothing is written. Raises ValueError."""
    if not text:
        return None
    try:
        degrees = float(text.replace(",", "."))
    except ValueError:
        degrees = limit + 1
    if not -limit <= degrees <= limit:
        raise ValueError(f"{text!r} is not degrees between -{limit:g} and {limit:g}")
    return degrees
