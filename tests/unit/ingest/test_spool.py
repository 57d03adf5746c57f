"""The spool: what was put comes out, in order, whatever happens to the process or to the bits."""

import subprocess
import sys
from pathlib import Path

import pytest
from spool_records import ARRIVED, MEGABYTE, Open, bodies, drain, fill, record

from domain.errors import ConfigurationError
from ingest.spool import Position, Spool, Spooled, SpoolFullError


def test_what_was_put_comes_out_in_order_with_every_field(open_spool: Open) -> None:
    spool = open_spool()
    records = [
        Spooled("lns-1", "ttn", "v3/é\0/up", 10_000_000, bytes(range(256)), ARRIVED),
        record(b""),
        record(b"x" * 9000),
    ]
    spool.put(records[:2])
    spool.put(records[2:])
    assert spool.read(max_records=9, max_bytes=10**6).records == records
    assert spool.read(max_records=9, max_bytes=10**6).records == records  # reading forgets nothing
    assert drain(spool, 2) == records[:2]
    assert not spool.is_empty
    assert drain(spool) == records[2:]
    assert spool.is_empty
    assert spool.size_bytes == 0
    assert drain(spool) == []


def test_reading_is_bounded_but_gives_something(open_spool: Open) -> None:
    spool = open_spool()
    spool.put([record(b"x" * 1000) for _ in range(20)])
    assert len(spool.read(max_records=3, max_bytes=10**6).records) == 3
    assert len(spool.read(max_records=99, max_bytes=2500).records) == 3
    assert len(spool.read(max_records=99, max_bytes=1).records) == 1


def test_it_never_holds_more_than_its_bound_and_refuses_whole_batches(open_spool: Open) -> None:
    spool = open_spool(max_bytes=10_000)
    taken, refusal = fill(spool, 500)
    assert "of 10000 bytes used" in refusal
    assert 9_000 < spool.size_bytes <= 10_000
    with pytest.raises(SpoolFullError):
        spool.put([record(b"small"), record(bytes(2000))])
    assert bodies(spool) == taken
    drain(spool)
    spool.put([record(b"there is room again")])
    assert bodies(spool) == [b"there is room again"]


def test_what_is_put_after_a_restart_of_a_drained_spool_is_not_taken_for_drained(open_spool: Open) -> None:
    spool = open_spool()
    for number in range(3):
        spool.put([record(b"x" * 4000)])
        drain(spool)
        assert spool.is_empty, number
    spool = open_spool()
    spool.put([record(b"new")])
    assert not spool.is_empty
    assert bodies(spool) == [b"new"]
    spool.drained(Position(0, 0))  # a drain that found nothing forgets nothing
    assert bodies(open_spool()) == [b"new"]


def test_a_lost_position_drains_again_and_loses_nothing(open_spool: Open, tmp_path: Path) -> None:
    for content in (None, b"", b"\0" * 20, b"7", b"999999 0", b"\xff\xfe", b"1 -5 x"):
        spool = open_spool()
        spool.put([record(1), record(2), record(3)])
        drain(spool, 1)
        position = tmp_path / "spool" / "position"
        if content is None:
            position.unlink()
        else:
            position.write_bytes(content)
        assert [one.body for one in drain(open_spool())] == [b"record 1", b"record 2", b"record 3"], content


def test_a_torn_tail_costs_the_record_that_was_never_acknowledged(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool()
    spool.put([record(1), record(2)])
    (segment,) = (tmp_path / "spool").glob("*.spool")
    whole = segment.read_bytes()
    spool.put([record(3)])
    torn = segment.read_bytes()
    for end in range(len(whole), len(torn)):
        segment.write_bytes(torn[:end])
        spool = open_spool()
        chunk = spool.read(max_records=9, max_bytes=9999)
        assert [one.body for one in chunk.records] == [b"record 1", b"record 2"]
        assert chunk.damaged_bytes == end - len(whole)
    spool.put([record(4)])  # in a segment of its own: the torn one does not grow
    assert bodies(spool) == [b"record 1", b"record 2", b"record 4"]


def test_one_bit_flipped_anywhere_costs_the_record_it_lies_in(open_spool: Open, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = open_spool(segment_bytes=150)
    records = [record(number, topic="a/b") for number in range(4)]
    ends = []
    for one in records:
        spool.put([one])
        ends.append(spool.size_bytes)
    assert len(list(folder.glob("*.spool"))) == 2
    segments = {path: path.read_bytes() for path in folder.glob("*.spool")}
    begin = 0
    for path, content in sorted(segments.items()):
        for bit in range(len(content) * 8):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            hit = next(index for index, end in enumerate(ends) if begin + bit // 8 < end)
            chunk = open_spool().read(max_records=9, max_bytes=9999)
            assert chunk.records == records[:hit] + records[hit + 1 :], (path.name, bit)
            assert chunk.damaged_bytes == ends[hit] - (ends[hit - 1] if hit else 0)
        path.write_bytes(content)
        begin += len(content)


def test_one_bit_flipped_in_the_position_loses_nothing(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool(segment_bytes=100)
    for number in range(8):
        spool.put([record(number)])
    drain(spool, 3)
    position = tmp_path / "spool" / "position"
    content = position.read_bytes()
    for bit in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        position.write_bytes(flipped)
        assert bodies(open_spool())[-5:] == [f"record {number}".encode() for number in range(3, 8)], bit


def test_garbage_between_records_is_stepped_over(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool()
    spool.put([record(1)])
    (segment,) = (tmp_path / "spool").glob("*.spool")
    first = segment.read_bytes()
    magic = first[:4]
    spool.put([record(2)])
    second = segment.read_bytes()[len(first) :]
    garbage = magic * 3 + b"\xff" * 3_000_000 + magic[:3]
    segment.write_bytes(first + garbage + second)
    chunk = open_spool(max_bytes=10 * MEGABYTE).read(max_records=9, max_bytes=9999)
    assert [one.body for one in chunk.records] == [b"record 1", b"record 2"]
    assert chunk.damaged_bytes == len(garbage)


def test_two_processes_never_share_a_folder(open_spool: Open, tmp_path: Path) -> None:
    open_spool()
    with pytest.raises(ConfigurationError, match="another ingest process"):
        Spool(tmp_path / "spool", max_bytes=MEGABYTE)
    program = (
        "import sys; from pathlib import Path; from ingest.spool import Spool; Spool(Path(sys.argv[1]), max_bytes=9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "spool"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "another ingest process uses this spool" in done.stderr
