"""What the tests measured: printed at the end of the run, and written as JSON."""

import json
from pathlib import Path
from typing import Any


class Figures:
    """Collects the figures of one run, by row of the table of faults."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def report(self, row: str, **figures: Any) -> None:
        """Note figures of a row; each name carries its unit."""
        self.rows.setdefault(row, {}).update(figures)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.rows, indent=2, default=str) + "\n", encoding="utf-8")

    def told(self) -> list[str]:
        return [
            f"{row}: " + ", ".join(f"{name} {_short(value)}" for name, value in figures.items())
            for row, figures in sorted(self.rows.items())
        ]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
