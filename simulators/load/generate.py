"""Turns a spec into messages in the order they are published, each with its entry for the ledger."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush
from pathlib import Path
from typing import Final, NamedTuple

from simulators.load import faults as wrong
from simulators.load import heard
from simulators.load.formats import Encoder, Sent, encoder
from simulators.load.frames import TABLE, Kind, kind, rows_a_period
from simulators.load.ledger import UNKNOWN_READINGS, Entry, Fault, Obligation, payload_digest
from simulators.load.spec import LoadSpec

_BURST_S: Final = 1.0  # how long, in real time, a reconnected gateway takes to say what it kept
_STORM_S: Final = 5.0  # and how long devices take to join
_ROW_S: Final = 86_400.0 / TABLE
_ANOTHER_GATEWAY_MS: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Emission(NamedTuple):
    """One message to publish `due_s` after the start, in real time (0 throughout when there is no pace).

    `entry` is None for what is not an uplink: a join, a log, a gateway's connection and statistics.
    """

    due_s: float
    topic: str
    payload: bytes
    entry: Entry | None


class _At(NamedTuple):
    """A message at its simulated time, ordered by it; `order` keeps the order of those of one time."""

    time_s: float
    order: int
    topic: str
    payload: bytes
    entry: Entry | None


def generate(spec: LoadSpec) -> Iterator[Emission]:
    """Yield every message of a load by time. Cheap: some 8 us each, without faults."""
    if spec.radio:
        yield from _received(spec, encoder(spec))
        return
    kinds = [kind(model, spec.seed, spec.start_at) for model in spec.models]
    pace = spec.pace
    if spec.faults == type(spec.faults)() and not (spec.jitter_s or spec.stats_every_s or spec.first_join):
        yield from _plain(spec, kinds, encoder(spec), pace)
    else:
        for message in _Territory(spec, kinds, encoder(spec)).messages():
            yield Emission(message.time_s * pace, message.topic, message.payload, message.entry)


def first_dev_addr(device: int, session: int = 0) -> int:
    """Return a DevAddr of NetID 000000 (seven zero bits), another one in each session."""
    return (device * 0x9E3779B1 + session * 0x85EBCA6B + 1) & 0x01FF_FFFF


def start_ms(spec: LoadSpec) -> int:
    """Return the simulated start in milliseconds since 1970."""
    return round((spec.start_at - _EPOCH).total_seconds() * 1000)


def _plain(spec: LoadSpec, kinds: list[Kind], encode: Encoder, pace: float) -> Iterator[Emission]:
    """Yield the uplinks of a load in which nothing goes wrong: the fast path."""
    begin, step, none, once = start_ms(spec), spec.period_s / spec.devices, Fault.NONE, Obligation.STORED_ONCE
    stride = rows_a_period(spec.period_s)
    devices = [
        (device, first_dev_addr(device), kinds[device % len(kinds)], device * 97) for device in range(spec.devices)
    ]
    for number in range(spec.uplinks_per_device):
        time_s, rows = number * spec.period_s, int(number * stride)
        for device, dev_addr, one, place in devices:
            received_ms, row = begin + int(time_s * 1000), (place + rows) % TABLE
            if one.meter is None:
                payload, digest = one.payloads[row], one.digests[row]
            else:
                payload, digest = one.frame(device, row, time_s)
            topic, message = encode.uplink(Sent(device, number, 0, dev_addr, number, received_ms, payload), one)
            entry = Entry(device, number, dev_addr, number, received_ms, 0, one.readings, none, once, digest)
            yield Emission(time_s * pace, topic, message, entry)
            time_s += step


def _received(spec: LoadSpec, encode: Encoder) -> Iterator[Emission]:
    """Yield what the gateways of a radio run received, as its network server would say it."""
    begin, pace, models = start_ms(spec), spec.pace, heard.models(spec)
    kinds = {model: kind(model, spec.seed, spec.start_at) for model in sorted(set(models))}
    sessions, last, numbers = [0] * spec.devices, [-1] * spec.devices, [0] * spec.devices
    for time_s, device, is_join, f_cnt, air in heard.frames(Path(spec.radio)):
        if not is_join and f_cnt == last[device]:
            continue
        one, received_ms, number = kinds[models[device]], begin + int(time_s * 1000), numbers[device]
        numbers[device] += 1
        if is_join:
            sessions[device], last[device] = sessions[device] + 1, -1
            sent = Sent(device, number, 0, first_dev_addr(device, sessions[device]), 0, received_ms, b"")
            yield Emission(time_s * pace, *encode.join(sent, one), None)
            continue
        last[device] = f_cnt
        payload, digest = one.frame(device, (device * 97 + int(time_s / _ROW_S)) % TABLE, time_s)
        dev_addr = first_dev_addr(device, sessions[device])
        topic, message = encode.uplink(Sent(device, number, 0, dev_addr, f_cnt, received_ms, payload, air=air), one)
        owed = (0, one.readings, Fault.NONE, Obligation.STORED_ONCE)
        yield Emission(
            time_s * pace, topic, message, Entry(device, number, dev_addr, f_cnt, received_ms, *owed, digest)
        )


class _Territory:
    """The devices of a load in which things go wrong: who is in which session, and what is yet to be said."""

    def __init__(self, spec: LoadSpec, kinds: list[Kind], encode: Encoder) -> None:
        self._spec, self._kinds, self._encode = spec, kinds, encode
        self._begin = start_ms(spec)
        self._fates = [wrong.fate(spec, device) for device in range(spec.devices)]
        self._sessions = [0] * spec.devices
        self._f_cnt_from = [one.first_f_cnt for one in self._fates]  # FCnt = this + the uplink's number
        self._lottery = wrong.Lottery(spec.faults)
        self._stride = rows_a_period(spec.period_s)
        self._haste = 1 / spec.pace if spec.pace else 1.0  # simulated seconds in a real one
        self._waiting: list[_At] = []
        self._order = 0

    def messages(self) -> Iterator[_At]:
        """Yield every message by time."""
        spec, step = self._spec, self._spec.period_s / self._spec.devices
        planned = sorted(self._planned(), key=lambda one: one[0])
        for number in range(spec.uplinks_per_device):
            for device in range(spec.devices):
                time_s = number * spec.period_s + device * step
                while planned and planned[0][0] <= time_s:
                    planned.pop(0)[1](number, device)
                self._uplink(device, number, time_s)
                while self._waiting and self._waiting[0].time_s <= time_s - spec.jitter_s:
                    yield heappop(self._waiting)
        while self._waiting:
            yield heappop(self._waiting)

    def _planned(self) -> Iterator[tuple[float, Callable[[int, int], None]]]:
        """Yield what happens at set times: storms of joins, gateways' connections and statistics."""
        for index, storm in enumerate(self._spec.faults.rejoin_storms):

            def rejoin(number: int, device: int, index: int = index, at_s: float = storm.at_s) -> None:
                self._storm(index, at_s, number, device)

            yield storm.at_s, rejoin
        if self._spec.stats_every_s:
            yield 0.0, self._connected(0.0, 1.0, online=True)
        for outage in self._spec.faults.outages:
            yield outage.start_s, self._connected(outage.start_s, outage.share, online=False)
            yield outage.end_s, self._connected(outage.end_s, outage.share, online=True)
        every_s = self._spec.stats_every_s
        for turn in range(int(self._spec.duration_s / every_s) if every_s else 0):

            def count(_number: int, _device: int, at_s: float = (turn + 1) * every_s) -> None:
                self._statistics(at_s)

            yield (turn + 1) * every_s, count

    def _connected(self, at_s: float, share: float, *, online: bool) -> Callable[[int, int], None]:
        def tell(_number: int, _device: int) -> None:
            self._connection(at_s, share, online=online)

        return tell

    def _say(self, time_s: float, said: tuple[str, bytes] | None, entry: Entry | None) -> None:
        if said is not None:
            self._order += 1
            heappush(self._waiting, _At(time_s, self._order, *said, entry))

    def _storm(self, index: int, at_s: float, number: int, reached: int) -> None:
        """Join a share of the devices again, each from its next uplink on."""
        spec = self._spec
        for device in range(spec.devices):
            if wrong.share(spec.seed, device, index, 7) >= spec.faults.rejoin_storms[index].share:
                continue
            self._sessions[device] += 1
            upcoming = number if device >= reached else number + 1
            self._f_cnt_from[device] = -upcoming
            self._join(device, upcoming, at_s + _STORM_S * self._haste * wrong.share(spec.seed, device, index, 8))

    def _join(self, device: int, number: int, time_s: float) -> None:
        """Say that a device joined, with the DevAddr of the uplinks that follow."""
        sent = self._sent(device, number, number, self._begin + int(time_s * 1000), b"")
        self._say(time_s, self._encode.join(sent, self._kinds[device % len(self._kinds)]), None)

    def _connection(self, at_s: float, share: float, *, online: bool) -> None:
        """Say that a share of the gateways is connected, or no more."""
        for gateway in range(round(share * self._spec.gateways)):
            said = self._encode.connection(gateway, self._begin + int(at_s * 1000), online=online)
            self._say(at_s, said, None)

    def _statistics(self, at_s: float) -> None:
        frames = round(self._spec.uplinks / self._spec.duration_s * self._spec.stats_every_s / self._spec.gateways)
        for gateway in range(self._spec.gateways):
            self._say(at_s, self._encode.stats(gateway, self._begin + int(at_s * 1000), frames), None)

    def _sent(self, device: int, number: int, variant: int, received_ms: int, payload: bytes) -> Sent:
        dev_addr = first_dev_addr(device, self._sessions[device])
        f_cnt = self._f_cnt_from[device] + number
        return Sent(device, number, variant, dev_addr, f_cnt, received_ms, payload)

    def _uplink(self, device: int, number: int, time_s: float) -> None:
        """Say one uplink, and whatever its fault makes of it."""
        spec, fate = self._spec, self._fates[device]
        if 0 <= fate.dies_at <= number:
            return
        if number == 0 and spec.first_join:
            self._join(device, number, time_s)
        if number == fate.resets_at:
            self._f_cnt_from[device] = -number
            reset = self._sent(device, number, number, self._begin + int(time_s * 1000), b"")
            self._say(time_s, self._encode.log(reset, self._kinds[device % len(self._kinds)]), None)
        jitter_s = spec.jitter_s * (2 * wrong.share(spec.seed, device, number, 9) - 1) if spec.jitter_s else 0.0
        time_s = max(0.0, time_s + jitter_s)
        one, chance = self._kinds[device % len(self._kinds)], wrong.bits(spec.seed, device, number)
        fault = self._lottery.draw(chance / 2.0**64)
        payload, _ = one.frame(device, (device * 97 + int(number * self._stride)) % TABLE, time_s)
        if fault is Fault.PAYLOAD_TRUNCATED:
            payload = wrong.truncated(payload, chance)
        elif fault is Fault.PAYLOAD_FLIPPED:
            payload = wrong.flipped(payload, chance)
        received_ms = self._begin + int(time_s * 1000) + fate.drift_ms
        sent = self._sent(device, number, 0, received_ms, payload)
        published_s = self._heard_at(device, time_s)
        if fault is Fault.REORDERED:
            published_s += spec.faults.delay_s * wrong.share(spec.seed, device, number, 10)
        entry = self._entry(sent, one, fault or self._standing(device, published_s > time_s))
        said = self._encode.uplink(sent, one)
        self._say(published_s, said, entry)
        if fault in _AGAIN:
            self._again(sent, one, entry, said, published_s)

    def _standing(self, device: int, delayed: bool) -> Fault:  # noqa: FBT001 - two private callers' worth
        """Return what befalls a device's messages at large."""
        if delayed:
            return Fault.OUTAGE
        return Fault.REJOINED if self._sessions[device] else self._fates[device].fault

    def _heard_at(self, device: int, time_s: float) -> float:
        """Return when a message sent now is published: after the outage that its gateway is in."""
        for index, outage in enumerate(self._spec.faults.outages):
            cut_off = wrong.share(self._spec.seed, device, index, 11) < outage.share
            if cut_off and outage.start_s <= time_s < outage.end_s:
                done = (time_s - outage.start_s) / (outage.end_s - outage.start_s)
                return outage.end_s + _BURST_S * self._haste * done
        return time_s

    @staticmethod
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
            copy = sent._replace(variant=1, received_ms=sent.received_ms + delay_ms, late=late)
            merged = entry._replace(variant=1, received_ms=copy.received_ms, obligation=Obligation.STORED_OR_MERGED)
            self._say(published_s + delay_ms / 1000, self._encode.uplink(copy, one), merged)


_AGAIN: Final = frozenset((Fault.DUPLICATE, Fault.REDELIVERED, Fault.NEW_ID, Fault.LATE_RECEPTION, Fault.MESSAGE_CUT))
