"""Where a broker is, and how to speak to it."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from domain.errors import ConfigurationError, SamaraError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerUnreachableError(SamaraError):
    """The broker does not answer; the same call may work later."""


class BrokerRefusedError(SamaraError):
    """The broker refuses this client: wrong user, password, client identifier or rights."""


class PublishRefusedError(SamaraError):
    """The broker closes the connection at each attempt to publish; the oldest message is likely too large."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAddress:
    """One MQTT broker. `ca_file` alone verifies the server; certificate and key also prove the client."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def from_url(cls, url: str) -> "BrokerAddress":
        """Read `mqtt[s]://[user[:password]@]host[:port]`; raise ConfigurationError if it is not that."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"broker URL: {error}") from error
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
            raise ConfigurationError("a broker URL has the form mqtt[s]://[user[:password]@]host[:port]")
        return cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "mqtts",
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS context, None for a plain connection; raise ConfigurationError on an unusable file."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"TLS files: {error}") from error
        return context
