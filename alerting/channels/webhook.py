"""A signed request to a program of the tenant's choice.

`Samara-Signature: t=<unix seconds>,v1=<hex>` where v1 is HMAC-SHA256 of "<t>.<body>" under the contact's secret
(RFC 2104): who receives it checks both, and refuses a `t` that is too old. `Idempotency-Key` is the same each time
the same notice is sent again.
"""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, SecretStr

from alerting import channels
from alerting.notice import Notice, one_line
from alerting.outbound.http import Request
from alerting.outbound.settings import DeliverySettings

NAME: Final = "webhook"
OPERATOR_ONLY: Final = False


class Target(channels.Target):
    """An address that answers 2xx, and the secret shared with it."""

    url: channels.WebAddress
    secret: Annotated[SecretStr, Field(min_length=16, max_length=256)]


def available(settings: DeliverySettings) -> bool:
    """Say yes: it needs nothing of the operator."""
    del settings
    return True


async def send(notice: Notice, target: Target, outbound: channels.Outbound, now: datetime) -> None:
    """Post the notice."""
    await outbound.http.send(request(notice, target, now), now)


def request(notice: Notice, target: Target, now: datetime) -> Request:
    """Return the signed request."""
    body = json.dumps(
        {
            "id": notice.notice_id,
            "incident": notice.thread_id,
            "kind": notice.kind,
            "severity": notice.severity,
            "subject": one_line(notice.subject),
            "text": "\n\n".join(notice.sentences),
            "link": notice.link,
            "data": dict(notice.data),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    at = int(now.timestamp())
    return Request(
        url=target.url,
        body=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "Samara",
            "Idempotency-Key": notice.notice_id,
            "Samara-Signature": f"t={at},v1={signature(target.secret.get_secret_value(), at, body)}",
        },
    )


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of "<at>.<body>"; `at` in Unix seconds."""
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
