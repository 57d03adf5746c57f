"""Numbers, ages and moments as people read them. `static/js/words.js` says the same in the browser."""

import math
import unicodedata
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from api.pages.texts import Texts
from api.units import Written
from store.reading.territory import Tenant

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86400
MONTH_S: Final = 30 * DAY_S
YEAR_S: Final = 365 * DAY_S
PARIS: Final = ZoneInfo("Europe/Paris")
_NO_BREAK_SPACE: Final = "\u00a0"


def sort_key(name: str) -> str:
    """Return what to sort names by, so that an accent or a capital changes nothing: Écreux after Doullens."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalnum())


def zone_of(tenant: Tenant | None) -> ZoneInfo:
    """Return the zone of a tenant; of what is of no tenant, that of Paris."""
    return PARIS if tenant is None else ZoneInfo(tenant.time_zone)


def number(value: float, written: Written, texts: Texts) -> str:
    """Return a number with the decimals of its unit: 1 234,5 in French, 1,234.5 in English."""
    if not math.isfinite(value):
        return "—"
    quantum = Decimal(1).scaleb(-written.decimals_max)
    rounded = Decimal(value).quantize(quantum, ROUND_HALF_UP) + 0  # + 0: no "-0"
    whole, _, decimals = f"{abs(rounded):,f}".partition(".")
    while len(decimals) > written.decimals_min and decimals.endswith("0"):
        decimals = decimals[:-1]
    sign = "-" if rounded < 0 else ""
    said = sign + whole.replace(",", texts("number.thousands"))
    return f"{said}{texts('number.decimal')}{decimals}" if decimals else said


def unit(written: Written, texts: Texts) -> str:
    """Return the unit with the space that goes before it; nothing when there is no unit."""
    if written.symbol == "%":
        return texts("number.percent")
    if written.symbol in {"", "°"}:
        return written.symbol
    return _NO_BREAK_SPACE + written.symbol


def quantity(value: float, written: Written, texts: Texts) -> str:
    """Return a number with its unit."""
    return number(value, written, texts) + unit(written, texts)


def age(seconds: float, texts: Texts) -> str:
    """Return how long ago that is, in the largest unit that fits: "il y a 3 minutes"."""
    if seconds < MINUTE_S:
        return texts("age.now")
    for key, size_s in (("years", YEAR_S), ("months", MONTH_S), ("days", DAY_S), ("hours", HOUR_S)):
        if seconds >= size_s:
            return texts.plural(f"age.{key}", int(seconds // size_s))
    return texts.plural("age.minutes", int(seconds // MINUTE_S))


def lasting(seconds: float, texts: Texts) -> str:
    """Return a duration, rounded to what is worth saying: "4 heures"."""
    if seconds >= 2 * DAY_S:
        return texts.plural("lasting.days", round(seconds / DAY_S))
    if seconds >= 2 * HOUR_S:
        return texts.plural("lasting.hours", round(seconds / HOUR_S))
    return texts.plural("lasting.minutes", max(round(seconds / MINUTE_S), 1))


def moment(at: datetime, zone: ZoneInfo, precision: str, texts: Texts, now: datetime | None = None) -> str:
    """Return a moment in a zone, to the `minute`, the `hour` or the `day`: "sam. 22 nov., 14 h 05".

    Its year is told when it is not that of `now`, if that is given: "sam. 23 nov. 2024, 14 h 05".
    """
    local = at.astimezone(zone)
    is_of_another_year = now is not None and now.astimezone(zone).year != local.year
    return texts(
        f"moment.{precision}",
        weekday=texts("moment.weekdays").split()[local.weekday()],
        day=texts("moment.first") if local.day == 1 else str(local.day),
        month=texts("moment.months").split()[local.month - 1] + (f" {local.year}" if is_of_another_year else ""),
        hour=str(local.hour) if texts.language == "fr" else f"{local.hour:02}",
        minute=f"{local.minute:02}",
    )


def month(day: date, texts: Texts) -> str:
    """Return a month in full: "novembre 2025"."""
    return f"{texts('moment.months_long').split()[day.month - 1]} {day.year}"


def span(first: date, last: date, texts: Texts) -> str:
    """Return days of one month, both included: "du 1er au 21 novembre"."""
    named = texts("moment.months_long").split()[last.month - 1]
    begin, end = (texts("moment.first") if day.day == 1 else str(day.day) for day in (first, last))
    if first == last:
        return texts("moment.one_day", day=end, month=named)
    return texts("moment.span", first=begin, last=end, month=named)


def rounded(value: float, texts: Texts) -> str:
    """Return a number with no more digits than are worth reading: 1 235, 87, 8,6, 0,42."""
    size = abs(value)
    decimals = 0 if size >= 20 else 1 if size >= 1 else 2
    return number(value, Written("", 0, decimals), texts)


def percent(ratio: float, texts: Texts) -> str:
    """Return a change with its sign, in whole per cent: "+12 %"."""
    count = round(ratio * 100)
    sign = "\u2212" if count < 0 else "+" if count > 0 else ""
    return f"{sign}{abs(count)}{texts('number.percent')}"


def town_hall(name: str, texts: Texts) -> str:
    """Return the town hall of a commune: "Mairie d'Abbeville", "Mairie du Crotoy", "Mairie des Authieux"."""
    if texts.language != "fr" or name.casefold().startswith(("mairie", "ville ")):
        return name
    for article, joined in (("Le ", "du "), ("Les ", "des ")):
        if name.startswith(article):
            return f"Mairie {joined}{name.removeprefix(article)}"
    first = unicodedata.normalize("NFKD", name)[:1].casefold()
    return f"Mairie d'{name}" if first in set("aeiouyœ") else f"Mairie de {name}"


def share(part: float, texts: Texts) -> str:
    """Return a part of a whole in per cent: "42 %"."""
    return f"{round(part * 100)}{texts('number.percent')}"


def clock(at: datetime, texts: Texts) -> str:
    """Return an hour of the day: "9 h", "09:00". `at` is local."""
    return texts("moment.clock", hour=str(at.hour) if texts.language == "fr" else f"{at.hour:02}")


def day(at: date, texts: Texts) -> str:
    """Return a day in full: "1er novembre 2025"."""
    return f"{texts('moment.first') if at.day == 1 else at.day} {month(at, texts)}"


# What browsers say of themselves, the most particular first: Edge and Opera also say Chrome, Chrome also Safari.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser(user_agent: str) -> str:
    """Return what somebody signed in with: "Firefox, Windows"; how what is none of them calls itself."""
    told = [next((name for sign, name in known if sign in user_agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(one for one in told if one) or user_agent[:60]
