"""An entry of the audit log in words: what was done, and on what. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from api.pages.texts import Texts

_BY_API: Final = "api."


def action(name: str, texts: Texts) -> str:
    """Return what was done: "clé d'API créée"; by its name where there are no words, "par l'API : create_site"."""
    if texts.has(f"action.{name}"):
        return texts(f"action.{name}")
    if name.startswith(_BY_API):
        return texts("journal.by_api", operation=name.removeprefix(_BY_API).replace("_", " "))
    return name


def about(subject: str, detail: Mapping[str, Any]) -> str:
    """Return on what, and how: "corbie (role: viewer, members: name, kind)". What is null or empty says nothing."""
    told = [f"{name}: {_value(value)}" for name, value in detail.items() if value not in (None, "", [], {}, False)]
    if not told:
        return subject
    return f"{subject} ({', '.join(told)})" if subject else ", ".join(told)


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_value(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{name} {_value(one)}" for name, one in value.items())
    return str(value)
