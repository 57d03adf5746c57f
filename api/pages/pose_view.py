"""What the pages of a sensor put in service say: the five steps, how far it is, what to try."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from api.pages import words
from api.pages.texts import Texts
from domain.commissioning import FAIR, FRAGILE, GOOD, HEARD, LATE, Progress
from store.reading.installations import Installation, NearSite
from store.reading.territory import Point, Site

STEPS: Final = ("identify", "attach", "position", "wait", "quality")
_KINDS: Final = {GOOD: "good", FAIR: "watch", FRAGILE: "bad"}
_FINE_M: Final = 1000


class Step(NamedTuple):
    """One of the five steps."""

    words: str
    is_done: bool
    is_here: bool


class Told(NamedTuple):
    """How far a sensor is, in words."""

    kind: str  # good, watch, bad, none
    title: str
    lead: str
    is_heard: bool
    is_over: bool  # in service
    expected_at: str  # ISO 8601, '' once heard
    facts: list[tuple[str, str]]
    advice: list[str]


def steps(here: str, texts: Texts) -> list[Step]:
    """Return the five steps, with the one where the reader is."""
    place = STEPS.index(here)
    return [Step(texts(f"pose.step.{name}"), index < place, index == place) for index, name in enumerate(STEPS)]


def eui(dev_eui: str) -> str:
    """Return a DevEUI in four groups, as people compare it with a label."""
    return " ".join(dev_eui[start : start + 4] for start in range(0, 16, 4)).upper()


def told(found: Progress, done: Installation, now: datetime, zone: ZoneInfo, texts: Texts) -> Told:
    """Return how far the sensor of an act is."""
    if found.state != HEARD:
        return _silent(found, done.period_s, now, zone, texts)
    is_over = found.in_service
    return Told(
        _KINDS.get(found.quality, "good"),
        texts("pose.in_service" if is_over else "pose.to_check"),
        texts(f"pose.quality.{found.quality}"),
        is_heard=True,
        is_over=is_over,
        expected_at="",
        facts=_figures(found, zone, texts),
        advice=_advice(found, texts),
    )


def _advice(found: Progress, texts: Texts) -> list[str]:
    return [texts(f"pose.advice.{one}") for one in found.advice]


def _silent(found: Progress, period_s: int | None, now: datetime, zone: ZoneInfo, texts: Texts) -> Told:
    left_s = max((found.expected_at - now).total_seconds(), 0)
    at = words.moment(found.expected_at, zone, "minute", texts)
    is_late = found.state == LATE
    lead = texts("pose.late_lead", at=at) if is_late else texts("pose.wait_lead", at=at)
    period = words.lasting(period_s, texts) if period_s else texts("pose.period_unknown")
    facts = [(texts("pose.fact.period"), period), (texts("pose.fact.joins"), _joins(found, texts))]
    if not is_late:
        facts.insert(0, (texts("pose.fact.left"), words.lasting(left_s, texts)))
    title = texts("pose.late" if is_late else f"pose.{found.state}")
    return Told(
        "watch" if is_late else "none",
        title,
        lead,
        is_heard=False,
        is_over=False,
        expected_at=found.expected_at.isoformat(),
        facts=facts,
        advice=_advice(found, texts),
    )


def _joins(found: Progress, texts: Texts) -> str:
    return texts.plural("pose.joins", found.joins) if found.joins else texts("pose.no_join")


def _figures(found: Progress, zone: ZoneInfo, texts: Texts) -> list[tuple[str, str]]:
    facts = [(texts("pose.fact.antennas"), texts.plural("pose.antennas", found.antennas))]
    if found.margin_db is not None:
        margin = f"{found.margin_db:.0f}"
        facts.append((texts("pose.fact.margin"), texts("pose.margin", margin=margin)))
    if found.spreading_factor is not None:
        facts.append((texts("pose.fact.sf"), f"SF{found.spreading_factor}"))
    if found.rssi_dbm is not None:
        facts.append((texts("pose.fact.rssi"), f"{found.rssi_dbm:.0f} dBm"))
    facts.append((texts("pose.fact.frames"), texts.plural("pose.frames", found.frames)))
    if found.joins:
        facts.append((texts("pose.fact.joins"), _joins(found, texts)))
    if found.heard_at is not None:
        facts.append((texts("pose.fact.heard"), words.moment(found.heard_at, zone, "minute", texts)))
    return facts


def record(done: Installation, by: str, zone: ZoneInfo, texts: Texts) -> list[tuple[str, str]]:
    """Return what the commissioning record says of an act, label and value."""
    place = f"{done.point}, {done.site}" if done.point else texts("pose.stock")
    facts = [
        (texts("pose.fact.device"), eui(done.dev_eui)),
        (texts("pose.fact.name"), done.device),
        (texts("pose.fact.model"), done.model or texts("pose.model_unknown")),
        (texts("pose.fact.tenant"), done.tenant),
        (texts("pose.fact.place"), place),
        (texts("pose.fact.act"), texts(f"pose.act.{done.act}")),
        (texts("pose.fact.done"), words.moment(done.done_at, zone, "minute", texts)),
        (texts("pose.fact.by"), by),
        (texts("pose.fact.former"), eui(done.former_dev_eui) if done.former_dev_eui else ""),
        (texts("pose.fact.former_index"), _index(done.former_index)),
        (texts("pose.fact.new_index"), _index(done.new_index)),
        (texts("pose.fact.position"), position(done.latitude_deg, done.longitude_deg)),
        (texts("pose.fact.note"), done.note),
    ]
    return [(label, value) for label, value in facts if value]


def _index(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def position(latitude_deg: float | None, longitude_deg: float | None) -> str:
    """Return a position as people copy it into a map, '' without one."""
    return "" if latitude_deg is None or longitude_deg is None else f"{latitude_deg:.5f}, {longitude_deg:.5f}"


def distance(metres: float, texts: Texts) -> str:
    """Return how far a place is: "120 m", "1,4 km"."""
    if metres < _FINE_M:
        return f"{round(metres / 10) * 10} m"
    return f"{metres / 1000:.1f} km".replace(".", texts("number.decimal"))


class Choice(NamedTuple):
    """A link to what can be chosen."""

    href: str
    name: str
    detail: str


def near_choices(found: Sequence[NearSite], here: dict[str, str], texts: Texts) -> list[Choice]:
    """Return links to the sites near by."""
    return [
        Choice(
            address(here, tenant=one.slug, site=str(one.site_id)),
            one.name,
            texts("pose.near_detail", tenant=one.tenant, distance=distance(one.distance_m, texts)),
        )
        for one in found
    ]


def site_choices(found: Sequence[Site], here: dict[str, str], texts: Texts) -> list[Choice]:
    """Return links to the sites of a tenant, by name."""
    ordered = sorted(found, key=lambda site: words.sort_key(site.name))
    return [
        Choice(
            address(here, site=str(site.site_id)),
            site.name,
            "" if site.latitude_deg is not None else texts("pose.no_position"),
        )
        for site in ordered
    ]


def point_choices(points: Sequence[Point], texts: Texts) -> list[tuple[str, str]]:
    """Return the points of a site to choose from: a new one, and those that are there, with what measures them."""
    return [
        ("", texts("pose.new_point")),
        *(
            (
                str(point.point_id),
                texts("pose.replaces", point=point.name, dev_eui=eui(point.dev_eui)) if point.dev_eui else point.name,
            )
            for point in points
        ),
    ]


def address(here: dict[str, str], **changes: str) -> str:
    """Return the address of the same page with other parameters."""
    return "?" + urlencode({**here, **changes})
