"""What the API asks of whoever tells people (alerting): which channels there are, and whether a contact can be told."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from aiohttp import web


class ContactRules(Protocol):
    """Given by `deploy`: the API does not know how people are told."""

    def available(self, *, operator: bool = False) -> list[str]:
        """Return the channels by which people can be told."""

    def check(
        self, channel: str, target: Mapping[str, Any], preferences: Mapping[str, Any], *, operator: bool = False
    ) -> None:
        """Raise SamaraError, saying what is wrong, unless a contact can be made of these."""


CONTACT_RULES: Final[web.AppKey[ContactRules]] = web.AppKey("contact_rules")
