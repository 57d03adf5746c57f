import re
from pathlib import Path

from api.pages import log_words
from api.pages.texts import texts

ROOT = Path(__file__).parents[3]
CODE = re.compile(r'audit\.append(?:_own)?\(\s*[\w.]+,\s*"([a-z_.]+)"')
SQL = re.compile(r"audit_own\('([a-z_.]+)'")


def test_every_action_that_is_noted_has_words_in_both_languages() -> None:
    noted = {
        name
        for folder in ("api", "deploy", "store")
        for pattern, end in ((CODE, "py"), (SQL, "sql"))
        for path in (ROOT / folder).rglob(f"*.{end}")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert len(noted) > 30
    for language in ("fr", "en"):
        assert {name for name in noted if log_words.action(name, texts(language)) == name} == set(), language


def test_a_write_of_the_api_is_told_by_its_name() -> None:
    assert log_words.action("api.create_site", texts("fr")) == "par l'API\N{NO-BREAK SPACE}: create site"


def test_details_are_words_and_what_says_nothing_is_left_out() -> None:
    detail = {"role": "viewer", "with_descendants": False, "tenant": None, "members": ["name", "kind"], "version": 2}
    assert log_words.about("corbie", detail) == "corbie (role: viewer, members: name kind, version: 2)"
    assert log_words.about("", {"by": "password"}) == "by: password"
    assert log_words.about("corbie", {}) == "corbie"
    assert log_words.about("x", {"of": {"a": 1}, "is": True}) == "x (of: a 1, is: True)"
