"""Loans in words: what, to whom, until when, and whether it is late. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from api.pages import words
from api.pages.pose_view import eui
from api.pages.texts import Texts
from store.loans import Loan


class Lent(NamedTuple):
    """A loan in a list. `href` is the address at which its lender acts, '' for who borrows."""

    device: str
    who: str
    kind: str
    until: str
    note: str
    due_on: str
    href: str


def lent(found: Sequence[Loan], today: date, texts: Texts) -> list[Lent]:
    """Return loans in words."""
    return [_lent(one, today, texts) for one in found]


def _lent(one: Loan, today: date, texts: Texts) -> Lent:
    day = words.day(one.due_on, texts)
    is_late = one.due_on < today
    who = "pret.lent_to" if one.is_lender else "pret.borrowed_from"
    return Lent(
        device=f"{one.name} · {eui(one.dev_eui)}" if one.name else eui(one.dev_eui),
        who=texts(who, lender=one.lender, borrower=one.borrower),
        kind="bad" if is_late else "none",
        until=texts("pret.late", day=day) if is_late else texts("pret.until", day=day),
        note=one.note,
        due_on=one.due_on.isoformat(),
        href=f"/t/{one.lender_slug}/prets/{one.loan_id}" if one.is_lender else "",
    )


def overdue(found: Sequence[Loan], today: date) -> int:
    """Return how many loans should be back."""
    return sum(one.due_on < today for one in found)
