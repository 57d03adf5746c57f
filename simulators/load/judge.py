"""Compares what was emitted with what the platform says it stored: the acceptance test of the whole platform."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.load.ledger import UNKNOWN_READINGS, Fault, Ledger, Obligation, payload_digest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLES: Final = 10
_MILLISECOND: Final = timedelta(milliseconds=1)

Keys = npt.NDArray[np.uint64]
_STORED: Final = np.dtype(
    [("device", "<u4"), ("dev_addr", "<u4"), ("f_cnt", "<u4"), ("received_ms", "<i8"), ("digest", "<u8"),
     ("readings", "<i2"), ("ingested_ms", "<i8")]
)  # fmt: skip


class StoredUplink(NamedTuple):
    """One row of what the platform stored. `readings` of -1 and an absent `ingested_at` are not judged."""

    dev_eui: str
    dev_addr: str
    f_cnt: int
    received_at: datetime
    payload: bytes
    readings: int = -1
    ingested_at: datetime | None = None


class Cause(NamedTuple):
    """The account of the uplinks that one fault befell."""

    fault: str
    expected: int
    lost: int
    duplicated: int
    altered: int
    misread: int


class Verdict(NamedTuple):
    """What became of a load.

    `expected` uplinks had to be stored once: `lost` are not there, `duplicated` are there again, `altered` have
    other bytes, `misread` another number of readings. `merged` of the `mergeable` were recognised as known
    frames (either is right). `unexpected` rows are of the load's devices, but nothing like them was emitted:
    a message that should have been set aside, or an invention. `late` were stored more than the bound after
    they were emitted. `quarantined` is compared with `set_aside` when the platform says it.
    """

    emitted: int
    expected: int
    stored: int
    lost: int
    duplicated: int
    altered: int
    misread: int
    unexpected: int
    late: int
    latency_p50_s: float | None
    latency_p99_s: float | None
    mergeable: int
    merged: int
    set_aside: int
    quarantined: int | None
    causes: tuple[Cause, ...]
    examples: tuple[str, ...]

    @property
    def broken(self) -> bool:
        """Say whether any obligation is."""
        counted = self.quarantined is not None and self.quarantined != self.set_aside
        return counted or any((self.lost, self.duplicated, self.altered, self.misread, self.unexpected, self.late))


def judge(
    ledger: Ledger,
    stored: Iterable[StoredUplink],
    *,
    quarantined: int | None = None,
    late_after_s: float | None = None,
) -> Verdict:
    """Return the verdict. Rows of devices that are not the load's are passed over.

    An uplink is known by (DevEUI, DevAddr, FCnt, the network server's time to the millisecond).
    """
    records, rows = ledger.records, _rows(ledger, stored)
    duty = records["obligation"]
    owed = _first_of_each(records[duty != Obligation.SET_ASIDE])
    owed_keys, row_keys = _keys(owed), _keys(rows)
    kept, first_row, copies = np.unique(row_keys, return_index=True, return_counts=True)
    place = np.searchsorted(kept, owed_keys)
    found = place < len(kept)
    found[found] = kept[place[found]] == owed_keys[found]
    match, twin = owed[found], rows[first_row[place[found]]]
    _refuse_collisions(match, twin)

    strict = owed["obligation"] == Obligation.STORED_ONCE
    lost = strict & ~found
    extra = np.zeros(len(owed), dtype=np.int64)
    extra[found] = copies[place[found]] - 1
    altered, misread = np.zeros(len(owed), dtype=bool), np.zeros(len(owed), dtype=bool)
    altered[found] = match["digest"] != twin["digest"]
    judged = (twin["readings"] >= 0) & (match["readings"] != UNKNOWN_READINGS)
    misread[found] = judged & (match["readings"] != twin["readings"])
    unexpected = ~np.isin(row_keys, owed_keys)
    latency_s = (twin["ingested_ms"] - match["emitted_ms"])[twin["ingested_ms"] > 0] / 1000
    p50_s, p99_s = (float(np.quantile(latency_s, share)) if len(latency_s) else None for share in (0.5, 0.99))
    return Verdict(
        emitted=len(records),
        expected=int(strict.sum()),
        stored=len(rows),
        lost=int(lost.sum()),
        duplicated=int(extra.sum()),
        altered=int(altered.sum()),
        misread=int(misread.sum()),
        unexpected=int(unexpected.sum()),
        late=int((latency_s > late_after_s).sum()) if late_after_s is not None else 0,
        latency_p50_s=p50_s,
        latency_p99_s=p99_s,
        mergeable=int((~strict).sum()),
        merged=int((~strict & ~found).sum()),
        set_aside=int((duty == Obligation.SET_ASIDE).sum()),
        quarantined=quarantined,
        causes=_causes(owed, strict, lost=lost, extra=extra, altered=altered, misread=misread),
        examples=_examples(ledger, "lost", owed[lost]) + _examples(ledger, "unexpected", rows[unexpected]),
    )


def _rows(ledger: Ledger, stored: Iterable[StoredUplink]) -> npt.NDArray[Any]:
    first, count = int(ledger.spec["first_dev_eui"]), int(ledger.spec["devices"])
    rows = []
    for one in stored:
        device = int(one.dev_eui, 16) - first
        if 0 <= device < count:
            digest = int.from_bytes(payload_digest(one.payload), "little")
            ingested_ms = _ms(one.ingested_at) if one.ingested_at is not None else 0
            rows.append(
                (
                    device,
                    int(one.dev_addr or "0", 16),
                    one.f_cnt,
                    _ms(one.received_at),
                    digest,
                    one.readings,
                    ingested_ms,
                )
            )
    return np.array(rows, dtype=_STORED)


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def _keys(table: npt.NDArray[Any]) -> Keys:
    """Return 64 bits of each row's identity, well mixed (SplitMix64's finaliser)."""
    with np.errstate(over="ignore"):
        key: Keys = table["received_ms"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        for name in ("device", "dev_addr", "f_cnt"):
            key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            key = key + table[name].astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return key ^ (key >> np.uint64(31))


def _first_of_each(records: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return one record an identity, the first emitted: a redelivery owes nothing more."""
    _, index = np.unique(_keys(records), return_index=True)
    return records[np.sort(index)]


def _refuse_collisions(match: npt.NDArray[Any], twin: npt.NDArray[Any]) -> None:
    """Raise AssertionError if two identities share a key: one in ten million runs of four million uplinks."""
    for name in ("device", "dev_addr", "f_cnt", "received_ms"):
        assert bool((match[name] == twin[name]).all()), "two uplinks share a key: judge with another seed"


def _causes(
    owed: npt.NDArray[Any],
    strict: npt.NDArray[np.bool_],
    *,
    lost: npt.NDArray[np.bool_],
    extra: npt.NDArray[np.int64],
    altered: npt.NDArray[np.bool_],
    misread: npt.NDArray[np.bool_],
) -> tuple[Cause, ...]:
    causes = []
    for fault in Fault:
        mine = owed["fault"] == fault
        if mine.any():
            sums = [int(counts[mine].sum()) for counts in (strict, lost, extra, altered, misread)]
            causes.append(Cause(fault.name.lower(), *sums))
    return tuple(causes)


def _examples(ledger: Ledger, what: str, rows: npt.NDArray[Any]) -> tuple[str, ...]:
    first = int(ledger.spec["first_dev_eui"])
    return tuple(
        f"{what}: {first + int(row['device']):016x} DevAddr {int(row['dev_addr']):08x} FCnt {int(row['f_cnt'])} "
        f"at {(_EPOCH + int(row['received_ms']) * _MILLISECOND).isoformat()}"
        for row in rows[:_EXAMPLES]
    )


def told(verdict: Verdict) -> str:
    """Return the verdict as lines for a person."""
    counts = Counter({name: getattr(verdict, name) for name in ("lost", "duplicated", "altered", "misread", "late")})
    lines = [
        f"emitted {verdict.emitted}, to be stored {verdict.expected}, stored {verdict.stored}",
        ", ".join(f"{name} {count}" for name, count in counts.items()) + f", unexpected {verdict.unexpected}",
        f"known frames under a new id: {verdict.mergeable}, merged {verdict.merged}",
        f"to be set aside {verdict.set_aside}, quarantined {verdict.quarantined}",
    ]
    lines += [f"  {one.fault}: expected {one.expected}, lost {one.lost}, duplicated {one.duplicated}, "
              f"altered {one.altered}, misread {one.misread}" for one in verdict.causes]  # fmt: skip
    return "\n".join([*lines, *verdict.examples, "BROKEN" if verdict.broken else "kept"])
