"""Where a network server is, once it is known that Samara may speak to it: inside only if the operator named it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from alerting.outbound.addresses import checked_url, is_allowed
from alerting.outbound.errors import DeliveryError
from alerting.provisioning.errors import ServerError
from alerting.provisioning.settings import ProvisioningSettings
from domain.errors import ConfigurationError


class Place(NamedTuple):
    """Addresses to connect to and no others. `ca` is PEM, b"" for the authorities that everybody trusts."""

    host: str
    port: int
    addresses: tuple[str, ...]
    tls: bool
    ca: bytes = b""


# Takes an address as it is configured, resolves it once, and returns the place. Raises ServerError.
Door = Callable[[str], Awaitable[Place]]


def door(settings: ProvisioningSettings) -> Door:
    """Return what says where a network server is: inside only if the operator named it. Raises ConfigurationError."""
    try:
        ca = settings.ca_file.read_bytes() if settings.ca_file else b""
    except OSError as error:
        raise ConfigurationError(f"provisioning.ca_file: {error}") from None

    async def opened(address: str) -> Place:
        is_operators = address.rstrip("/") in {one.rstrip("/") for one in settings.servers}
        try:
            parts = urlsplit(address)
            host = parts.hostname or "" if is_operators else checked_url(address)[1]
            tls = parts.scheme == "https"
            port = parts.port or (443 if tls else 80)
        except (DeliveryError, ValueError) as error:
            raise ServerError(str(error), permanent=True) from None
        addresses = await _resolved(host, port)
        if not is_operators:
            for one in addresses:
                if not is_allowed(ip_address(one), (), tls=tls):
                    raise ServerError(
                        f"this address is refused: {host} leads to {one}, which is not a public address", permanent=True
                    )
        return Place(host, port, addresses, tls, ca if is_operators else b"")

    return opened


async def _resolved(host: str, port: int) -> tuple[str, ...]:
    """Return where a host is, in one version of IP."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServerError(f"{host}: {error.strerror or error}") from None
    first = found[0][0]
    return tuple(dict.fromkeys(str(address[0]) for family, _, _, _, address in found if family == first))
