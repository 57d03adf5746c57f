"""The files of a new installation in containers: every secret is made here, none has a default.

    .env                       names, versions, secrets; for its owner alone
    compose.yaml, Caddyfile    as they come with Samara
    samara.toml                network servers, without secrets
    mosquitto/                 configuration, users, rights, certificates

Nothing is written over: what is there belongs to the operator.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Final, NamedTuple

from deploy.certificates import certify
from domain.errors import ConfigurationError

MOSQUITTO_UID: Final = 1883  # of its image, and of compose.yaml
READER: Final = "samara"  # Mosquitto's user for ingest

_SECRET_BYTES: Final = 24
_SALT_BYTES: Final = 12
_ITERATIONS: Final = 20_000  # each connection of a network server costs Mosquitto's one thread so many
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Asked(NamedTuple):
    """What the operator says: the domain of the pages, and each network server's name and module."""

    domain: str
    network_servers: Mapping[str, str]


class File(NamedTuple):
    """One file to write. `mode` is its permissions, `owner` the user id of the container that reads it, 0: ours."""

    content: bytes
    mode: int
    owner: int = 0


def installation(
    asked: Asked,
    topics: Mapping[str, Sequence[str]],
    *,
    now: datetime,
    secret: Callable[[int], bytes],
    version: str,
) -> dict[str, File]:
    """Return the files by their path. `secret` gives so many random bytes; `topics` are those of each module.

    Raises ConfigurationError for a domain, a name or a module that is none.
    """
    _check(asked, topics)
    passwords = {name: _text(secret) for name in (*asked.network_servers, READER)}
    authority, certificate, key = certify(["mosquitto", asked.domain, "localhost"], now)
    shipped = files("deploy") / "containers"
    return {
        ".env": File(_env(asked, passwords, secret, version).encode(), 0o600),
        "compose.yaml": File((files("deploy") / "compose.yaml").read_bytes(), 0o644),
        "Caddyfile": File((shipped / "Caddyfile").read_bytes(), 0o644),
        "samara.toml": File(_settings(asked).encode(), 0o644),
        "mosquitto/mosquitto.conf": File((shipped / "mosquitto.conf").read_bytes(), 0o644),
        "mosquitto/passwords": File(_hashed(passwords, secret).encode(), 0o600, MOSQUITTO_UID),
        "mosquitto/acl": File(_rights(asked, topics).encode(), 0o600, MOSQUITTO_UID),
        "mosquitto/ca.pem": File(authority, 0o644),
        "mosquitto/server.pem": File(certificate, 0o644),
        "mosquitto/server.key": File(key, 0o600, MOSQUITTO_UID),
    }


def _check(asked: Asked, topics: Mapping[str, Sequence[str]]) -> None:
    if not _DOMAIN.fullmatch(asked.domain):
        raise ConfigurationError(f"{asked.domain!r} is not a domain such as samara.example.fr, in lower case")
    for name, lns in asked.network_servers.items():
        if not _NAME.fullmatch(name) or name == READER:
            raise ConfigurationError(f"network server {name!r}: a name is of lower-case letters, digits, - and _")
        if not topics.get(lns):
            known = ", ".join(sorted(one for one, its in topics.items() if its))
            raise ConfigurationError(f"network server {name}: {lns!r} is not heard over MQTT; there are {known}")
    if not asked.network_servers:
        raise ConfigurationError("name at least one network server: chirpstack=chirpstack")


def _env(asked: Asked, passwords: Mapping[str, str], secret: Callable[[int], bytes], version: str) -> str:
    owner = _text(secret)
    lines = [
        "# Made by `samara init`. Whoever reads this file reads everything: keep it to its owner, in no repository.",
        f"SAMARA_VERSION={version}",
        f"SAMARA_DOMAIN={asked.domain}",
        "",
        "# PostgreSQL.",
        f"DATABASE_PASSWORD={owner}",
        f"DATABASE_DSN=postgresql://samara:{owner}@database:5432/samara",
        *(
            f"{role.upper()}_DSN=postgresql://samara_{role}:{_text(secret)}@database:5432/samara"
            for role in ("ingest", "api", "accounts", "alerting", "provisioning")
        ),
    ]
    key = base64.b64encode(secret(32)).decode()
    lines += [
        "",
        "# Seals network keys and second factors: keep a copy apart from the backups.",
        f"KEYRING=first:{key}",
    ]
    lines += ["", "# Grafana's first administrator.", f"GRAFANA_ADMIN_PASSWORD={_text(secret)}"]
    lines += [
        "# What the passwords of the tenants' database roles are made of.",
        f"GRAFANA_DATABASE_SECRET={_text(secret)}",
        "",
    ]
    lines.append("# Mosquitto: what to give to each network server, with mosquitto/ca.pem.")
    lines += [f"MQTT_PASSWORD_{_variable(name)}={password}" for name, password in passwords.items()]
    return "\n".join(lines) + "\n"


# Nothing but the proxy reaches the API: whatever inside address asks is the proxy's.
_PROXIES: Final = 'trusted_proxies = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]'


def _settings(asked: Asked) -> str:
    blocks = [
        "# Made by `samara init`. Secrets are in .env; every setting is in deploy/samara.example.toml.",
        '[log]\nformat = "json"',
        f'[api]\nhttps = true\npublic_url = "https://{asked.domain}"\n{_PROXIES}',
        f'[notifications]\nbase_url = "https://{asked.domain}"',
        '[grafana]\nurl = "http://grafana:3000"\ndatabase = "postgresql://database:5432/samara"',
    ]
    blocks += [
        f'[[ingest.mqtt]]\nname = "{name}"\nlns = "{lns}"\nhost = "mosquitto"\nport = 8883\nprotocol = "5"\n'
        f'client_id = "samara-{name}"\nshared_group = "samara"\nusername = "{READER}"\n'
        f'password_file = "/run/secrets/mqtt"\n\n[ingest.mqtt.tls]\nca_file = "/etc/samara/ca.pem"'
        for name, lns in asked.network_servers.items()
    ]
    return "\n\n".join(blocks) + "\n"


def _rights(asked: Asked, topics: Mapping[str, Sequence[str]]) -> str:
    """Return Mosquitto's rights: a network server writes what it tells, ingest reads it, and nobody else anything.

    What a network server is told (downlinks) it reads; who tells it is added by hand.
    """
    lines = ["# Made by `samara init`."]
    for name, lns in asked.network_servers.items():
        lines += ["", f"user {name}", *(f"topic write {topic}" for topic in topics[lns])]
        lines += [f"topic read {topic}" for topic in _COMMANDS.get(lns, ())]
    heard = sorted({topic for lns in asked.network_servers.values() for topic in topics[lns]})
    return "\n".join([*lines, "", f"user {READER}", *(f"topic read {topic}" for topic in heard)]) + "\n"


_COMMANDS: Final = {
    "chirpstack": ("application/+/device/+/command/down",),
    "thethingsstack": ("v3/+/devices/+/down/push", "v3/+/devices/+/down/replace"),
}


def _hashed(passwords: Mapping[str, str], secret: Callable[[int], bytes]) -> str:
    """Return Mosquitto's password file: PBKDF2 with SHA-512, as mosquitto_passwd of 2.0 writes it."""
    lines = []
    for name, password in passwords.items():
        salt = secret(_SALT_BYTES)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
        lines.append(f"{name}:$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}")
    return "\n".join(lines) + "\n"


def _text(secret: Callable[[int], bytes]) -> str:
    """Return a password that needs no quoting in a URL, a shell or a .env file."""
    return secret(_SECRET_BYTES).hex()


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
