"""The spool on a disk that is full, and in any order of things."""

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from spool_records import MEGABYTE, Open, bodies, drain, fill, record

from ingest.spool import Spool, Spooled, SpoolFullError


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
