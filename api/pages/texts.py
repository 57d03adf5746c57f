"""Every text of the pages, by key, in gettext catalogues: one file for each page in `catalogues/<language>/`.

A key's text holds `{names}` that the caller fills. One with plural forms has a `msgid_plural`.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

from aiohttp import web

from api.pages import po
from api.pages.po import Entry
from domain.errors import ConfigurationError

LANGUAGES: Final = ("fr", "en")  # the first one is for who asks for neither
COOKIE: Final = "samara_language"  # over TLS with the prefix __Host-: this host's alone

_FRENCH_SPACES: Final = re.compile(r"(?<=\S) (?=[:;!?»%€])|(?<=«) ")  # a line does not break there


class Texts:
    """The texts of one language."""

    def __init__(self, language: str, entries: dict[str, Entry]) -> None:
        self.language = language
        self.entries = entries

    def __call__(self, key: str, /, **values: object) -> str:
        """Return a text, filled. Raises KeyError for a key or a value that is missing: both are defects."""
        entry = self.entries[key]
        if not isinstance(entry, str):
            raise KeyError(f"{key} has plural forms: it needs a number")
        return entry.format_map(values) if values else entry

    def plural(self, key: str, n: int, /, **values: object) -> str:
        """Return the form of a text that goes with `n`, filled with it."""
        entry = self.entries[key]
        if isinstance(entry, str):
            raise KeyError(f"{key} has no plural forms")
        return entry[self.form(n)].format_map({"n": n, **values})

    def form(self, n: int) -> str:
        """Return the plural form that goes with a count: in French zero is singular, in English plural."""
        singular = abs(n) < 2 if self.language == "fr" else n == 1
        return "one" if singular else "other"

    def has(self, key: str) -> bool:
        """Say whether there is such a text."""
        return key in self.entries

    def subset(self, *prefixes: str) -> dict[str, Entry]:
        """Return the texts whose keys begin so: what a script of the page needs."""
        return {key: entry for key, entry in self.entries.items() if key.startswith(prefixes)}


@cache
def texts(language: str) -> Texts:
    """Return the texts of one of `LANGUAGES`. Raises ConfigurationError when two catalogues hold one key."""
    entries: dict[str, Entry] = {}
    for path in sorted((files("api.pages") / "catalogues" / language).iterdir(), key=lambda path: path.name):
        found = po.read(path.read_text("utf-8"), f"{language}/{path.name}")
        twice = entries.keys() & found.keys()
        if twice:
            raise ConfigurationError(f"{language}/{path.name}: {', '.join(sorted(twice))} is in another catalogue too")
        entries |= found
    if language == "fr":
        entries = {key: _spaced(entry) for key, entry in entries.items()}
    return Texts(language, entries)


def _spaced(entry: Entry) -> Entry:
    if isinstance(entry, str):
        return _FRENCH_SPACES.sub("\u00a0", entry)
    return {form: _FRENCH_SPACES.sub("\u00a0", text) for form, text in entry.items()}


def language_of(request: web.BaseRequest) -> str:
    """Return the language to answer in: `?lang=`, what was chosen before, what the browser prefers, else French."""
    chosen = request.cookies.get(f"__Host-{COOKIE}", request.cookies.get(COOKIE, ""))
    for asked in (request.query.get("lang", ""), chosen):
        if asked in LANGUAGES:
            return asked
    return preferred(request.headers.get("Accept-Language", ""))


def preferred(accept_language: str) -> str:
    """Return which of `LANGUAGES` an Accept-Language header prefers (RFC 9110, 12.5.4)."""
    weights = dict.fromkeys(LANGUAGES, 0.0)
    for part in accept_language[:1000].split(","):
        tag, _, parameter = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in weights:
            weights[language] = max(weights[language], _weight(parameter))
    return max(LANGUAGES, key=lambda language: weights[language])


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
