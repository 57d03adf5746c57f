"""ntfy: push notifications to phones, on ntfy.sh or a server of one's own.

Source: docs.ntfy.sh, "Publish as JSON": one POST to the server's root; priority 1 to 5; `click` opens a link.
"""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from alerting.channels import Outbound, _chat
from alerting.notice import Notice, one_line
from alerting.outbound.http import Request

NAME: Final = "ntfy"
OPERATOR_ONLY: Final = False
available = _chat.available
_PRIORITIES: Final = {"info": 3, "warning": 4, "critical": 5}


def _plain(token: SecretStr) -> SecretStr:
    value = token.get_secret_value()
    if not (value.isascii() and value.replace("_", "").replace("-", "").isalnum()) and value:
        raise ValueError("a token is letters, digits, - and _")
    return token


class Target(_chat.Target):
    """The server's root address, the topic, and the access token when the topic is protected."""

    url: Annotated[str, Field(max_length=2048)] = "https://ntfy.sh"
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    token: Annotated[SecretStr, Field(max_length=256), AfterValidator(_plain)] = SecretStr("")


async def send(notice: Notice, target: Target, outbound: Outbound, now: datetime) -> None:
    """Publish the notice."""
    await outbound.http.send(request(notice, target), now)


def request(notice: Notice, target: Target) -> Request:
    """Return the request."""
    facts = [f"{fact.label} : {fact.value}" for fact in notice.facts]
    body: dict[str, object] = {
        "topic": target.topic,
        "title": one_line(notice.subject),
        "message": "\n".join([*notice.sentences, *facts]),
        "priority": 3 if notice.kind == "resolved" else _PRIORITIES[notice.severity],
        "tags": ["white_check_mark" if notice.kind == "resolved" else "warning"],
    }
    if notice.link:
        body["click"] = notice.link
    posted = _chat.posted(target.url, body)
    token = target.token.get_secret_value()
    return posted._replace(headers={**posted.headers, "Authorization": f"Bearer {token}"}) if token else posted
