"""The parameters of a page, read strictly: an unknown, repeated or wrong one is refused by name."""

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from aiohttp import web

from api.problems import ProblemError, invalid_parameter
from domain.errors import NotFoundError

Choice = TypeVar("Choice", bound=str)

MAX_ID: Final = 2**31 - 1
_SHOWN: Final = 40  # a wrong value is quoted up to here
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,200}\Z")


class Query:
    """The parameters of one request, of which only those `accepted` may be given, each once."""

    def __init__(self, request: web.BaseRequest, accepted: Iterable[str]) -> None:
        names = sorted(accepted)
        self._given: dict[str, str] = {}
        for name, value in request.query.items():
            if name not in names:
                raise invalid_parameter(name[:_SHOWN], "unknown parameter", ", ".join(names) or "none")
            if name in self._given:
                raise invalid_parameter(name, "given twice", "once")
            self._given[name] = value

    def text(self, name: str, accepted: str, default: str | None = None) -> str:
        """Return a text of 1 to 200 printable characters."""
        value = self._given.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise invalid_parameter(name, "missing", accepted)
        if _TEXT.match(value) is None:
            raise self._wrong(name, accepted)
        return value

    def integer(self, name: str, *, low: int, high: int) -> int | None:
        """Return a whole number between `low` and `high`, both included, or None when it is not given."""
        value = self._given.get(name)
        if value is None:
            return None
        if re.fullmatch(r"[0-9]{1,19}", value) is None or not low <= int(value) <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return int(value)

    def choice(self, name: str, choices: tuple[Choice, ...], default: Choice) -> Choice:
        """Return one of `choices`."""
        value = self._given.get(name, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self._wrong(name, ", ".join(choices))

    def _wrong(self, name: str, accepted: str) -> ProblemError:
        return invalid_parameter(name, f"{self._given[name][:_SHOWN]!r} is not accepted", accepted)


def path_id(request: web.Request, name: str = "id") -> int:
    """Return the id in the address of a page. Raises NotFoundError for what cannot be one."""
    text = request.match_info[name]
    if re.fullmatch(r"[1-9][0-9]{0,9}", text) is None or int(text) > MAX_ID:
        raise NotFoundError
    return int(text)
