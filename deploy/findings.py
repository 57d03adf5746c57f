"""What `samara doctor` finds."""

from typing import Literal, NamedTuple

Verdict = Literal["ok", "warning", "wrong"]


class Finding(NamedTuple):
    """One thing looked at. `advice` is what to do, '' when nothing is."""

    subject: str
    verdict: Verdict
    said: str
    advice: str = ""
