"""What the demonstration remembers from one start to the next, so that nothing is published twice."""

import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple


class DemoState(NamedTuple):
    """Times are UTC. `history_until` is None before the first history was published whole.

    `captures_at` is the moment that captures were moved to: the same again after an interruption, so that what
    was published already is recognised.
    """

    history_until: datetime | None = None
    captures_at: datetime | None = None
    captures_done: bool = False


def load(file: Path) -> DemoState:
    """Return what was saved; the beginning when nothing readable was."""
    try:
        saved = json.loads(file.read_text(encoding="utf-8"))
        return DemoState(_time(saved["history_until"]), _time(saved["captures_at"]), bool(saved["captures_done"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return DemoState()


def save(file: Path, state: DemoState) -> None:
    """Replace what was saved."""
    values = {
        "history_until": state.history_until and state.history_until.isoformat(),
        "captures_at": state.captures_at and state.captures_at.isoformat(),
        "captures_done": state.captures_done,
    }
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(values), encoding="utf-8")
    draft.replace(file)


def _time(text: str | None) -> datetime | None:
    """Return the time, None for None. Raises ValueError, also for one without a zone."""
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time
