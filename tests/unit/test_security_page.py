"""docs/security.md against the tests and files that it names, and against the list of requirements."""

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "security.md").read_text("utf-8")
# Numbers of the requirements of levels 1 and 2. Source: OWASP ASVS 5.0.0, CC BY-SA 4.0.
REQUIRED: Final = (ROOT / "tests" / "vectors" / "security" / "asvs-5.0.0-level-2.txt").read_text("utf-8").split()
STATES: Final = ("met", "built", "n/a", "open")


def rows() -> list[tuple[str, str, str, str]]:
    return re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|$", PAGE, re.MULTILINE)


def section(title: str) -> list[str]:
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return [line for line in found.splitlines() if line.startswith("| ") and not line.endswith("| tests |")]


@pytest.fixture(scope="module")
def tests() -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        names |= set(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))
    return names


def test_every_requirement_is_there_once() -> None:
    assert len(REQUIRED) == 253
    assert Counter(id_ for id_, *_ in rows()) == Counter(REQUIRED)
    assert [id_ for id_, *_ in rows()] == REQUIRED


def test_every_requirement_says_how_it_stands() -> None:
    for id_, state, what, how in rows():
        assert state in STATES, id_
        assert what.strip(), id_
        if state == "met":
            assert re.search(r"`test_\w+`", how), f"{id_} is met by no test"
        if state == "built":
            assert how.strip(), f"{id_} is built nowhere"
        if state in {"open", "n/a"}:
            assert "`test_" not in how, id_


def test_every_test_that_is_named_exists(tests: set[str]) -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 100
    assert named <= tests, sorted(named - tests)


def test_every_file_and_page_that_is_named_exists() -> None:
    for name in re.findall(r"`((?:api|store|deploy|docs|tests|alerting)/[\w./-]*|[\w.-]+\.(?:lock|toml))`", PAGE):
        assert (ROOT / name).exists(), name
    for page, anchor in re.findall(r"\]\(([\w.-]*)(?:#([\w-]+))?\)", PAGE):
        text = PAGE if not page else (ROOT / "docs" / page).read_text("utf-8")
        titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, (page, anchor)


def test_every_attack_has_a_test() -> None:
    attacks = section("Attacks that are refused")
    assert len(attacks) > 30
    for line in attacks:
        assert re.search(r"`test_\w+`", line), line
    assert len(section("OWASP API top 10 (2023)")) == 10


def test_the_count_at_the_top_is_right() -> None:
    states = Counter(state for _, state, *_ in rows())
    said = f"{states['met']} met, {states['built']} built, {states['n/a']} not applicable, {states['open']} open"
    assert f"Of 253: {said}." in PAGE
