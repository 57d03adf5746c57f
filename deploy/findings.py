"""What `samara doctor` finds."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Verdict = Literal["ok", "warning", "wrong"]


class Finding(NamedTuple):
    """One thing looked at. `advice` is what to do, '' when nothing is."""

    subject: str
    verdict: Verdict
    said: str
    advice: str = ""


def worst(findings: Sequence[Finding]) -> Verdict:
    """Return the gravest verdict."""
    verdicts = {finding.verdict for finding in findings}
    return "wrong" if "wrong" in verdicts else "warning" if "warning" in verdicts else "ok"
