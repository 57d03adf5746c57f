"""What the API asks of whoever evaluates rules (alerting): to check them, to try them on the past, to propose some."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

import asyncpg
from aiohttp import web

from alerting.rules import Language
from api.pages import texts


class RuleDesk(Protocol):
    """Given by `deploy`. Each works on the connection of whoever asks, which shows what they may see.

    All raise NotFoundError for what the tenant does not have, another SamaraError, saying what is wrong, for what
    cannot be.
    """

    async def add(
        self,
        connection: asyncpg.Connection,
        tenant_id: int,
        *,
        name: str,
        kind: str,
        values: Mapping[str, Any],
        target: Mapping[str, Any],
        severity: str,
    ) -> int:
        """Keep a rule, not enabled; return its number."""

    async def change(
        self,
        connection: asyncpg.Connection,
        tenant_id: int,
        rule_id: int,
        *,
        name: str | None,
        values: Mapping[str, Any] | None,
        target: Mapping[str, Any] | None,
        severity: str | None,
    ) -> None:
        """Change what is given (not None) of a rule."""

    async def backtest(
        self, connection: asyncpg.Connection, tenant_id: int, rule_id: int, now: datetime, days: int
    ) -> bool:
        """Keep with a rule what it would have done; return False when too many others wait for the same."""

    async def take_template(
        self, connection: asyncpg.Connection, tenant_id: int, site_id: int, template: str, language: Language
    ) -> Sequence[int]:
        """Keep the rules of a template for a site, not enabled; return their numbers."""


def language_of(request: web.Request) -> Language:
    """Return the language in which rules say what they do."""
    return "en" if texts.language_of(request) == "en" else "fr"


RULE_DESK: Final[web.AppKey[RuleDesk]] = web.AppKey("rule_desk")
