"""Whether places were open, from the opening hours that rules use."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from alerting.rules._calendar import Calendar, OpeningHours


def opened(
    hours: Iterable[tuple[int, datetime]], opening: Mapping[int, str], zone: ZoneInfo
) -> dict[tuple[int, datetime], bool]:
    """Return for each (site, hour) whether it was open; sites without opening hours are left out."""
    calendars = {
        site_id: Calendar(OpeningHours.model_validate_json(definition), zone) for site_id, definition in opening.items()
    }
    return {
        (site_id, start): calendars[site_id].at(start.timestamp()).is_open
        for site_id, start in hours
        if site_id in calendars
    }
