"""Microsoft Teams, by a workflow's webhook ("When a Teams webhook request is received").

Source: learn.microsoft.com, "Create incoming webhooks with Workflows", and the Adaptive Cards schema 1.4. Text of a
TextBlock is a subset of Markdown; facts are plain.
"""

import re
from datetime import datetime
from typing import Final

from alerting.channels import Outbound, _chat
from alerting.notice import Notice, one_line
from alerting.outbound.http import Request

NAME: Final = "teams"
OPERATOR_ONLY: Final = False
Target = _chat.Target
available = _chat.available
_COLOURS: Final = {"info": "Accent", "warning": "Warning", "critical": "Attention"}
_MARKUP: Final = re.compile(r"([\\*_\[\]()#<>`])")


async def send(notice: Notice, target: _chat.Target, outbound: Outbound, now: datetime) -> None:
    """Post the notice."""
    await outbound.http.send(request(notice, target), now)


def request(notice: Notice, target: _chat.Target) -> Request:
    """Return the request."""
    colour = "Good" if notice.kind == "resolved" else _COLOURS[notice.severity]
    body: list[dict[str, object]] = [
        {
            "type": "TextBlock",
            "text": f"{_chat.mark(notice)} {escaped(one_line(notice.subject))}",
            "weight": "Bolder",
            "size": "Medium",
            "color": colour,
            "wrap": True,
        },
        *({"type": "TextBlock", "text": escaped(sentence), "wrap": True} for sentence in notice.sentences),
    ]
    if notice.facts:
        facts = [{"title": fact.label, "value": escaped(fact.value)} for fact in notice.facts]
        body.append({"type": "FactSet", "facts": facts})
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "lang": notice.language,
        "body": body,
    }
    if notice.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": notice.link_label or notice.link, "url": notice.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return _chat.posted(target.url, {"type": "message", "attachments": [attachment]})


def escaped(text: str) -> str:
    """Return a text in which Teams sees no Markdown."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
