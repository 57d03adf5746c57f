"""Says a load in which things go wrong: who is in which session, and what is yet to be said.

What devices send comes from a clock (each every `period_s`), or from a radio run: then what gateways received is said,
as they heard it, and the same faults befall it.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush
from pathlib import Path
from typing import Final, NamedTuple

from simulators.load import faults as wrong
from simulators.load import heard
from simulators.load.formats import Encoder, OnAir, Sent
from simulators.load.frames import TABLE, Kind, kind, rows_a_period
from simulators.load.ledger import UNKNOWN_READINGS, Entry, Fault, Obligation, payload_digest
from simulators.load.spec import LoadSpec

_BURST_S: Final = 1.0  # how long, in real time, a reconnected gateway takes to say what it kept
_STORM_S: Final = 5.0  # and how long devices take to join
_ROW_S: Final = 86_400.0 / TABLE
_ANOTHER_GATEWAY_MS: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Said(NamedTuple):
    """A message at its simulated time, ordered by it; `order` keeps the order of those of one time."""

    time_s: float
    order: int
    topic: str
    payload: bytes
    entry: Entry | None


class _Uplink(NamedTuple):
    """What a device has to say: its `number`-th uplink, of FCnt `f_cnt` if nothing happened to its counter."""

    time_s: float
    device: int
    number: int
    f_cnt: int
    air: OnAir | None = None
    is_join: bool = False


def first_dev_addr(device: int, session: int = 0) -> int:
    """Return a DevAddr of NetID 000000 (seven zero bits), another one in each session."""
    return (device * 0x9E3779B1 + session * 0x85EBCA6B + 1) & 0x01FF_FFFF


def start_ms(spec: LoadSpec) -> int:
    """Return the simulated start in milliseconds since 1970."""
    return round((spec.start_at - _EPOCH).total_seconds() * 1000)


def _by_clock(spec: LoadSpec) -> Iterator[_Uplink]:
    step = spec.period_s / spec.devices
    for number in range(spec.uplinks_per_device):
        for device in range(spec.devices):
            yield _Uplink(number * spec.period_s + device * step, device, number, number)


def _by_radio(spec: LoadSpec) -> Iterator[_Uplink]:
    """Yield what the gateways of a radio run received, without the repetitions that a network server keeps."""
    last, numbers = [-1] * spec.devices, [0] * spec.devices
    for time_s, device, is_join, f_cnt, air in heard.frames(Path(spec.radio)):
        if is_join or f_cnt != last[device]:
            yield _Uplink(time_s, device, numbers[device], f_cnt, air, is_join)
            numbers[device] += 1
            last[device] = -1 if is_join else f_cnt


class Territory:
    """The devices and gateways of a load, from its start on."""

    def __init__(self, spec: LoadSpec, encode: Encoder) -> None:
        self._spec, self._encode = spec, encode
        models = heard.models(spec) if spec.radio else spec.models
        tables = {model: kind(model, spec.seed, spec.start_at) for model in sorted(set(models))}
        self._kinds = [tables[model] for model in models]
        self._begin = start_ms(spec)
        self._fates = [wrong.fate(spec, device) for device in range(spec.devices)]
        self._sessions = [0] * spec.devices
        self._rejoined = [False] * spec.devices
        self._f_cnt_from = [one.first_f_cnt for one in self._fates]  # what is added to an uplink's own
        self._next = [0] * spec.devices  # the FCnt of a device's next uplink, before that
        self._lottery = wrong.Lottery(spec.faults)
        self._stride = rows_a_period(spec.period_s)
        self._haste = 1 / spec.pace if spec.pace else 1.0  # simulated seconds in a real one
        self._waiting: list[Said] = []
        self._order = 0

    def messages(self) -> Iterator[Said]:
        """Yield every message by time."""
        spec = self._spec
        planned = sorted(self._planned(), key=lambda one: one[0])
        for uplink in _by_radio(spec) if spec.radio else _by_clock(spec):
            while planned and planned[0][0] <= uplink.time_s:
                planned.pop(0)[1]()
            if uplink.is_join:
                self._joins(uplink)
            else:
                self._uplink(uplink)
            while self._waiting and self._waiting[0].time_s <= uplink.time_s - spec.jitter_s:
                yield heappop(self._waiting)
        while self._waiting:
            yield heappop(self._waiting)

    def _planned(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """Yield what happens at set times: storms of joins, gateways' connections and statistics."""
        for index, storm in enumerate(self._spec.faults.rejoin_storms):

            def rejoin(index: int = index, at_s: float = storm.at_s) -> None:
                self._storm(index, at_s)

            yield storm.at_s, rejoin
        if self._spec.stats_every_s:
            yield 0.0, self._connected(0.0, 1.0, online=True)
        for outage in self._spec.faults.outages:
            yield outage.start_s, self._connected(outage.start_s, outage.share, online=False)
            yield outage.end_s, self._connected(outage.end_s, outage.share, online=True)
        every_s = self._spec.stats_every_s
        for turn in range(int(self._spec.duration_s / every_s) if every_s else 0):

            def count(at_s: float = (turn + 1) * every_s) -> None:
                self._statistics(at_s)

            yield (turn + 1) * every_s, count

    def _connected(self, at_s: float, share: float, *, online: bool) -> Callable[[], None]:
        def tell() -> None:
            self._connection(at_s, share, online=online)

        return tell

    def _kind(self, device: int) -> Kind:
        return self._kinds[device % len(self._kinds)]

    def _say(self, time_s: float, said: tuple[str, bytes] | None, entry: Entry | None) -> None:
        if said is not None:
            self._order += 1
            heappush(self._waiting, Said(time_s, self._order, *said, entry))

    def _storm(self, index: int, at_s: float) -> None:
        """Join a share of the devices again, each from its next uplink on."""
        spec = self._spec
        for device in range(spec.devices):
            if wrong.share(spec.seed, device, index, 7) >= spec.faults.rejoin_storms[index].share:
                continue
            self._sessions[device] += 1
            self._rejoined[device] = True
            self._f_cnt_from[device] = -self._next[device]
            moment_s = at_s + _STORM_S * self._haste * wrong.share(spec.seed, device, index, 8)
            self._join(device, self._next[device], moment_s)

    def _joins(self, heard_join: _Uplink) -> None:
        """Begin the session that a radio run's device asked for."""
        device = heard_join.device
        self._sessions[device] += 1
        self._f_cnt_from[device] = self._next[device] = 0
        self._join(device, heard_join.number, heard_join.time_s)

    def _join(self, device: int, number: int, time_s: float) -> None:
        """Say that a device joined, with the DevAddr of the uplinks that follow."""
        self._say(time_s, self._encode.join(self._event(device, number, time_s), self._kind(device)), None)

    def _event(self, device: int, number: int, time_s: float) -> Sent:
        """Return what is said of a device, not by it: under an id that is no uplink's."""
        return self._sent(device, number, self._begin + int(time_s * 1000), 0, b"")._replace(variant=number)

    def _connection(self, at_s: float, share: float, *, online: bool) -> None:
        """Say that a share of the gateways is connected, or no more."""
        for gateway in range(round(share * self._spec.gateways)):
            said = self._encode.connection(gateway, self._begin + int(at_s * 1000), online=online)
            self._say(at_s, said, None)

    def _statistics(self, at_s: float) -> None:
        frames = round(self._spec.uplinks / self._spec.duration_s * self._spec.stats_every_s / self._spec.gateways)
        for gateway in range(self._spec.gateways):
            self._say(at_s, self._encode.stats(gateway, self._begin + int(at_s * 1000), frames), None)

    def _sent(  # noqa: PLR0917
        self, device: int, number: int, received_ms: int, f_cnt: int, payload: bytes, air: OnAir | None = None
    ) -> Sent:
        dev_addr = first_dev_addr(device, self._sessions[device])
        return Sent(device, number, 0, dev_addr, f_cnt, received_ms, payload, air=air)

    def _uplink(self, uplink: _Uplink) -> None:
        """Say one uplink, and whatever its fault makes of it."""
        spec, (time_s, device, number, _, air, _) = self._spec, uplink
        fate, one = self._fates[device], self._kind(device)
        if 0 <= fate.dies_at <= number:
            return
        if number == 0 and spec.first_join:
            self._join(device, number, time_s)
        if number == fate.resets_at:
            self._f_cnt_from[device] = -uplink.f_cnt
            self._say(time_s, self._encode.log(self._event(device, number, time_s), one), None)
        self._next[device] = uplink.f_cnt + 1
        jitter_s = spec.jitter_s * (2 * wrong.share(spec.seed, device, number, 9) - 1) if spec.jitter_s else 0.0
        time_s = max(0.0, time_s + jitter_s)
        chance = wrong.bits(spec.seed, device, number)
        fault = self._lottery.draw(chance / 2.0**64)
        row = int(time_s / _ROW_S if spec.radio else number * self._stride)
        payload, _ = one.frame(device, (device * 97 + row) % TABLE, time_s)
        if fault is Fault.PAYLOAD_TRUNCATED:
            payload = wrong.truncated(payload, chance)
        elif fault is Fault.PAYLOAD_FLIPPED:
            payload = wrong.flipped(payload, chance)
        received_ms = self._begin + int(time_s * 1000) + fate.drift_ms
        sent = self._sent(device, number, received_ms, self._f_cnt_from[device] + uplink.f_cnt, payload, air)
        published_s = self._heard_at(device, time_s)
        if fault is Fault.REORDERED:
            published_s += spec.faults.delay_s * wrong.share(spec.seed, device, number, 10)
        entry = _entry(sent, one, fault or self._standing(device, number, published_s > time_s))
        said = self._encode.uplink(sent, one)
        self._say(published_s, said, entry)
        if fault in _AGAIN:
            self._again(sent, one, entry, said, published_s)

    def _standing(self, device: int, number: int, delayed: bool) -> Fault:  # noqa: FBT001 - one private caller
        """Return what befalls a device's messages at large; a dead device's last one tells of its death."""
        if number == self._fates[device].dies_at - 1:
            return Fault.DEATH
        if delayed:
            return Fault.OUTAGE
        return Fault.REJOINED if self._rejoined[device] else self._fates[device].fault

    def _heard_at(self, device: int, time_s: float) -> float:
        """Return when a message sent now is published: after the outage that its gateway is in."""
        for index, outage in enumerate(self._spec.faults.outages):
            cut_off = wrong.share(self._spec.seed, device, index, 11) < outage.share
            if cut_off and outage.start_s <= time_s < outage.end_s:
                done = (time_s - outage.start_s) / (outage.end_s - outage.start_s)
                return outage.end_s + _BURST_S * self._haste * done
        return time_s

    def _again(self, sent: Sent, one: Kind, entry: Entry, said: tuple[str, bytes], published_s: float) -> None:
        """Say the same frame a second time, in the way of its fault."""
        spec, fault = self._spec, entry.fault
        chance = wrong.bits(spec.seed, sent.device, sent.number, 12)
        later_s = spec.faults.delay_s * chance / 2.0**64
        if fault is Fault.REDELIVERED:
            self._say(published_s, said, entry)
        elif fault is Fault.DUPLICATE:
            self._say(published_s + later_s, said, entry)
        elif fault is Fault.MESSAGE_CUT:
            topic, message = said
            keep = len(message) - 3 if spec.format == "chirpstack-protobuf" else 1 + chance % (len(message) - 2)
            cut = message[:keep]
            aside = entry._replace(obligation=Obligation.SET_ASIDE, digest=payload_digest(cut))
            self._say(published_s, (topic, cut), aside)
        else:
            late = fault is Fault.LATE_RECEPTION
            delay_ms = int(later_s * 1000) + 1 if late else 1 + chance % _ANOTHER_GATEWAY_MS
            air = sent.air._replace(heard=sent.air.heard[-1:]) if sent.air is not None else None
            copy = sent._replace(variant=1, received_ms=sent.received_ms + delay_ms, late=late, air=air)
            merged = entry._replace(variant=1, received_ms=copy.received_ms, obligation=Obligation.STORED_OR_MERGED)
            self._say(published_s + delay_ms / 1000, self._encode.uplink(copy, one), merged)


_AGAIN: Final = frozenset((Fault.DUPLICATE, Fault.REDELIVERED, Fault.NEW_ID, Fault.LATE_RECEPTION, Fault.MESSAGE_CUT))


def _entry(sent: Sent, one: Kind, fault: Fault) -> Entry:
    damaged = fault in {Fault.PAYLOAD_TRUNCATED, Fault.PAYLOAD_FLIPPED}
    return Entry(
        device=sent.device,
        number=sent.number,
        dev_addr=sent.dev_addr,
        f_cnt=sent.f_cnt,
        received_ms=sent.received_ms,
        variant=sent.variant,
        readings=UNKNOWN_READINGS if damaged else one.readings,
        fault=fault,
        obligation=Obligation.STORED_ONCE,
        digest=payload_digest(sent.payload),
    )
