"""What one person is told about one incident, in that person's language. Every channel says it in its own form."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Severity = Literal["info", "warning", "critical"]
Kind = Literal["opened", "updated", "reminder", "escalated", "resolved", "digest", "test"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")


class Fact(NamedTuple):
    """One line of a notice: "Depuis", "sam. 22 nov., 14 h 05"."""

    label: str
    value: str


class Notice(NamedTuple):
    """One message to one person.

    `notice_id` is the same each time the notice is sent again, so that who receives it twice can tell;
    `thread_id` is that of all notices of one incident. `subject` is one line. `data` is the same in figures, for
    programs. Names of sites, points and rules stand in it as people typed them: each channel escapes them.
    """

    notice_id: str
    thread_id: str
    kind: Kind
    severity: Severity
    language: str
    subject: str
    sentences: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    link: str = ""
    link_label: str = ""
    footer: str = ""
    data: Mapping[str, object] = {}


def one_line(text: str, limit: int = 200) -> str:
    """Return a text on one line, without control characters, cut with an ellipsis: for subjects and headers."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def plain_text(notice: Notice) -> str:
    """Return the whole notice as text, its parts separated by blank lines."""
    facts = "\n".join(
        f"{fact.label} : {fact.value}" if notice.language == "fr" else f"{fact.label}: {fact.value}"
        for fact in notice.facts
    )
    link = f"{notice.link_label}\n{notice.link}" if notice.link else ""
    return "\n\n".join(part for part in ("\n\n".join(notice.sentences), facts, link, notice.footer) if part)
