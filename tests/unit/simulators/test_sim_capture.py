import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import ConfigurationError
from simulators import capture
from simulators.capture import Message, Skipped

UP = (
    b'{"deduplicationId":"d","time":"2026-01-14T18:37:07.500+00:00","fCnt":0,"data":"AAA=",'
    b'"rxInfo":[{"nsTime":"2026-01-14T18:37:07.581887532+00:00","timeSinceGpsEpoch":"1452451045.500s"}]}'
)


def test_the_time_is_the_first_one_said() -> None:
    assert capture.recorded_at(UP) == datetime(2026, 1, 14, 18, 37, 7, 500_000, tzinfo=UTC)
    assert capture.recorded_at(b'{"received_at":"2023-06-20T14:34:32.869542824Z"}') == datetime(
        2023, 6, 20, 14, 34, 32, 869_542, tzinfo=UTC
    )
    assert capture.recorded_at(b'{"Time": "2018-10-03T15:38:46.882+02:00"}') == datetime(
        2018, 10, 3, 13, 38, 46, 882_000, tzinfo=UTC
    )
    assert capture.recorded_at(b'{"time":"2026-13-45T99:00:00Z"}') is None
    assert capture.recorded_at(b'{"time":"0001-01-01T00:00:00+14:00"}') is None
    assert capture.recorded_at(b"{}") is None


def test_shifting_moves_every_time_and_nothing_else() -> None:
    moved = capture.shifted(UP, timedelta(days=1, seconds=-7, milliseconds=400))
    expected = UP.replace(b"14T18:37:07", b"15T18:37:00").replace(b"1452451045", b"1452537438")
    assert moved == expected
    assert capture.shifted(b'{"time":"9999-12-31T00:00:00Z"}', timedelta(days=9)) == b'{"time":"9999-12-31T00:00:00Z"}'


def test_payloads_are_kept_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(b'{"payload":{"a" : 1.0, "b":[ ]},"topic":"t","more":1}\n{"topic":"t","payload":"\\u00e9"}\n')
    items = [line.item for line in capture.read(file)]
    assert items == [Message("t", b'{"a" : 1.0, "b":[ ]}', None), Message("t", "\u00e9".encode(), None)]


@pytest.mark.parametrize(
    "line",
    [b"nonsense", b"[]", b'{"topic":1,"payload":{}}', b'{"topic":"a"}', b'{"topic":"a/#","payload":{}}',
     b'{"topic":"","payload":{}}', b'{"topic":"a","payload":"\\ud800"}', b"\xff\xfe", b'{"topic":"a","payload":{'],
)  # fmt: skip
def test_a_line_that_is_no_message_is_told_with_its_number(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(b'\n{"topic":"t","payload":1}\n' + line + b'\n{"topic":"t","payload":2}\n')
    items = [one.item for one in capture.read(file)]
    assert [item.payload for item in items if isinstance(item, Message)] == [b"1", b"2"]
    (skipped,) = (item for item in items if isinstance(item, Skipped))
    assert (skipped.file, skipped.line) == (str(file), 3)
    assert skipped.reason


def test_a_gzip_file_that_is_cut_short_gives_what_it_holds(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"topic":"t","payload":"%064x"}\n' % (n * 7**60) for n in range(5000)))
    file = tmp_path / "a.ndjson.gz"
    file.write_bytes(whole[: len(whole) // 2])
    items = [line.item for line in capture.read(file)]
    assert len(items) > 1000
    assert isinstance(items[-1], Skipped)
    assert "breaks off" in items[-1].reason


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.ndjson"):
        list(capture.read(tmp_path / "none.ndjson"))
