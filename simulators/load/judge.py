"""Compares what was emitted with what the platform says it stored: the acceptance test of the whole platform."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.load.ledger import UNKNOWN_READINGS, Fault, Ledger, Obligation, payload_digest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLES: Final = 10
_MILLISECOND: Final = timedelta(milliseconds=1)
BROKEN_BY: Final = ("lost", "duplicated", "altered", "misread", "unexpected", "late", "not_set_aside")

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
    late: int


class Verdict(NamedTuple):
    """What became of a load.

    `expected` uplinks had to be stored once: `lost` are not there, `duplicated` are there again, `altered` have
    other bytes, `misread` another number of readings. `merged` of the `mergeable` were recognised as known
    frames (either is right). `unexpected` rows are of the load's devices, but nothing like them was emitted:
    a message that should have been set aside, or an invention; rows of an earlier run do not count. `late` were
    stored more than the bound after they were emitted. `set_aside` different messages could not be read:
    `not_set_aside` of them the platform has not kept (None: it was not asked).
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
    not_set_aside: int | None
    causes: tuple[Cause, ...]
    examples: tuple[str, ...]

    @property
    def broken(self) -> bool:
        """Say whether any obligation is."""
        return any(getattr(self, name) for name in BROKEN_BY)


def judge(
    ledger: Ledger,
    stored: Iterable[StoredUplink],
    *,
    quarantined: Iterable[bytes] | None = None,
    late_after_s: float | None = None,
) -> Verdict:
    """Return the verdict. Rows of devices that are not the load's are passed over.

    An uplink is known by (DevEUI, DevAddr, FCnt, the network server's time to the millisecond). `quarantined` are the
    messages that the platform set aside; others than the load's may be among them.
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
    strange = ~np.isin(row_keys, owed_keys)
    earlier = strange & _of_an_earlier_run(records, rows)
    unexpected = strange & ~earlier
    delay_s = (twin["ingested_ms"] - match["emitted_ms"]) / 1000
    latency_s = delay_s[twin["ingested_ms"] > 0]
    p50_s, p99_s = (float(np.quantile(latency_s, share)) if len(latency_s) else None for share in (0.5, 0.99))
    late = np.zeros(len(owed), dtype=bool)
    if late_after_s is not None:
        late[found] = (twin["ingested_ms"] > 0) & (delay_s > late_after_s)
    unreadable = np.unique(records["digest"][duty == Obligation.SET_ASIDE])
    return Verdict(
        emitted=len(records),
        expected=int(strict.sum()),
        stored=int((~earlier).sum()),
        lost=int(lost.sum()),
        duplicated=int(extra.sum()),
        altered=int(altered.sum()),
        misread=int(misread.sum()),
        unexpected=int(unexpected.sum()),
        late=int(late.sum()),
        latency_p50_s=p50_s,
        latency_p99_s=p99_s,
        mergeable=int((~strict).sum()),
        merged=int((~strict & ~found).sum()),
        set_aside=len(unreadable),
        not_set_aside=None if quarantined is None else _missing(unreadable, quarantined),
        causes=_causes(owed, strict, lost, extra, altered, misread, late),
        examples=_examples(ledger, "lost", owed[lost]) + _examples(ledger, "unexpected", rows[unexpected]),
    )


def _of_an_earlier_run(records: npt.NDArray[Any], rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Say which rows were stored before the first message of this load was emitted, by the platform's clock."""
    began_ms = records["emitted_ms"].min() if len(records) else 0
    return np.asarray((rows["ingested_ms"] > 0) & (rows["ingested_ms"] < began_ms))


def _missing(wanted: Keys, messages: Iterable[bytes]) -> int:
    """Return how many of these digests no message has."""
    kept = np.array([_number(one) for one in messages], dtype=np.uint64)
    return int((~np.isin(wanted, kept)).sum())


def _number(content: bytes) -> int:
    return int.from_bytes(payload_digest(content), "little")


def _rows(ledger: Ledger, stored: Iterable[StoredUplink]) -> npt.NDArray[Any]:
    first, count = int(ledger.spec["first_dev_eui"]), int(ledger.spec["devices"])
    rows = []
    for one in stored:
        device = int(one.dev_eui, 16) - first
        if 0 <= device < count:
            digest = _number(one.payload)
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


def _causes(owed: npt.NDArray[Any], *counted: npt.NDArray[Any]) -> tuple[Cause, ...]:
    """Return each fault's account; `counted` are Cause's counts, one value an uplink that is owed."""
    causes = []
    for fault in Fault:
        mine = owed["fault"] == fault
        if mine.any():
            causes.append(Cause(fault.name.lower(), *(int(counts[mine].sum()) for counts in counted)))
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
    counts = {name: getattr(verdict, name) for name in BROKEN_BY}
    lines = [
        f"emitted {verdict.emitted}, to be stored {verdict.expected}, stored {verdict.stored}",
        ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()),
        f"known frames under a new id: {verdict.mergeable}, merged {verdict.merged}",
        f"to be set aside: {verdict.set_aside}",
    ]
    lines += [
        f"  {one.fault}: expected {one.expected}, "
        + ", ".join(f"{name} {getattr(one, name)}" for name in Cause._fields[2:])
        for one in verdict.causes
    ]
    return "\n".join([*lines, *verdict.examples, "BROKEN" if verdict.broken else "kept"])
