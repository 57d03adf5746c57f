import re
from pathlib import Path
from string import Formatter

import pytest
from aiohttp.test_utils import make_mocked_request

import api
from api.pages import po
from api.pages.po import Entry
from api.pages.texts import COOKIE, LANGUAGES, language_of, preferred, texts
from domain.errors import ConfigurationError

HERE = Path(api.__file__).parent
TEMPLATES = sorted((HERE / "pages" / "templates").glob("*.html"))
PAPER = sorted((HERE / "reports" / "templates").glob("*.html"))


def forms(entry: Entry) -> dict[str, str]:
    return {"": entry} if isinstance(entry, str) else entry


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_same_texts_with_the_same_places_to_fill(language: str) -> None:
    french, other = texts("fr").entries, texts(language).entries
    assert other.keys() == french.keys()
    for key, entry in other.items():
        assert forms(entry).keys() == forms(french[key]).keys(), key
        assert [fields(form) for form in forms(entry).values()] == [fields(f) for f in forms(french[key]).values()], key
        assert key.startswith("number.") or all(form for form in forms(entry).values()), key


@pytest.mark.parametrize("path", sorted((HERE / "pages" / "catalogues").rglob("*.po")), ids=lambda path: path.name)
def test_no_text_is_left_untranslated(path: Path) -> None:
    source = path.read_text("utf-8")
    keys = set(re.findall(r'^msgid "([^"]+)"', source, re.MULTILINE))
    assert po.read(source, path.name).keys() == keys, "empty, fuzzy, or half of its plural forms"
    assert (HERE / "pages" / "catalogues" / "fr" / path.name).is_file()


def test_a_catalogue_is_read_as_gettext_writes_it() -> None:
    source = """
msgid ""
msgstr ""
"Language: fr\\n"

#: somewhere
msgid "a.b"
msgstr ""
"two "
"lines\\n"

msgid "a.c"
msgid_plural "a.c"
msgstr[0] "{n} \\"one\\""
msgstr[1] "{n} others"
#, fuzzy
msgid "a.d"
msgstr "perhaps"

msgid "a.e"
msgstr ""

#~ msgid "a.f"
#~ msgstr "obsolete"
"""
    assert po.read(source, "x.po") == {"a.b": "two lines\n", "a.c": {"one": '{n} "one"', "other": "{n} others"}}


@pytest.mark.parametrize("source", ['msgid "a"\nmsgstr "1"\n\nmsgid "a"\nmsgstr "2"\n', "msgid unquoted\n"])
def test_a_broken_catalogue_stops_the_start(source: str) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.po, line \d"):
        po.read(source, "x.po")


def test_french_does_not_break_a_line_before_its_tall_punctuation() -> None:
    assert texts("fr")("site.demo").startswith("Données de démonstration\u00a0:")
    assert " :" not in "".join(form for entry in texts("fr").entries.values() for form in forms(entry).values())


def test_each_text_is_used_and_each_used_text_exists() -> None:
    elsewhere = [*HERE.glob("reports/templates/*.html"), HERE.parent / "deploy" / "reporting.py"]
    sources = [*elsewhere, *HERE.rglob("*.py"), *TEMPLATES, *(HERE / "static" / "js").glob("*.js")]
    source = "\n".join(path.read_text("utf-8") for path in sources)
    # A key made of parts ("status.{name}") leaves its beginning in the source.
    exact = set(re.findall(r"[\"'`]([a-z_]+\.[a-z0-9_.]+)[\"'`]", source))
    beginnings = tuple(re.findall(r"[\"'`]((?:[a-z_]+\.)+)(?:\{|\$\{|[\"'`] \+)", source))
    known = texts("fr").entries
    unused = {key for key in known if key not in exact and not key.startswith(beginnings) and key != "language"}
    assert not unused
    sections = tuple({key.partition(".")[0] + "." for key in known})
    files = (".html", ".py", ".js", ".css", ".svg", ".json", ".po", ".get", ".post")
    missing = {
        key for key in exact if key.startswith(sections) and key not in known and not key.endswith((".", *files))
    }
    assert not missing


@pytest.mark.parametrize("path", [*TEMPLATES, *PAPER], ids=lambda path: path.name)
def test_no_template_holds_a_word_of_its_own(path: Path) -> None:
    source = path.read_text("utf-8")
    code = r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(?:script|style).*?</(?:script|style)>|<[^>]*>"
    without_code = re.sub(code, " ", source, flags=re.DOTALL)
    assert re.findall(r"[^\W\d_]{2,}", without_code) == []
    spoken = re.findall(r"\b(?:aria-label|alt|title|placeholder)=\"([^\"]*)\"", source)
    assert all(text == "" or text.startswith("{{") for text in spoken)


@pytest.mark.parametrize("path", sorted((HERE / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_no_script_writes_french(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert not re.search(r"[àâçéèêëîïôûù]", code)


def test_the_plural_of_nothing_is_singular_in_french_and_plural_in_english() -> None:
    assert texts("fr").plural("age.hours", 0) == "il y a 0 heure"
    assert texts("fr").plural("age.hours", 1) == "il y a 1 heure"
    assert texts("fr").plural("age.hours", 2) == "il y a 2 heures"
    assert texts("en").plural("age.hours", 0) == "0 hours ago"
    assert texts("en").plural("age.hours", 1) == "1 hour ago"


def test_a_missing_text_or_value_is_a_defect() -> None:
    with pytest.raises(KeyError):
        texts("fr")("no.such.key")
    with pytest.raises(KeyError):
        texts("fr")("tenant.title", wrong="x")
    with pytest.raises(KeyError):
        texts("fr")("age.hours")
    with pytest.raises(KeyError):
        texts("fr").plural("age.now", 1)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("de", "fr"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en;q=0.4, fr;q=0.5", "fr"),
        ("fr;q=0.4, en;q=0.5", "en"),
        ("de, en;q=0.1", "en"),
        ("en;q=nonsense", "fr"),
        ("en;q=0", "fr"),
        (",;=,;q=", "fr"),
    ],
)
def test_the_browser_s_preference_decides(header: str, language: str) -> None:
    assert preferred(header) == language


def test_an_address_that_says_the_language_wins() -> None:
    headers = {"Accept-Language": "fr"}
    chosen = {**headers, "Cookie": f"{COOKIE}=en"}
    assert language_of(make_mocked_request("GET", "/", headers=chosen)) == "en"
    assert language_of(make_mocked_request("GET", "/?lang=fr", headers=chosen)) == "fr"
    assert language_of(make_mocked_request("GET", "/?lang=en", headers=headers)) == "en"
    assert language_of(make_mocked_request("GET", "/?lang=xx", headers=headers)) == "fr"
