"""How a site lives: today against usual, hours of occupation and the others, nights, comfort. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from statistics import fmean
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from alerting.rules import DAYS, Calendar, Hours, OpeningHours
from api.pages import use, words
from api.pages.texts import Texts
from api.units import written
from domain.quantities import QUANTITIES
from store.reading.hourly import Hour

WEEKS: Final = 4  # that are usual
COUNTERS: Final = tuple(name for kind in use.KINDS for name in kind.quantities if QUANTITIES[name].kind == "counter")
LEVELS: Final = ("temperature", "humidity", "co2")

_COMFORT_DAYS: Final = 7
_NIGHT: Final = range(1, 5)  # local hours when a building sleeps
_USUAL: Final = 0.15  # a day that differs by less is as usual
_WARM: Final = (19.0, 26.0)  # degC: code de l'énergie R. 241-26 and -30
_HUMID: Final = (30.0, 70.0)  # %
_AIRY: Final = (0.0, 1000.0)  # ppm
_BOUNDS: Final = {"temperature": _WARM, "humidity": _HUMID, "co2": _AIRY}
_MOST_HOURS: Final = 0.9  # of those of a day so far, or it is no usual one
_FEWEST_WEEKS: Final = 2
_WELL: Final = 0.9  # of the occupied hours within bounds
_FAIR: Final = 0.7

_OFFICE: Final = (Hours(opens=time(8), closes=time(18)),)
DEFAULT_HOURS: Final = OpeningHours(weekly=dict.fromkeys(DAYS[:5], _OFFICE))

IsOpen = Callable[[datetime], bool]


class Use(NamedTuple):
    """What one kind of thing tells of the last weeks. Figures are texts with their units, "" for what is not known."""

    title: str
    icon: str
    today: str
    today_words: str
    status: str
    status_words: str
    usual: str  # at the same hour, the same day of the week
    closed_share: str  # of the last four weeks, outside the hours of occupation
    night: str  # an hour, of the last seven nights


class Comfort(NamedTuple):
    """How it was in a room while it was occupied, in the last seven days."""

    point_id: int
    label: str
    quantity: str
    mean: str
    lowest: str
    highest: str
    status: str
    status_words: str


def is_open(definition: str | None, zone: ZoneInfo) -> IsOpen:
    """Return what says whether a site is occupied at a moment: by its opening hours, or those of an office."""
    hours = DEFAULT_HOURS if definition is None else OpeningHours.model_validate_json(definition)
    calendar = Calendar(hours, zone)
    return lambda at: calendar.at(at.timestamp()).is_open


class Around(NamedTuple):
    """What a site's figures are told by: the present, its clock, when it is occupied, and the reader's words."""

    now: datetime
    zone: ZoneInfo
    open_at: IsOpen
    texts: Texts

    def days_ago(self, at: datetime) -> int:
        """Return how many midnights ago a moment was."""
        return (self.now.astimezone(self.zone).date() - at.astimezone(self.zone).date()).days


def uses(hours: Sequence[Hour], around: Around) -> list[Use]:
    """Return what each kind of thing tells, where there is something to tell."""
    found = []
    for kind in use.KINDS:
        own = {one.hour: one.increase for one in hours if one.quantity in kind.quantities and one.increase is not None}
        if own:
            unit = words.unit(written(kind.quantities[0], QUANTITIES[kind.quantities[0]].unit), around.texts)
            found.append(_use(kind, own, unit, around))
    return found


def _use(kind: use.Kind, used: Mapping[datetime, float], unit: str, around: Around) -> Use:
    texts = around.texts
    today, usual = _today(used, around), _usual(used, around)
    status, said = _against(today, usual, texts)
    closed, total = sum(value for at, value in used.items() if not around.open_at(at)), sum(used.values())
    nights = [value for at, value in used.items() if _is_night(at, around)]
    last = max(used).astimezone(around.zone) + timedelta(hours=1)
    return Use(
        title=texts(f"use.{kind.name}"),
        icon=kind.icon,
        today=words.rounded(today, texts) + unit,
        today_words=texts("rhythm.until", hour=words.clock(last, texts)),
        status=status,
        status_words=said,
        usual="" if usual is None else words.rounded(usual, texts) + unit,
        closed_share="" if total <= 0 else words.share(closed / total, texts),
        night="" if not nights else words.rounded(fmean(nights), texts) + unit,
    )


def _today(used: Mapping[datetime, float], around: Around) -> float:
    return sum(value for at, value in used.items() if around.days_ago(at) == 0)


def _usual(used: Mapping[datetime, float], around: Around) -> float | None:
    """Return the mean of the same hours of the same weekday, in the weeks before; None without two of them."""
    until = max((at.astimezone(around.zone).hour for at in used if around.days_ago(at) == 0), default=None)
    if until is None:
        return None
    weeks: dict[int, list[float]] = {}
    for at, value in used.items():
        ago = around.days_ago(at)
        if ago > 0 and ago % 7 == 0 and at.astimezone(around.zone).hour <= until:
            weeks.setdefault(ago, []).append(value)
    whole = [sum(values) for values in weeks.values() if len(values) > until * _MOST_HOURS]
    return fmean(whole) if len(whole) >= _FEWEST_WEEKS else None


def _against(today: float, usual: float | None, texts: Texts) -> tuple[str, str]:
    if usual is None:
        return "none", texts("rhythm.unknown")
    if usual <= 0:
        return ("watch", texts("rhythm.not_nothing")) if today > 0 else ("good", texts("rhythm.usual"))
    ratio = today / usual - 1
    if abs(ratio) < _USUAL:
        return "good", texts("rhythm.usual")
    percent = words.percent(ratio, texts)
    if ratio < 0:
        return "good", texts("rhythm.less", percent=percent)
    return "watch", texts("rhythm.more", percent=percent)


def _is_night(at: datetime, around: Around) -> bool:
    return at.astimezone(around.zone).hour in _NIGHT and around.days_ago(at) < _COMFORT_DAYS


def comfort(hours: Sequence[Hour], labels: Mapping[int, str], around: Around) -> list[Comfort]:
    """Return how it was in each room while it was occupied, in the last seven days. `labels` names the points."""
    occupied: dict[tuple[int, str], list[float]] = {}
    for one in hours:
        known = one.point_id is not None and one.mean is not None
        if known and around.days_ago(one.hour) <= _COMFORT_DAYS and around.open_at(one.hour):
            occupied.setdefault((one.point_id or 0, one.quantity), []).append(one.mean or 0.0)
    found = []
    for (point_id, quantity), levels in sorted(occupied.items(), key=lambda one: (labels[one[0][0]], one[0][1])):
        low, high = _BOUNDS[quantity]
        well = sum(low <= level <= high for level in levels) / len(levels)
        status = "good" if well >= _WELL else "watch" if well >= _FAIR else "bad"
        how = written(quantity, QUANTITIES[quantity].unit)
        mean, lowest, highest = (
            words.quantity(one, how, around.texts) for one in (fmean(levels), min(levels), max(levels))
        )
        found.append(
            Comfort(
                point_id=point_id,
                label=labels[point_id],
                quantity=QUANTITIES[quantity].label_fr
                if around.texts.language == "fr"
                else QUANTITIES[quantity].label_en,
                mean=mean,
                lowest=lowest,
                highest=highest,
                status=status,
                status_words=around.texts(f"comfort.{status}", share=words.share(well, around.texts)),
            )
        )
    return found
