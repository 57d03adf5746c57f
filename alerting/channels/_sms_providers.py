"""What each SMS provider wants to be sent. One function each: (settings, number, words, notice id, now) -> request.

Sources: OVHcloud "API SMS Cookbook" and "First steps with the OVHcloud APIs" (signature $1$ + SHA-1); Brevo "Send SMS
message to a mobile number"; Octopush "Send SMS" (request_id makes a repetition harmless for 24 h); SMSFactor
"Campaign". All: no commercial stop clause, since these are alerts people asked for.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from alerting.outbound.http import Request
from alerting.outbound.settings import SmsSettings

Provider = Callable[[SmsSettings, str, str, str, datetime], Request]


def _ovh(settings: SmsSettings, number: str, words: str, notice_id: str, now: datetime) -> Request:
    url = (settings.url or "https://eu.api.ovh.com/1.0") + f"/sms/{settings.account}/jobs"
    body = _json(
        {
            "receivers": [number],
            "message": words,
            "sender": settings.sender,
            "noStopClause": True,
            "priority": "high",
            "tag": notice_id[:20],
        }
    )
    at = str(int(now.timestamp()))
    key, secret, consumer = (
        value.get_secret_value() for value in (settings.key, settings.secret, settings.consumer_key)
    )
    signed = f"{secret}+{consumer}+POST+{url}+{body.decode()}+{at}"
    return _posted(
        url,
        body,
        {
            "X-Ovh-Application": key,
            "X-Ovh-Consumer": consumer,
            "X-Ovh-Timestamp": at,
            "X-Ovh-Signature": "$1$" + hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest(),
        },
    )


def _brevo(settings: SmsSettings, number: str, words: str, notice_id: str, now: datetime) -> Request:
    del now
    body = _json(
        {
            "sender": settings.sender,
            "recipient": number.removeprefix("+"),
            "content": words,
            "type": "transactional",
            "tag": notice_id,
        }
    )
    url = settings.url or "https://api.brevo.com/v3/transactionalSMS/send"
    return _posted(url, body, {"api-key": settings.key.get_secret_value()})


def _octopush(settings: SmsSettings, number: str, words: str, notice_id: str, now: datetime) -> Request:
    del now
    body = _json(
        {
            "recipients": [{"phone_number": number}],
            "text": words,
            "type": "sms_premium",
            "purpose": "alert",
            "sender": settings.sender,
            "request_id": notice_id,
        }
    )
    url = settings.url or "https://api.octopush.com/v1/public/sms-campaign/send"
    return _posted(url, body, {"api-login": settings.account, "api-key": settings.key.get_secret_value()})


def _smsfactor(settings: SmsSettings, number: str, words: str, notice_id: str, now: datetime) -> Request:
    del now
    message = {"text": words, "pushtype": "alert", "sender": settings.sender}
    gsm = [{"value": number.removeprefix("+"), "gsmsmsid": notice_id}]
    body = _json({"sms": {"message": message, "recipients": {"gsm": gsm}}})
    url = settings.url or "https://api.smsfactor.com/send"
    return _posted(url, body, {"Authorization": f"Bearer {settings.key.get_secret_value()}"})


def _custom(settings: SmsSettings, number: str, words: str, notice_id: str, now: datetime) -> Request:
    del notice_id, now
    filled = _filled(json.loads(settings.template), {"{to}": number, "{text}": words, "{sender}": settings.sender})
    secret = settings.secret.get_secret_value()
    return _posted(settings.url, _json(filled), {settings.header: secret} if secret else {})


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a JSON value with its texts filled in: what is put in can never become markup of the JSON."""
    if isinstance(value, dict):
        return {key: _filled(part, values) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, values) for part in value]
    return values.get(value, value) if isinstance(value, str) else value


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _posted(url: str, body: bytes, headers: Mapping[str, str]) -> Request:
    return Request(url, body, {"Content-Type": "application/json", "Accept": "application/json", **headers})


PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {"ovh": _ovh, "brevo": _brevo, "octopush": _octopush, "smsfactor": _smsfactor, "custom": _custom}
)
