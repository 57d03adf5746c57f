"""Whoever is wrong too often waits: by address, by e-mail, by account."""

import ipaddress
from datetime import timedelta
from typing import Final

from aiohttp import web

from api import problems
from api.context import CLOCK, SETTINGS
from api.limits import Limits
from api.problems import ProblemError

LIMITS: Final = web.AppKey("limits", Limits)
FREE_BY_ADDRESS: Final = 30  # a town hall is one address
FREE_BY_ACCOUNT: Final = 5


def remote(request: web.Request) -> str:
    """Return the address that asks, as the proxy in front tells it when there is one."""
    peer = _address(request.remote or "")
    if peer is not None and any(peer in network for network in request.app[SETTINGS].trusted_proxies):
        told = _address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())
        return str(told or peer)
    return request.remote or ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def refuse_too_many(request: web.Request, *subjects: tuple[str, int]) -> None:
    """Raise ProblemError with how long to wait when one of (subject, free failures) was wrong too often."""
    limits, now = request.app[LIMITS], request.app[CLOCK]()
    longest = max(limits.wait(subject, free, now) for subject, free in subjects)
    if longest > timedelta(0):
        raise ProblemError(problems.TOO_MANY_TRIES, retry_after_s=int(longest.total_seconds()) + 1)


def failed(request: web.Request, *subjects: str) -> None:
    """Count a failure of each subject."""
    for subject in subjects:
        request.app[LIMITS].failed(subject, request.app[CLOCK]())
