"""Watteco (nke Watteco) batch frames: many values of several series, Huffman-coded, each with its time.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), codec/README.md, devices/*/examples.json;
github.com/Watteco/Codec-Report-Batch-Python, README.
Bit map: bits are taken from the low end of each byte. A number of n bits comes in groups, the highest first:
n mod 8 bits, then eights. A Huffman word comes high bit first.
  8  flags          bits 7-4 number of series, 2 no further samples, 1 one time line for all series
  3  batch counter, 1 unused
  then for each series:
     tag            as many bits as the model uses for its labels
     time           32 bits in the first series, else a step from the series before (Huffman table 1)
     value          in the series' own type
     2 coding, 2 table       (not when there are no further samples)
  with one time line:
     8  number of times, 2 table; for each a step
     for each series: its tag; for each time 1 bit "there is a value", and if so a value step
  with separate times:
     for each series: its tag, 8 number of samples, 2 table; for each a time step and a value step
  last: the time of sending, a step from the latest time
A step is a Huffman word k: 0 the same; 1-14 then k bits x; 15 then the whole value. A time steps by
x + 2^k - 1; a value, in units of the series' resolution, steps by the same in coding 1, by its negative in
coding 2; in coding 0 by x when its high bit is set, else by x + 1 - 2^k.
The device's clock starts anywhere: only differences from the time of sending mean anything.
"""

import math
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from decoders.native._watteco_zcl import PORT, Channel, Routes, decode_report, scaled
from domain.errors import DecodeError
from domain.readings import Reading


class Kind(NamedTuple):
    """The type of a series' values."""

    bits: int
    signed: bool = False
    real: bool = False


U1, U8, U16, U32 = Kind(1), Kind(8), Kind(16), Kind(32)
I16 = Kind(16, signed=True)
F32 = Kind(32, real=True)


class Series(NamedTuple):
    """One label of a model's batches: the type and the resolution of its values, and where they go.

    A series whose values are not kept has no channel.
    """

    kind: Kind
    resolution: float
    channel: Channel | None


class _Run(NamedTuple):
    """One series of the frame while it is read: its samples as (time, value), its coding and table."""

    series: Series
    samples: list[tuple[int, float]]
    coding: int
    table: int


# Sizes and words of the three tables, by step 0 to 15.
_SIZES: Final = (
    (2, 2, 2, 3, 4, 5, 6, 7, 8, 10, 11, 11, 11, 11, 11, 11),
    (7, 5, 4, 3, 3, 2, 2, 3, 6, 9, 9, 10, 10, 10, 11, 11),
    (4, 3, 2, 2, 2, 5, 6, 7, 8, 10, 11, 11, 11, 11, 11, 11),
)
_WORDS: Final = (
    (0x000, 0x001, 0x003, 0x005, 0x009, 0x011, 0x021, 0x041, 0x081, 0x200, 0x402, 0x403, 0x404, 0x405, 0x406, 0x407),
    (0x06F, 0x01A, 0x00C, 0x003, 0x007, 0x002, 0x000, 0x002, 0x036, 0x1BB, 0x1B9, 0x375, 0x374, 0x370, 0x6E3, 0x6E2),
    (0x009, 0x005, 0x000, 0x001, 0x003, 0x011, 0x021, 0x041, 0x081, 0x200, 0x402, 0x403, 0x404, 0x405, 0x406, 0x407),
)
_LONGEST_WORD: Final = 11
_PEEK: Final = (1 << _LONGEST_WORD) - 1


def _lookup(sizes: tuple[int, ...], words: tuple[int, ...]) -> tuple[tuple[int, int] | None, ...]:
    """Return, for the next 11 bits of a stream, the step that they begin with and its size."""
    table: list[tuple[int, int] | None] = [None] * (1 << _LONGEST_WORD)
    for step, (size, word) in enumerate(zip(sizes, words, strict=True)):
        backwards = int(f"{word:0{size}b}"[::-1], 2)
        for rest in range(1 << _LONGEST_WORD - size):
            table[rest << size | backwards] = step, size
    return tuple(table)


_TABLES: Final = tuple(_lookup(sizes, words) for sizes, words in zip(_SIZES, _WORDS, strict=True))
_WHOLE: Final = 15


class _Bits:
    """Reads a frame bit by bit; raises DecodeError at its end."""

    __slots__ = ("_at", "_end", "_stream")

    def __init__(self, payload: bytes) -> None:
        self._stream, self._at, self._end = int.from_bytes(payload, "little"), 0, 8 * len(payload)

    def _take(self, count: int) -> int:
        start, self._at = self._at, self._at + count
        if self._at > self._end:
            raise DecodeError("batch: the frame ends too early")
        return self._stream >> start & (1 << count) - 1

    def number(self, count: int, *, signed: bool = False) -> int:
        if count <= 8:  # as `_take`, without the call: most numbers are of a few bits
            start, self._at = self._at, self._at + count
            if self._at > self._end:
                raise DecodeError("batch: the frame ends too early")
            value = self._stream >> start & (1 << count) - 1
        else:
            first = count % 8 or 8
            value = self._take(first)
            for _ in range((count - first) // 8):
                value = value << 8 | self._take(8)
        return value - (1 << count) if signed and value >> count - 1 else value

    def step(self, table: int) -> int:
        if table >= len(_TABLES):
            raise DecodeError(f"batch: Huffman table {table}")
        found = _TABLES[table][self._stream >> self._at & _PEEK]
        if found is None:
            raise DecodeError("batch: not a Huffman word")
        step, size = found
        self._at += size
        if self._at > self._end:
            raise DecodeError("batch: the frame ends too early")
        return step

    def time(self, before: int, table: int) -> int:
        step = self.step(table)
        if step == _WHOLE:
            return self.number(32)
        return before + self.number(step) + (1 << step) - 1 if step else before

    def whole(self, kind: Kind) -> float:
        if not kind.real:
            return self.number(kind.bits, signed=kind.signed)
        number: float = struct.unpack(">f", self.number(32).to_bytes(4))[0]
        if not math.isfinite(number):
            raise DecodeError("batch: not a finite number")
        return number

    def value(self, run: _Run, step: int) -> float:
        before = run.samples[-1][1]
        if step == _WHOLE:
            return self.whole(run.series.kind)
        if not step:
            return before
        x, power = self.number(step), 1 << step
        if run.coding == 0:
            change = x if x >= power >> 1 else x + 1 - power
        else:
            change = x + power - 1 if run.coding == 1 else 1 - x - power
        return before + change * run.series.resolution


def decode_frame(
    payload: bytes, f_port: int, routes: Routes, tag_bits: int = 0, labels: Mapping[int, Series] | None = None
) -> list[Reading]:
    """Return the readings of a frame, standard or batch, of a model that has these routes and labels.

    Raises DecodeError for another port, a malformed frame, or a batch when the model has none.
    """
    if f_port != PORT:
        raise DecodeError(f"f_port {f_port}")
    if payload[:1] and payload[0] & 1:
        return decode_report(payload, routes)
    if not labels:
        raise DecodeError("batch frame: the model has none")
    return decode_batch(payload, tag_bits, labels)


def decode_batch(payload: bytes, tag_bits: int, labels: Mapping[int, Series]) -> list[Reading]:
    """Return the readings of a batch frame, each as old as it was when the frame was sent."""
    bits = _Bits(payload)
    flags = bits.number(8)
    more = not flags & 4
    bits.number(4)
    runs, latest = _heads(bits, flags >> 4, tag_bits, labels, more=more)
    if more and runs:
        read = _one_time_line if flags & 2 else _separate_times
        latest = read(bits, runs, tag_bits, latest)
    sent_at = bits.time(latest, 1) if latest else bits.number(32)
    return [
        Reading(c.quantity, scaled(value, c.factor), c.channel, float(sent_at - time))
        for run in runs.values()
        if (c := run.series.channel)
        for time, value in run.samples
    ]


def _heads(
    bits: _Bits, count: int, tag_bits: int, labels: Mapping[int, Series], *, more: bool
) -> tuple[dict[int, _Run], int]:
    runs: dict[int, _Run] = {}
    time = 0
    for _ in range(count):
        tag = bits.number(tag_bits)
        if tag not in labels:
            raise DecodeError(f"batch: label {tag}")
        time = bits.time(time, 1) if time else bits.number(32)
        value = bits.whole(labels[tag].kind)
        coding, table = (bits.number(2), bits.number(2)) if more else (0, 0)
        runs[tag] = _Run(labels[tag], [(time, value)], coding, table)
    return runs, time


def _next_run(bits: _Bits, runs: Mapping[int, _Run], tag_bits: int) -> _Run:
    tag = bits.number(tag_bits)
    if tag not in runs:
        raise DecodeError(f"batch: label {tag} has no first sample")
    return runs[tag]


def _one_time_line(bits: _Bits, runs: Mapping[int, _Run], tag_bits: int, latest: int) -> int:
    count, table = bits.number(8), bits.number(2)
    times: list[int] = []
    first = next(iter(runs.values())).samples[0][0]
    for _ in range(count):
        time = bits.time(times[-1] if times else first, table)
        times.append(time if times or time == first else first)
    for _ in runs:
        run, is_first = _next_run(bits, runs, tag_bits), True
        for time in times:
            if not bits.number(1):
                continue
            step = bits.step(run.table)
            if step == 0 and is_first:  # the first sample, which the head gave, again
                is_first = False
                continue
            run.samples.append((time, bits.value(run, step)))
    return times[-1] if times else latest


def _separate_times(bits: _Bits, runs: Mapping[int, _Run], tag_bits: int, latest: int) -> int:
    for _ in runs:
        run = _next_run(bits, runs, tag_bits)
        count = bits.number(8)
        table = bits.number(2) if count else 0
        for _ in range(count):
            time = bits.time(run.samples[-1][0], table)
            latest = max(latest, time)
            run.samples.append((time, bits.value(run, bits.step(run.table))))
    return latest
