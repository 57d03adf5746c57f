"""Ask whether a known vulnerability is in what Samara depends on; fail when anything was not asked about.

    make audit

pip-audit asks PyPI about each pin of the lock files, npm its registry about each vendored script. Both need the
network: a package that is not known there, a pin that is not in the answer, or an answer that does not come, is a
failure and not silence (pip-audit that skipped everything says "no known vulnerabilities" and leaves with 0).
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

LOCKS = ("requirements.lock", "requirements-dev.lock")
VENDORED = Path("api/static/vendor/vendor.json")
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Return the version of each package of a lock file, by its normal name (PEP 503)."""
    return {normal(name): version for name, version in _PIN.findall(lock)}


def normal(name: str) -> str:
    """Return the name by which a package is known, however it is written."""
    return re.sub(r"[-_.]+", "-", name).lower()


def of_python(wanted: Mapping[str, str], report: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a report of pip-audit: vulnerabilities, what was skipped, what is not in it."""
    told = {normal(one["name"]): one for one in report.get("dependencies", ())}
    if not told:
        return [f"not asked about: all {len(wanted)} pins"]
    wrong = [f"{name} {version}: it was not asked about" for name, version in wanted.items() if name not in told]
    for name, one in sorted(told.items()):
        if "skip_reason" in one:
            wrong.append(f"{name}: skipped: {one['skip_reason']}")
        elif name in wanted and one.get("version") != wanted[name]:
            wrong.append(f"{name}: {one.get('version')} was asked about, {wanted[name]} is used")
        for found in one.get("vulns", ()):
            mended = ", ".join(found.get("fix_versions", ())) or "no version yet"
            wrong.append(f"{name} {one['version']}: {found['id']}, mended in {mended}")
    return wrong


def of_scripts(wanted: Mapping[str, str], report: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a report of npm audit."""
    total = report.get("metadata", {}).get("dependencies", {}).get("total")
    if not isinstance(total, int) or total < len(wanted):
        return [f"npm asked about {total} of {len(wanted)} vendored packages"]
    found = report.get("vulnerabilities", {})
    return [f"{name}: {one.get('severity')}, {one.get('range')}" for name, one in sorted(found.items())]


def main() -> int:
    """Ask about everything; return how many things are wrong, 0 when nothing is."""
    wrong: list[str] = []
    asked = 0
    for lock in LOCKS:
        wanted = pins(Path(lock).read_text("utf-8"))
        program = str(Path(sys.executable).parent / "pip-audit")
        report = _json([program, "--strict", "--disable-pip", "--require-hashes", "-r", lock, "-f", "json"])
        wrong += [f"{lock}: {one}" for one in of_python(wanted, report)]
        asked += len(wanted)
    vendored = {name: one["version"] for name, one in json.loads(VENDORED.read_text("utf-8")).items()}
    wrong += [f"{VENDORED}: {one}" for one in of_scripts(vendored, _npm(vendored))]
    _say(wrong or [f"{asked} pins and {len(vendored)} vendored packages: no known vulnerability, none skipped"])
    return min(len(wrong), 100)


def _npm(vendored: Mapping[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "package.json").write_text(
            json.dumps({"name": "vendored", "version": "0.0.0", "private": True, "dependencies": dict(vendored)})
        )
        locked = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-fund", "--silent"]
        subprocess.run(locked, cwd=directory, check=True, timeout=300)  # noqa: S603 - our own words
        return _json(["npm", "audit", "--json"], directory)


def _json(command: Sequence[str], directory: str = ".") -> dict[str, Any]:
    """Return what a program answers; {} when it answers nothing that can be read, which is judged as nothing asked."""
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=directory, check=False, capture_output=True, text=True, timeout=900
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        _say([f"{command[0]} failed ({done.returncode}): {done.stderr.strip()[-600:]}"])
        return {}
    return answer if isinstance(answer, dict) else {}


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
