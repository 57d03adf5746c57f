"""What the chat channels share: an incoming-webhook address, and a JSON body."""

import json
from collections.abc import Mapping
from typing import Final

from alerting import channels
from alerting.notice import Notice
from alerting.outbound.http import Request
from alerting.outbound.settings import DeliverySettings

MARKS: Final = {"info": "\U0001f535", "warning": "\U0001f7e0", "critical": "\U0001f534"}  # a blue, orange, red disc
RESOLVED: Final = "\u2705"  # a white check mark
_NO_BREAK: Final = "\u2060"  # word joiner: shown as nothing, and ends a mention


class Target(channels.Target):
    """The incoming-webhook address that the chat gave; it is a secret in itself."""

    url: channels.WebAddress


def available(settings: DeliverySettings) -> bool:
    """Say yes: it needs nothing of the operator."""
    del settings
    return True


def mark(notice: Notice) -> str:
    """Return the sign that goes before the subject; the words say it too."""
    return RESOLVED if notice.kind == "resolved" else MARKS[notice.severity]


def unmentioned(text: str) -> str:
    """Return a text in which no `@name` or `@all` calls anybody."""
    return text.replace("@", f"@{_NO_BREAK}")


def posted(url: str, body: Mapping[str, object]) -> Request:
    """Return a JSON request to an incoming webhook."""
    return Request(
        url=url,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "Samara"},
    )
