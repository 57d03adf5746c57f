"""Mattermost, by an incoming webhook.

Source: developers.mattermost.com, "Incoming webhooks" (JSON `text` in Markdown; @all and @channel mention).
"""

import re
from datetime import datetime
from typing import Final

from alerting.channels import Outbound, _chat
from alerting.notice import Notice, one_line
from alerting.outbound.http import Request

NAME: Final = "mattermost"
OPERATOR_ONLY: Final = False
Target = _chat.Target
available = _chat.available
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~])")


async def send(notice: Notice, target: _chat.Target, outbound: Outbound, now: datetime) -> None:
    """Post the notice."""
    await outbound.http.send(request(notice, target), now)


def request(notice: Notice, target: _chat.Target) -> Request:
    """Return the request."""
    lines = [f"{_chat.mark(notice)} **{escaped(one_line(notice.subject))}**", *map(escaped, notice.sentences)]
    if notice.facts:
        lines += [
            "| | |",
            "|:--|:--|",
            *(f"| {escaped(fact.label)} | {escaped(fact.value)} |" for fact in notice.facts),
        ]
    if notice.link:
        lines += ["", f"[{escaped(notice.link_label or notice.link)}]({notice.link})"]
    return _chat.posted(target.url, {"text": "\n".join(lines)})


def escaped(text: str) -> str:
    """Return a text in which Mattermost sees neither Markdown nor a mention."""
    return _chat.unmentioned(_MARKUP.sub(r"\\\1", " ".join(text.split())))
