"""The audit of dependencies: what it must not say nothing about. `make audit` asks for real, over the network."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dependency_audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WANTED = {"aiohttp": "3.14.5", "typing-extensions": "4.15.0"}
RIGHT = [
    {"name": "aiohttp", "version": "3.14.5", "vulns": []},
    {"name": "typing_extensions", "version": "4.15.0", "vulns": []},
]


def test_all_asked_and_nothing_found_is_right(audit: ModuleType) -> None:
    assert audit.of_python(WANTED, {"dependencies": RIGHT}) == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "not asked about"),
        (RIGHT[:1], "typing-extensions 4.15.0: it was not asked about"),
        ([RIGHT[0], {"name": "typing-extensions", "skip_reason": "not on PyPI"}], "skipped: not on PyPI"),
        ([RIGHT[0], {"name": "typing-extensions", "version": "4.0", "vulns": []}], "4.0 was asked about"),
        (
            [RIGHT[1], {"name": "aiohttp", "version": "3.14.5", "vulns": [{"id": "CVE-1", "fix_versions": ["4"]}]}],
            "CVE-1, mended in 4",
        ),
    ],
)
def test_what_was_skipped_or_found_fails(audit: ModuleType, told: list[dict[str, Any]], said: str) -> None:
    assert said in "\n".join(audit.of_python(WANTED, {"dependencies": told}))


def test_no_answer_at_all_fails(audit: ModuleType) -> None:
    assert audit.of_python(WANTED, {}) == ["not asked about: all 2 pins"]
    assert audit.of_scripts({"uplot": "1.6.32"}, {})


def test_scripts_are_judged_too(audit: ModuleType) -> None:
    whole = {"metadata": {"dependencies": {"total": 1}}, "vulnerabilities": {}}
    assert audit.of_scripts({"uplot": "1.6.32"}, whole) == []
    found = whole | {"vulnerabilities": {"uplot": {"severity": "high", "range": "<2"}}}
    assert audit.of_scripts({"uplot": "1.6.32"}, found) == ["uplot: high, <2"]
    assert audit.of_scripts({"uplot": "1", "leaflet": "1"}, whole) == ["npm asked about 1 of 2 vendored packages"]


def test_every_pin_of_the_lock_files_is_asked_about(audit: ModuleType) -> None:
    for name in audit.LOCKS:
        text = (ROOT / name).read_text("utf-8")
        found = audit.pins(text)
        assert len(found) == len(re.findall(r"^[^\s#][^\s]*==", text, re.MULTILINE)) > 50
        assert {"aiohttp", "asyncpg", "joserfc", "cryptography"} <= found.keys()
