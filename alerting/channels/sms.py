"""SMS, by the operator's account at one of the usual French providers, or at a gateway of one's own.

Length: 3GPP TS 23.038: 160 septets in one message, 153 in each of several; 70 and 67 characters when a letter is
outside the GSM alphabet. Letters outside it are written without their accent rather than doubling the price.
"""

import unicodedata
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from alerting import channels
from alerting.channels import _sms_providers
from alerting.notice import Notice, one_line
from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import DeliverySettings

NAME: Final = "sms"
OPERATOR_ONLY: Final = False

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€")  # two septets each
_ONE: Final = 160
_EACH: Final = 153
# Typographic letters and what is written for each.
_LIKE: Final = {
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": '"',
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{DEGREE SIGN}": "",
    "œ": "oe",
    "Œ": "OE",
}


class Target(channels.Target):
    """A mobile number in the international form."""

    number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{7,14}$")]


def available(settings: DeliverySettings) -> bool:
    """Say whether there is a provider."""
    return bool(settings.sms.provider)


async def send(notice: Notice, target: Target, outbound: channels.Outbound, now: datetime) -> None:
    """Hand the words to the provider."""
    if not available(outbound.settings):
        raise DeliveryError("no SMS provider is set: [notifications.sms] provider", permanent=False)
    settings = outbound.settings.sms
    words = text(notice, settings.max_segments)
    request = _sms_providers.PROVIDERS[settings.provider](settings, target.number, words, notice.notice_id, now)
    await outbound.operator_http.send(request, now)


def text(notice: Notice, max_segments: int) -> str:
    """Return the words of an SMS: the subject, where and how much, the link; cut so as to cost what is allowed."""
    limit = _ONE if max_segments == 1 else _EACH * max_segments
    link = f" {in_gsm(notice.link)}" if notice.link else ""
    facts = " ".join(f"{fact.label}: {fact.value}." for fact in notice.facts)
    words = in_gsm(one_line(f"{notice.subject}. {facts}", 2000)).strip()
    room = limit - septets(link)
    while septets(words) > room:
        words = words[: -max(1, (septets(words) - room) // 2)].rstrip()
    return words + link


def in_gsm(text: str) -> str:
    """Return a text in the GSM alphabet: other letters lose their accent, or become a question mark."""
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    if letter in _BASIC or letter in _EXTENDED:
        return letter
    if letter in _LIKE:
        return _LIKE[letter]
    if letter.isspace():
        return " "
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if part in _BASIC)
    return bare or ("" if unicodedata.category(letter)[0] in "MC" else "?")


def septets(text: str) -> int:
    """Return the length of a text in the GSM alphabet, in septets."""
    return sum(2 if letter in _EXTENDED else 1 for letter in text)


def segments(text: str) -> int:
    """Return how many messages a text in the GSM alphabet is billed as."""
    length = septets(text)
    return 1 if length <= _ONE else -(-length // _EACH)
