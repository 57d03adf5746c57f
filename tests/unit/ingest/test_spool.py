"""The spool against a list: what was put comes out, in order, whatever happens to the process or to the disk."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.errors import ConfigurationError
from ingest.spool import Position, Spool, Spooled, SpoolFullError

MEGABYTE = 1 << 20
ARRIVED = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)
Open = Callable[..., Spool]


def record(body: bytes | int, topic: str = "t") -> Spooled:
    content = body if isinstance(body, bytes) else f"record {body}".encode()
    return Spooled("source", "chirpstack", topic, len(content), content, ARRIVED)


def bodies(spool: Spool) -> list[bytes]:
    return [one.body for one in spool.read(max_records=10**6, max_bytes=10**9).records]


def drain(spool: Spool, count: int = 10**6) -> list[Spooled]:
    chunk = spool.read(max_records=count, max_bytes=10**9)
    spool.drained(chunk.end)
    return chunk.records


def fill(spool: Spool, size: int = 3000) -> tuple[list[bytes], str]:
    """Put until it is full; return what was taken, and why no more was."""
    taken: list[bytes] = []
    while True:
        body = f"{len(taken)}:".encode() + bytes(size)
        try:
            spool.put([record(body)])
        except SpoolFullError as full:
            return taken, str(full)
        taken.append(body)


@pytest.fixture
def open_spool(tmp_path: Path) -> Iterator[Open]:
    """Open the spool of one folder, as a process that starts again does."""
    opened: list[Spool] = []

    def start(folder: Path = tmp_path / "spool", *, max_bytes: int = MEGABYTE, segment_bytes: int = 4096) -> Spool:
        if opened:
            opened.pop().close()
        opened.append(Spool(folder, max_bytes=max_bytes, segment_bytes=segment_bytes))
        return opened[0]

    yield start
    if opened:
        opened[0].close()


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


# --- a disk that is full ---------------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount", path="/usr/bin:/bin"), shutil.which("umount", path="/usr/bin:/bin")
    if os.geteuid() or mount is None or umount is None:
        pytest.skip("A tiny disk: mounting a tmpfs needs root")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], check=False).returncode:
        pytest.skip("A tiny disk: this root may not mount a tmpfs")
    yield folder
    subprocess.run([umount, "--lazy", folder], check=True)


def test_a_full_disk_refuses_loses_nothing_and_recovers(open_spool: Open, tiny_disk: Path) -> None:
    spool = open_spool(tiny_disk / "spool", segment_bytes=20_000)
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(40_000))
    taken, refusal = fill(spool)
    assert "No space left" in refusal
    for _ in range(50):  # an hour of attempts leaves no trace
        with pytest.raises(SpoolFullError):
            spool.put([record(bytes(8000))])
    assert len(list((tiny_disk / "spool").iterdir())) < 12
    while True:  # to the last byte: the position cannot be written either
        try:
            with (tiny_disk / "more").open("ab", buffering=0) as file:
                file.write(bytes(512))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - the reason to stop
            break
    assert [one.body for one in drain(spool, 1)] == taken[:1]
    assert bodies(spool) == taken[1:]
    ballast.unlink()
    spool.put([record(b"after")])
    assert bodies(spool) == [*taken[1:], b"after"]
    assert drain(spool)
    assert spool.is_empty
    again = open_spool(tiny_disk / "spool")
    assert again.is_empty
    again.put([record(b"new")])
    assert bodies(again) == [b"new"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file beyond 30,000 bytes: the write that crosses it is cut short, the next fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_write_cut_short_keeps_none_of_the_batch(open_spool: Open) -> None:
    spool = open_spool(segment_bytes=MEGABYTE)
    taken, refusal = fill(spool)
    assert "File too large" in refusal
    spool.put([record(b"this one still fits")])
    assert bodies(spool) == [*taken, b"this one still fits"]
    assert spool.read(max_records=99, max_bytes=10**6).damaged_bytes == 0
    assert bodies(open_spool()) == [*taken, b"this one still fits"]


@pytest.mark.usefixtures("small_files")
def test_a_refused_batch_leaves_the_spool_empty(open_spool: Open) -> None:
    spool = open_spool()
    with pytest.raises(SpoolFullError):
        spool.put([record(bytes(40_000))])
    assert spool.is_empty  # else a drain would look again and again for what is not there
    assert open_spool().is_empty


# --- any order of things -----------------------------------------------------------------------------------------


class Model(RuleBasedStateMachine):
    """A list does the same as the spool; the process dies between any two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.pending: list[Spooled] = []
        self.count = 0
        self.spool = self.open()

    def open(self) -> Spool:
        return Spool(self.folder, max_bytes=6_000, segment_bytes=1_000)

    @rule(sizes=st.lists(st.integers(0, 1_500), min_size=1, max_size=4))
    def put(self, sizes: list[int]) -> None:
        records = [record(f"{self.count + place}:".encode() + bytes(size)) for place, size in enumerate(sizes)]
        try:
            self.spool.put(records)
        except SpoolFullError:
            return
        self.count += len(records)
        self.pending += records

    @rule(most=st.integers(1, 8), max_bytes=st.integers(1, 3_000))
    def drain(self, most: int, max_bytes: int) -> None:
        chunk = self.spool.read(max_records=most, max_bytes=max_bytes)
        assert chunk.records == self.pending[: len(chunk.records)]
        assert 1 <= len(chunk.records) <= most or not self.pending
        self.spool.drained(chunk.end)
        del self.pending[: len(chunk.records)]

    @rule()
    def start_again(self) -> None:
        self.spool.close()
        self.spool = self.open()

    @precondition(lambda self: self.pending)
    @rule(size=st.integers(1, 60))
    def die_while_writing(self, size: int) -> None:
        self.spool.close()
        last = max(self.folder.glob("*.spool"))
        with last.open("ab") as file:
            file.write(b"\xa5SR\x01\x00\x00\x10\x00"[:size] + bytes(max(0, size - 8)))
        self.spool = self.open()

    @rule(most=st.integers(1, 8))
    def die_before_the_position_is_saved(self, most: int) -> None:
        position = self.folder / "position"
        before = position.read_bytes() if position.exists() else None
        self.drain(most=most, max_bytes=3_000)
        self.spool.close()
        if before is None:
            position.unlink()
        else:
            position.write_bytes(before)
        self.spool = self.open()
        again = self.spool.read(max_records=999, max_bytes=10**6).records
        assert again[len(again) - len(self.pending) :] == self.pending
        self.pending = again  # some are drained twice: stored once, by their keys

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        assert self.spool.read(max_records=999, max_bytes=10**6).records == self.pending
        assert self.spool.size_bytes <= 6_000 + 60 * 20  # and torn tails
        if self.pending:
            assert not self.spool.is_empty

    def teardown(self) -> None:
        self.spool.close()
        self.temporary.cleanup()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
