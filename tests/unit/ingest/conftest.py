"""What the unit tests of ingest share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from spool_records import MEGABYTE, Open

from ingest.spool import Spool


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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.draining._BACKOFF_S", (0.001,))
    monkeypatch.setattr("ingest.pipeline._FULL_AGAIN_S", 0.001)
