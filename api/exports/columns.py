"""Parquet, by groups of rows, where pyarrow is installed (the extra `parquet`)."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from api.exports.form import COLUMNS, Row


class Columns:
    """One Parquet file. Raises ImportError without pyarrow."""

    media_type = "application/vnd.apache.parquet"
    suffix = "parquet"

    def __init__(self) -> None:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, for this form alone
        from pyarrow import parquet  # noqa: PLC0415

        at = pa.timestamp("us", tz="UTC")
        types = [pa.string()] * 5 + [pa.int16(), at, pa.timestamp("us")] + [pa.float64()] * 3
        self._arrow: Any = pa
        self._schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
        self._held = _Held()
        self._writer: Any = parquet.ParquetWriter(self._held, self._schema)

    def begin(self) -> bytes:
        """Return what is written already."""
        return self._held.take()

    def add(self, rows: Sequence[Row]) -> bytes:
        """Return the rows, as one group."""
        by_column = zip(*rows, strict=True)
        columns = [self._arrow.array(one, type=field.type) for one, field in zip(by_column, self._schema, strict=True)]
        self._writer.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema))
        return self._held.take()

    def end(self) -> Iterator[bytes]:
        """Yield the rest: where everything is."""
        self._writer.close()
        yield self._held.take()

    def close(self) -> None:
        """Hold nothing."""


class _Held(io.RawIOBase):
    """A file that is only written to, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        data = bytes(chunk)
        self._chunks.append(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken = b"".join(self._chunks)
        self._chunks.clear()
        return taken
