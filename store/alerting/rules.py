"""Rules as people write them: kept, backtested, enabled, disabled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError, SamaraError


class NotBacktestedError(SamaraError):
    """This version of the rule was not backtested yet: see first what it would have done."""


class RuleRow(NamedTuple):
    """A rule. `definition`, `target` and `backtest` are JSON; `backtest` None until this version was backtested."""

    rule_id: int
    tenant_id: int
    name: str
    kind: str
    definition: str
    target: str
    severity: str
    version: int
    enabled: bool
    backtest: str | None


class NewRule(NamedTuple):
    """A rule to keep. `definition` and `target` are JSON."""

    tenant_id: int
    name: str
    kind: str
    definition: str
    target: str
    severity: str


INSERT_RULE: Final = """
INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
VALUES ($1, $2, $3, $4::text::jsonb, $5::text::jsonb, $6)
RETURNING rule_id
"""


async def add_rule(connection: asyncpg.Connection, new: NewRule) -> int:
    """Keep a rule, not enabled; return its number."""
    rule_id: int = await connection.fetchval(INSERT_RULE, *new)
    return rule_id


SELECT_RULES: Final = """
SELECT rule_id, tenant_id, name, kind, definition::text, target::text, severity, version, enabled,
       CASE WHEN backtest_version = version THEN backtest::text END AS backtest
  FROM rules
 WHERE deleted_at IS NULL
   AND ($1::integer IS NULL OR tenant_id = $1)
   AND ($2::integer IS NULL OR rule_id = $2)
 ORDER BY rule_id
"""


async def rules(connection: asyncpg.Connection, tenant_id: int | None = None) -> list[RuleRow]:
    """Return the rules of a tenant, or of all."""
    return [RuleRow(*row) for row in await connection.fetch(SELECT_RULES, tenant_id, None)]


async def rule(connection: asyncpg.Connection, rule_id: int) -> RuleRow:
    """Return one rule. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_RULES, None, rule_id)
    if row is None:
        raise NotFoundError(f"no rule {rule_id}")
    return RuleRow(*row)


UPDATE_DEFINITION: Final = """
UPDATE rules
   SET name = $2, definition = $3::text::jsonb, target = $4::text::jsonb, severity = $5, version = version + 1,
       enabled = false, updated_at = now()
 WHERE rule_id = $1
"""


async def change_rule(
    connection: asyncpg.Connection, rule_id: int, *, name: str, definition: str, target: str, severity: str
) -> None:
    """Make another version of a rule: disabled, and to be backtested anew. End what it watches first (`retire`)."""
    await connection.execute(UPDATE_DEFINITION, rule_id, name, definition, target, severity)


UPDATE_BACKTEST: Final = """
UPDATE rules SET backtest = $3::text::jsonb, backtest_version = $2 WHERE rule_id = $1 AND version = $2
"""


async def set_backtest(connection: asyncpg.Connection, rule_id: int, version: int, backtest: str) -> None:
    """Keep what a version would have done; nothing if the rule was changed meanwhile."""
    await connection.execute(UPDATE_BACKTEST, rule_id, version, backtest)


UPDATE_ENABLED: Final = """
UPDATE rules SET enabled = true, expanded_at = NULL, updated_at = now() WHERE rule_id = $1
"""

INSERT_WATCHED: Final = """
INSERT INTO watched_tenants (tenant_id)
SELECT tenant_id FROM rules WHERE rule_id = $1
ON CONFLICT DO NOTHING
"""

NOTIFY_RULES: Final = """
SELECT pg_notify('samara_rules', $1::integer::text)
"""


async def enable_rule(connection: asyncpg.Connection, rule_id: int) -> None:
    """Let a rule watch from now on. Raises NotBacktestedError, which the database itself insists on."""
    try:
        await connection.execute(UPDATE_ENABLED, rule_id)
    except asyncpg.CheckViolationError as error:
        raise NotBacktestedError from error
    await connection.execute(INSERT_WATCHED, rule_id)
    await connection.execute(NOTIFY_RULES, rule_id)


UPDATE_DISABLED: Final = """
UPDATE rules
   SET enabled = false, deleted_at = CASE WHEN $2 THEN now() ELSE deleted_at END, updated_at = now()
 WHERE rule_id = $1
"""

LOCK_STATES_OF_RULE: Final = """
SELECT state_id FROM rule_states WHERE rule_id = $1 ORDER BY state_id FOR UPDATE
"""

WITHDRAW_ALERTS: Final = """
WITH ended AS (
  UPDATE alerts SET phase = 'withdrawn', ended_at = $2
   WHERE rule_id = $1
     AND ended_at IS NULL
  RETURNING alert_id, tenant_id, rule_id, state_id, degree, value
), noted AS (
  INSERT INTO transitions (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, value, reason,
                           told)
  SELECT tenant_id, rule_id, state_id, alert_id, $2, 'firing', 'inactive', degree, value, '{"code": "disabled"}', true
    FROM ended
  RETURNING tenant_id, alert_id, transition_id
), put AS (
  INSERT INTO outbox (tenant_id, alert_id, transition_id, kind, message_id)
  SELECT tenant_id, alert_id, transition_id, 'withdrawn', gen_random_uuid()
    FROM noted
  RETURNING 1
)
SELECT pg_notify('samara_outbox', '') FROM put LIMIT 1
"""

DELETE_STATES_OF_RULE: Final = """
DELETE FROM rule_states WHERE rule_id = $1
"""


async def retire(connection: asyncpg.Connection, rule_id: int, now: datetime, *, forget: bool = False) -> None:
    """Let a rule watch no longer: its open alerts are withdrawn, and people told. `forget` takes it off the list."""
    async with connection.transaction():
        await connection.execute(UPDATE_DISABLED, rule_id, forget)
        await connection.execute(LOCK_STATES_OF_RULE, rule_id)
        await connection.execute(WITHDRAW_ALERTS, rule_id, now)
        await connection.execute(DELETE_STATES_OF_RULE, rule_id)
        await connection.execute(NOTIFY_RULES, rule_id)


CLAIM_UNEXPANDED: Final = """
UPDATE rules
   SET expanded_at = $1
 WHERE rule_id = ANY(ARRAY(SELECT rule_id
                             FROM rules
                            WHERE enabled
                              AND (expanded_at IS NULL OR expanded_at < $2)
                            ORDER BY expanded_at NULLS FIRST
                            LIMIT $3
                              FOR UPDATE SKIP LOCKED))
RETURNING rule_id, tenant_id, name, kind, definition::text, target::text, severity, version, enabled, NULL AS backtest
"""


async def claim_unexpanded(
    connection: asyncpg.Connection, now: datetime, before: datetime, limit: int
) -> list[RuleRow]:
    """Take some enabled rules that were not applied to their targets since `before`."""
    return [RuleRow(*row) for row in await connection.fetch(CLAIM_UNEXPANDED, now, before, limit)]


UPSERT_CALENDAR: Final = """
INSERT INTO calendars AS known (tenant_id, site_id, definition)
VALUES ($1, $2, $3::text::jsonb)
ON CONFLICT (tenant_id, site_id) DO UPDATE SET definition = excluded.definition, updated_at = now()
"""


async def set_calendar(connection: asyncpg.Connection, tenant_id: int, site_id: int | None, definition: str) -> None:
    """Keep the opening hours of a site, or of all sites of a tenant that have none of their own."""
    await connection.execute(UPSERT_CALENDAR, tenant_id, site_id, definition)
    await connection.execute(NOTIFY_RULES, 0)


INSERT_TAGS: Final = """
INSERT INTO point_tags (point_id, tag) SELECT unnest($1::integer[]), $2 ON CONFLICT DO NOTHING
"""


async def tag_points(connection: asyncpg.Connection, point_ids: Sequence[int], tag: str) -> None:
    """Give points a tag. Raises asyncpg.CheckViolationError for one that is not of lower-case letters and digits."""
    await connection.execute(INSERT_TAGS, list(point_ids), tag)


SELECT_HAS_CALENDAR: Final = """
SELECT EXISTS (SELECT FROM calendars WHERE tenant_id = $1 AND (site_id = $2 OR site_id IS NULL))
"""


async def has_calendar(connection: asyncpg.Connection, tenant_id: int, site_id: int) -> bool:
    """Say whether a site has opening hours, its own or its tenant's."""
    found: bool = await connection.fetchval(SELECT_HAS_CALENDAR, tenant_id, site_id)
    return found
