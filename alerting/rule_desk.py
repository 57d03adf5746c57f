"""Rules for those who come by the API: what people do with them (managing.py), as many at once as one process bears."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg

from alerting import managing
from alerting.rules import Language

MAX_WAITING: Final = 4  # backtests that wait for the one under way: each has a connection of the pool


class RuleDesk:
    """Checks, backtests and proposes rules on the connection of whoever asks. Backtests go one after the other."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

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
        """Keep a rule, not enabled; return its number. Raises RuleError, NotFoundError."""
        return await managing.add(
            connection, tenant_id, name=name, kind=kind, values=values, target=target, severity=severity
        )

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
        """Change what is given of a rule. Raises RuleError, NotFoundError."""
        await managing.change(
            connection, tenant_id, rule_id, name=name, values=values, target=target, severity=severity
        )

    async def backtest(
        self, connection: asyncpg.Connection, tenant_id: int, rule_id: int, now: datetime, days: int
    ) -> bool:
        """Keep with a rule what it would have done; return False when too many others wait for the same.

        Raises RuleError, NotFoundError.
        """
        if self._waiting >= MAX_WAITING:
            return False
        self._waiting += 1
        try:
            async with self._turn:
                await managing.try_rule(connection, rule_id, now, days, tenant_id=tenant_id)
        finally:
            self._waiting -= 1
        return True

    async def take_template(
        self, connection: asyncpg.Connection, tenant_id: int, site_id: int, template: str, language: Language
    ) -> list[int]:
        """Keep the rules of a template for a site, not enabled; return their numbers. Raises RuleError."""
        return (await managing.take_template(connection, tenant_id, site_id, template, language)).rule_ids
