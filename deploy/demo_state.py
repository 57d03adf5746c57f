"""What the demonstration remembers from one start to the next, so that nothing is published twice."""

import json
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple


class DemoState(NamedTuple):
    """Times are UTC. None before the first start: `story`, the day around which things go wrong; `begin` of its past.

    `history_until` is None before the first history was published whole.

    `captures_at` is the moment that captures were moved to: the same again after an interruption, so that what
    was published already is recognised.
    """

    story: datetime | None = None
    begin: datetime | None = None
    history_until: datetime | None = None
    captures_at: datetime | None = None
    captures_done: bool = False


_TIMES: Final = ("story", "begin", "history_until", "captures_at")


def load(file: Path) -> DemoState:
    """Return what was saved; the beginning when nothing readable was."""
    try:
        saved = json.loads(file.read_text(encoding="utf-8"))
        times = {name: _time(saved[name]) for name in _TIMES}
        return DemoState(**times, captures_done=bool(saved["captures_done"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return DemoState()


def save(file: Path, state: DemoState) -> None:
    """Replace what was saved."""
    values = {
        **{name: _written(getattr(state, name)) for name in _TIMES},
        "captures_done": state.captures_done,
    }
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(values), encoding="utf-8")
    draft.replace(file)


def _written(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str | None) -> datetime | None:
    """Return the time, None for None. Raises ValueError, also for one without a zone."""
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time
