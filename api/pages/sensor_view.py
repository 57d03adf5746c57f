"""One device as supervisors read it: the diagnosis in words, its days, its frames with the gaps between. Pure."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from api.pages import network_words, words
from api.pages.history_view import History, history
from api.pages.network_words import NONE, Cell
from api.pages.texts import Texts
from domain.diagnosis import BATTERY, DECODER, FINE, GATEWAY, NEVER, RADIO, SENSOR, Diagnosis, Facts, Reason
from domain.events import JOIN, STATUS
from store.supervision.sensors import Day, Frame, HeardBy, Sensor, Told

KINDS: Final = {
    FINE: "good", NEVER: "none", GATEWAY: "bad", BATTERY: "watch", RADIO: "bad", SENSOR: "bad", DECODER: "watch",
}  # fmt: skip
_COUNTED: Final = {"joins", "gateways_away", "gateways_there", "resets", "battery_days"}
_DECIBELS: Final = {"weak_margin", "good_margin", "stuck"}
_PERCENT: Final = {"lost", "undecoded"}
_GAP_MOST: Final = 16_384  # LoRaWAN 1.0.4, MAX_FCNT_GAP


def facts(sensor: Sensor, away: int, joins: int, now: datetime) -> Facts:
    """Return what the diagnosis is made of; `away` of the gateways that hear the device say nothing now."""
    return Facts(
        now,
        sensor.last_seen_at,
        max(sensor.learned_period_s or 0, sensor.set_period_s or 0) or sensor.model_period_s,
        heard=sensor.heard,
        lost=sensor.lost,
        resets=sensor.resets,
        undecoded=sensor.undecoded,
        sf12=sensor.sf12,
        margin_db=sensor.margin_db,
        gateways=len(sensor.gateway_ids),
        gateways_away=away,
        battery_days=None if sensor.battery_end_on is None else (sensor.battery_end_on - now.date()).days,
        joins=joins,
    )


def verdict(found: Diagnosis, texts: Texts) -> dict[str, object]:
    """Return a diagnosis: its kind, its words, its reasons and its remarks."""
    return {
        "kind": KINDS[found.verdict],
        "words": texts(f"net.verdict.{found.verdict}"),
        "advice": texts(f"net.advice.{found.verdict}"),
        "reasons": [reason(one, texts) for one in found.reasons],
        "remarks": [reason(one, texts) for one in found.remarks],
    }


def reason(one: Reason, texts: Texts) -> str:
    """Return a reason in words."""
    key = f"net.why.{one.name}"
    if one.value is None:
        return texts(key)
    if one.name == "silent_hours":
        return texts(key, lasting=words.lasting(one.value * 3600, texts))
    if one.name in _COUNTED:
        return texts.plural(key, round(one.value))
    if one.name in _DECIBELS:
        return texts(key, margin=network_words.decibels(one.value, texts))
    assert one.name in _PERCENT, f"{one.name}: nothing says how to write its value"
    return texts(key, share=network_words.share(one.value, 100, texts))


def figures(sensor: Sensor, now: datetime, texts: Texts) -> list[tuple[str, str]]:
    """Return what is known of a device, each with its name."""
    model = f"{sensor.vendor} {sensor.model}" if sensor.model else texts("net.no_model")
    return [
        (texts("net.eui_name"), sensor.dev_eui),
        (texts("net.commune"), sensor.tenant),
        (texts("net.place"), f"{sensor.site} · {sensor.point}" if sensor.point else texts("net.no_place")),
        (texts("net.model"), model),
        (texts("net.seen"), network_words.ago(sensor.last_seen_at, now, texts)),
        (texts("net.period_learned"), _period(sensor.learned_period_s, texts)),
        (texts("net.period_model"), _period(sensor.model_period_s, texts)),
        (texts("net.lost_share"), network_words.share(sensor.lost, sensor.heard + sensor.lost, texts)),
        (texts("net.margin"), network_words.decibels(sensor.margin_db, texts)),
        (texts("net.battery"), network_words.battery(sensor.battery_kind, sensor.battery, texts)),
        (texts("net.battery_end"), _end(sensor.battery_end_on, now.date(), texts)),
    ]


def _period(period_s: int | None, texts: Texts) -> str:
    return NONE if period_s is None else words.lasting(period_s, texts)


def _end(end_on: date | None, today: date, texts: Texts) -> str:
    if end_on is None:
        return NONE
    return f"{network_words.day(end_on, texts)} ({network_words.dated(end_on, today, texts)})"


def days(found: Sequence[Day], texts: Texts) -> list[tuple[str, ...]]:
    """Return the table of a device's days."""
    return [
        (
            network_words.day(one.day, texts),
            network_words.count(one.frames, texts),
            network_words.count(max(one.lost, 0), texts),
            network_words.share(one.frames, one.frames + max(one.lost, 0), texts),
            network_words.count(one.undecoded, texts),
            _factors(one),
            network_words.share(one.sf12, one.frames, texts),
            network_words.power(one.rssi_dbm, texts),
            network_words.decibels(one.snr_db, texts),
            network_words.count(one.resets, texts),
        )
        for one in found
    ]


def levels(found: Sequence[Day], texts: Texts) -> History | None:
    """Return the power at which a device was heard best each day, drawn."""
    values = {one.day: one.rssi_dbm for one in found if one.rssi_dbm is not None}
    series = (("rssi", texts("net.rssi"), values),)
    return history(series, 10.0, lambda value: network_words.power(value, texts), texts)


def factors(found: Sequence[Day], texts: Texts) -> History | None:
    """Return the highest spreading factor of each day, drawn."""
    values = {one.day: float(one.highest_factor) for one in found if one.highest_factor}
    series = (("factor", texts("net.highest_factor"), values),)
    return history(series, 1.0, lambda value: f"SF{value:.0f}", texts)


def _factors(one: Day) -> str:
    if not one.lowest_factor or not one.highest_factor:
        return NONE
    if one.lowest_factor == one.highest_factor:
        return f"SF{one.lowest_factor}"
    return f"SF{one.lowest_factor}-{one.highest_factor}"


def gateways(found: Sequence[HeardBy], texts: Texts) -> list[list[Cell]]:
    """Return the table of the gateways that hear a device. Who may not know them reads numbers."""
    rows: list[list[Cell]] = []
    for place, one in enumerate(found, start=1):
        name = one.name or one.gateway_eui
        known: Cell = texts("net.an_antenna", n=place)
        if name is not None and one.gateway_eui is not None:
            known = {"text": name, "href": f"/reseau/antennes/{quote(one.gateway_eui, safe='')}"}
        rows.append(
            [
                known,
                network_words.count(one.frames, texts),
                network_words.count(one.alone, texts),
                network_words.power(one.rssi_dbm, texts),
                network_words.decibels(one.snr_db, texts),
                network_words.decibels(one.margin_db, texts),
            ]
        )
    return rows


def gaps(counters: Sequence[tuple[str, int]]) -> list[int | None]:
    """Return, for each (DevAddr, FCnt) from the newest on, how many frames were lost just before it.

    None: the session or the counter began again there, or nothing older is known.
    """
    found: list[int | None] = []
    for place, (dev_addr, f_cnt) in enumerate(counters):
        older = counters[place + 1] if place + 1 < len(counters) else None
        if older is None or older[0] != dev_addr or not 0 <= f_cnt - older[1] <= _GAP_MOST:
            found.append(None)
        else:
            found.append(max(f_cnt - older[1] - 1, 0))
    return found


def frames(found: Sequence[Frame], zone: ZoneInfo, texts: Texts) -> list[tuple[str, ...]]:
    """Return the table of frames, the newest first; the payload is said to who may read it."""
    lost = gaps([(one.dev_addr, one.f_cnt) for one in found])
    return [
        (
            words.moment(one.received_at, zone, "minute", texts),
            str(one.f_cnt) if not gap else texts.plural("net.after_gap", gap, f_cnt=one.f_cnt),
            f"SF{one.spreading_factor}" if one.spreading_factor else NONE,
            texts("net.yes") if one.adr else texts("net.no"),
            str(one.gateways),
            one.best or NONE,
            network_words.power(one.rssi_dbm, texts),
            network_words.decibels(one.snr_db, texts),
            texts(f"net.outcome.{one.outcome}"),
            NONE if one.payload is None else (one.payload.hex() or NONE),
        )
        for one, gap in zip(found, lost, strict=True)
    ]


def events(found: Sequence[Told], zone: ZoneInfo, texts: Texts) -> list[tuple[str, str]]:
    """Return joins, statuses and complaints in words."""
    return [(words.moment(one.received_at, zone, "minute", texts), _event(one, texts)) for one in found]


def _event(one: Told, texts: Texts) -> str:
    data = json.loads(one.data)
    if one.kind == JOIN:
        return texts("net.event.join" if data.get("accepted", True) else "net.event.join_refused")
    if one.kind == STATUS:
        level = data.get("battery_level_percent")
        said = NONE if level is None else network_words.battery("level", float(level), texts)
        return texts("net.event.status", margin=str(data.get("margin_db", NONE)), battery=said)
    return texts("net.event.log", code=str(data.get("code", "")), words=str(data.get("description", "")))
