"""Whether an installation, in containers or as systemd's services, is still as it was meant. Reads files alone."""

import re
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from cryptography import x509

from deploy.findings import Finding

_EXPIRES_SOON: Final = timedelta(days=60)
_NAMED: Final = re.compile(r"\$\{(\w+)")
_SECRET_OF: Final = re.compile(r"\{environment: (\w+)\}")


def installed(directory: Path, units: Path, credentials: Path, now: datetime) -> Iterator[Finding]:
    """Yield what is found of the containers of `directory` and of the units in `units`; nothing if there are none."""
    if (directory / "compose.yaml").is_file() and (directory / ".env").is_file():
        yield from _containers(directory, now)
    if (units / "samara.target").is_file():
        yield from _services(units, credentials)


def _containers(directory: Path, now: datetime) -> Iterator[Finding]:
    env = directory / ".env"
    if (finding := _private(env, "containers")) is not None:
        yield finding
    values = dict(
        line.split("=", 1) for line in env.read_text(encoding="utf-8").splitlines() if re.match(r"\w+=", line)
    )
    compose = (directory / "compose.yaml").read_text(encoding="utf-8")
    missing = sorted(
        name for name in {*_NAMED.findall(compose), *_SECRET_OF.findall(compose)} if not values.get(name, "").strip()
    )
    if missing:
        said = f".env has no value for {', '.join(missing)}"
        yield Finding("containers", "wrong", said, "take them from a backup, or make new ones with `samara init`")
    ours, theirs = version("samara"), values.get("SAMARA_VERSION", "")
    if theirs and theirs != ours:
        said = f".env names version {theirs}, this program is {ours}"
        yield Finding("containers", "warning", said, "docker compose run migrate, then set SAMARA_VERSION")
    certificate = directory / "mosquitto" / "server.pem"
    if certificate.is_file():
        yield _certificate(certificate, now)
    if not missing:
        yield Finding("containers", "ok", f"{directory.absolute()} is complete")


def _certificate(path: Path, now: datetime) -> Finding:
    until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    if until < now:
        return Finding("certificate", "wrong", f"{path.name} ended on {until:%Y-%m-%d}", "make a new one, and restart")
    if until - now < _EXPIRES_SOON:
        said = f"{path.name} ends on {until:%Y-%m-%d}"
        return Finding("certificate", "warning", said, "make a new one: samara init into another directory, then copy")
    return Finding("certificate", "ok", f"{path.name} is valid until {until:%Y-%m-%d}")


def _services(units: Path, credentials: Path) -> Iterator[Finding]:
    shipped = files("deploy") / "systemd"
    names = [one.name for one in shipped.iterdir() if one.name.endswith((".service", ".target"))]
    changed = []
    for name in [*names, "samara-.service.d/hardened.conf"]:
        there = units / name
        if not there.is_file():
            yield Finding("systemd", "wrong", f"{there} is missing", "copy it, then systemctl daemon-reload")
        elif there.read_bytes() != shipped.joinpath(name).read_bytes():
            changed.append(name)
    if changed:
        said = f"{', '.join(changed)}: not as this version ships it"
        yield Finding("systemd", "warning", said, "keep changes in drop-ins: systemctl edit")
    for name in ("dsn", "ingest_dsn", "api_dsn", "accounts_dsn", "alerting_dsn", "provisioning_dsn", "keyring"):
        dsn = credentials / name
        if not dsn.is_file():
            content = "what `samara keys new` prints" if name == "keyring" else "postgresql://…"
            advice = f"write {content} into {dsn}, mode 600"
            yield Finding("systemd", "wrong", f"{dsn} is missing: units cannot start", advice)
        elif (finding := _private(dsn, "systemd")) is not None:
            yield finding
    if not changed:
        yield Finding("systemd", "ok", f"{len(names)} units")


def _private(path: Path, subject: str) -> Finding | None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(subject, "wrong", f"{path} can be read by others (mode {mode:o})", f"chmod 600 {path}")
    return None
