"""Which addresses Samara may speak to when a user names the host: none of the inside network (SSRF).

Source: IANA special-purpose address registries (RFC 6890), as Python's `ipaddress` knows them; OWASP Server-Side
Request Forgery Prevention Cheat Sheet. A name is resolved once, every answer is checked, and the connection goes to
what was checked: a name that answers differently the second time gains nothing.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from alerting.outbound.errors import DeliveryError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ANYWHERE: Final[tuple[Network, ...]] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))  # for what the operator sets

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_ENCODED: Final = "xn--"
_NAT64: Final = IPv6Network("64:ff9b::/96")


def checked_url(url: str, *, allow_http: bool = False) -> tuple[str, str]:
    """Return (scheme, host) of a web address that a user gave.

    Raises DeliveryError (permanent) for what is no plain https address: another scheme, credentials, a fragment, a
    host that is not of ASCII letters, an internationalised name (two names that look alike), a numeric shorthand.
    """
    if len(url) > 2048 or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise refused("an address is at most 2,048 ASCII characters, without spaces or backslashes")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
    except ValueError as error:
        raise refused(str(error)) from error
    if parts.scheme not in (("https", "http") if allow_http else ("https",)):
        raise refused(f"the address begins with {parts.scheme or 'no scheme'}, not https")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise refused("an address carries neither a user nor a fragment")
    host = (parts.hostname or "").rstrip(".")
    if literal(host) is None and not _is_name(host):
        raise refused(f"{host!r} is not the name of a host")
    return parts.scheme, host


def _is_name(host: str) -> bool:
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or any(_LABEL.match(label) is None for label in labels):
        return False
    # 0x7f.1, 2130706433.0: shorthands of addresses end in digits; a top-level domain never does.
    return not labels[-1][0].isdigit() and not any(label.startswith(_ENCODED) for label in labels)


def literal(host: str) -> Address | None:
    """Return the address that a host is written as, None when it is a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_allowed(address: Address, allowed: Sequence[Network], *, tls: bool) -> bool:
    """Say whether Samara may connect there: one of the operator's networks, or with TLS any public address."""
    inner = _embedded(address)
    if any(inner in network for network in allowed if network.version == inner.version):
        return True
    return tls and inner.is_global and not inner.is_multicast and not inner.is_reserved


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one carries, which is where the packets go; else the address."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def refused(why: str) -> DeliveryError:
    """Return the error of an address that Samara will not speak to."""
    return DeliveryError(f"this address is refused: {why}", permanent=True)
