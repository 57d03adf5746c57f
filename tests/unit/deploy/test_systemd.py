"""The units: hardened by systemd's own measure, one for each role, and what `samara doctor` says of an installation."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.cli.serving import Role
from deploy.initialising import Asked, installation
from deploy.installation import installed

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "deploy" / "systemd"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
MOST_EXPOSED = 2.0
TOPICS = {"chirpstack": ("application/+/device/+/event/+",)}


def written(directory: Path) -> Path:
    asked = Asked("samara.example.fr", {"chirpstack": "chirpstack"})
    for path, file in installation(asked, TOPICS, now=NOW, secret=bytes, version="0.1.0").items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).touch(mode=file.mode)
        (directory / path).write_bytes(file.content)
    return directory


def said(directory: Path, units: Path, now: datetime = NOW) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"ok": [], "warning": [], "wrong": []}
    for finding in installed(directory, units, units / "credentials", now):
        found[finding.verdict].append(finding.said)
        assert (finding.verdict == "ok") is (not finding.advice)
    return found


@pytest.fixture
def system(tmp_path: Path) -> Path:
    shutil.copytree(UNITS, tmp_path / "etc" / "systemd" / "system")
    return tmp_path


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_each_role_has_a_unit_that_is_exposed_little(system: Path, role: str) -> None:
    assert (UNITS / f"samara-{role}@.service").is_file()
    assert len(re.findall(rf"samara-{role}@", (UNITS / "samara.target").read_text(encoding="utf-8"))) == 2
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze: not installed; apt-get install systemd")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--root={system}", f"samara-{role}@8080.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unknown" not in done.stderr, done.stderr
    level = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) < MOST_EXPOSED, done.stdout


def test_nothing_installed_is_not_told(tmp_path: Path) -> None:
    assert said(tmp_path, tmp_path) == {"ok": [], "warning": [], "wrong": []}


def test_an_installation_in_containers(tmp_path: Path) -> None:
    directory = written(tmp_path)
    assert said(directory, tmp_path)["wrong"] == []
    assert len(said(directory, tmp_path, NOW + timedelta(days=3630))["warning"]) == 1
    assert len(said(directory, tmp_path, NOW + timedelta(days=3700))["wrong"]) == 1
    env = directory / ".env"
    env.chmod(0o644)
    env.write_text(env.read_text(encoding="utf-8").replace("SAMARA_DOMAIN=samara.example.fr", "SAMARA_DOMAIN="))
    assert said(directory, tmp_path)["wrong"] == [
        f"{env} can be read by others (mode 644)",
        ".env has no value for SAMARA_DOMAIN",
    ]


def test_an_installation_as_services(system: Path) -> None:
    units = system / "etc" / "systemd" / "system"
    names = ("dsn", "ingest_dsn", "api_dsn", "accounts_dsn", "alerting_dsn", "provisioning_dsn", "keyring")
    missing = [f"{units}/credentials/{name} is missing: units cannot start" for name in names]
    assert said(system, units)["wrong"] == missing
    (units / "credentials").mkdir()
    for name in names:
        (units / "credentials" / name).touch(mode=0o600)
    assert said(system, units)["wrong"] == []
    (units / "samara-api@.service").write_text("[Service]\n")
    (units / "samara-ingest@.service").unlink()
    found = said(system, units)
    assert found["warning"] == ["samara-api@.service: not as this version ships it"]
    assert found["wrong"] == [f"{units}/samara-ingest@.service is missing"]
