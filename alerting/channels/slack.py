"""Slack, by an incoming webhook.

Source: docs.slack.dev, "Sending messages using incoming webhooks" and "Formatting message text" (&, < and > are
escaped; <!channel> and <@user> are the mentions).
"""

from datetime import datetime
from typing import Final

from alerting.channels import Outbound, _chat
from alerting.notice import Notice, one_line
from alerting.outbound.http import Request

NAME: Final = "slack"
OPERATOR_ONLY: Final = False
Target = _chat.Target
available = _chat.available


async def send(notice: Notice, target: _chat.Target, outbound: Outbound, now: datetime) -> None:
    """Post the notice."""
    await outbound.http.send(request(notice, target), now)


def request(notice: Notice, target: _chat.Target) -> Request:
    """Return the request."""
    subject = f"{_chat.mark(notice)} *{_flat(notice.subject)}*"
    facts = [f"{escaped(fact.label)} : {escaped(fact.value)}" for fact in notice.facts]
    link = [f"<{notice.link}|{escaped(notice.link_label or notice.link)}>"] if notice.link else []
    text = "\n".join([subject, *map(escaped, notice.sentences), *facts, *link])
    return _chat.posted(target.url, {"text": text})


def escaped(text: str) -> str:
    """Return a text in which Slack sees no markup of its own."""
    return _chat.unmentioned(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _flat(subject: str) -> str:
    return escaped(one_line(subject)).replace("*", "\u2217")  # an asterisk would end the bold type
