"""Lines come out whole however the stream is cut, and none takes more memory than was promised."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.repair.lines import Line, Lines


def fed(chunks: list[bytes], max_bytes: int) -> list[Line]:
    lines = Lines(max_bytes)
    found = [line for chunk in chunks for line in lines.feed(chunk)]
    return [*found, *lines.rest()]


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 20))
def test_any_cut_gives_the_same_lines(chunks: list[bytes], max_bytes: int) -> None:
    assert fed(chunks, max_bytes) == fed([b"".join(chunks)], max_bytes)


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_lines_are_those_of_the_text(chunks: list[bytes]) -> None:
    text = b"".join(chunks)
    assert [line.text for line in fed(chunks, 1000)] == [part.strip() for part in text.split(b"\n") if part.strip()]


def test_what_is_too_long_is_cut_and_says_its_size() -> None:
    assert fed([b"abcdef", b"ghij\nkl\n"], 4) == [Line(b"abcd", 10), Line(b"kl", 2)]
