"""Lines out of a stream of bytes, none longer than what memory was promised."""

from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """One line without its end. `size` is its true size: more than len(text) when it was too long and cut."""

    text: bytes
    size: int


class Lines:
    """Give it what arrives; it gives back the lines that are whole. An empty line is none."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._begun = bytearray()
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """Yield the lines that `chunk` ends."""
        *ended, begun = chunk.split(b"\n")
        for part in ended:
            self._add(part)
            yield from self.rest()
        self._add(begun)

    def rest(self) -> Iterator[Line]:
        """Yield the line that has begun, as if it ended here."""
        line = Line(bytes(self._begun).strip(), self._size)
        self._begun.clear()
        self._size = 0
        if line.size > self._max_bytes:
            yield line
        elif line.text:
            yield Line(line.text, len(line.text))

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        self._begun += part[: self._max_bytes - len(self._begun)]
