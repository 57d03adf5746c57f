"""Rules as people write them: kept, changed, backtested, enabled, disabled, deleted.

Who writes here may be the API: what a rule watches, and the alerts that it found, are evaluation's (applying.py).
"""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError, SamaraError


class NotBacktestedError(SamaraError):
    """This version of the rule was not backtested yet: see first what it would have done."""


class RuleRow(NamedTuple):
    """A rule. `definition`, `target` and `backtest` are JSON; `backtest` None until this version was backtested.

    `place` is what the target is called, '' for all points of the tenant; `points` what those that a tree of
    conditions names are called, by number, JSON; `open_alerts` how many go on.
    """

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
    place: str
    points: str
    open_alerts: int
    updated_at: datetime


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
       CASE WHEN backtest_version = version THEN backtest::text END AS backtest,
       coalesce((SELECT points.name || ', ' || sites.name
                   FROM points
                   JOIN sites USING (site_id)
                  WHERE points.point_id = (target->>'point_id')::integer),
                (SELECT sites.name FROM sites WHERE sites.site_id = (target->>'site_id')::integer),
                (SELECT CASE WHEN gateways.name = '' THEN gateway_eui ELSE gateways.name END
                   FROM gateways
                  WHERE gateways.gateway_id = (target->>'gateway_id')::integer),
                target->>'tag', '') AS place,
       coalesce((SELECT json_object_agg(point_id, points.name || ', ' || sites.name)
                   FROM jsonb_path_query(definition::jsonb, '$.**.point_id ? (@.type() == "number")') AS named
                   JOIN points ON points.point_id = named::integer
                   JOIN sites USING (site_id)
                  WHERE rules.kind = 'combined')::text, '{}') AS points,
       (SELECT count(*) FROM alerts WHERE alerts.rule_id = rules.rule_id AND ended_at IS NULL
           AND alerts.tenant_id = rules.tenant_id) AS open_alerts,
       updated_at
  FROM rules
 WHERE deleted_at IS NULL
   AND ($1::integer IS NULL OR tenant_id = $1)
   AND ($2::integer IS NULL OR rule_id = $2)
   AND rule_id > $3
 ORDER BY rule_id
 LIMIT $4
"""


async def rules(
    connection: asyncpg.Connection, tenant_id: int | None = None, *, after: int = 0, limit: int | None = None
) -> list[RuleRow]:
    """Return the rules of a tenant, or of all, by number; at most `limit` of those whose number is above `after`."""
    return [RuleRow(*row) for row in await connection.fetch(SELECT_RULES, tenant_id, None, after, limit)]


async def rule(connection: asyncpg.Connection, rule_id: int, tenant_id: int | None = None) -> RuleRow:
    """Return one rule, of this tenant if one is named. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_RULES, tenant_id, rule_id, 0, 1)
    if row is None:
        raise NotFoundError(f"no rule {rule_id}")
    return RuleRow(*row)


LOCK_RULE: Final = """
SELECT rule_id FROM rules WHERE tenant_id = $1 AND rule_id = $2 AND deleted_at IS NULL FOR UPDATE
"""


async def lock_rule(connection: asyncpg.Connection, tenant_id: int, rule_id: int) -> None:
    """Keep others from changing a rule until the transaction ends. Raises NotFoundError."""
    if await connection.fetchval(LOCK_RULE, tenant_id, rule_id) is None:
        raise NotFoundError(f"no rule {rule_id}")


UPDATE_DEFINITION: Final = """
UPDATE rules
   SET definition = $2::text::jsonb, target = $3::text::jsonb, version = version + 1, enabled = false,
       updated_at = now()
 WHERE rule_id = $1
"""


async def change_rule(connection: asyncpg.Connection, rule_id: int, *, definition: str, target: str) -> None:
    """Make another version of a rule: disabled, and to be backtested anew."""
    await connection.execute(UPDATE_DEFINITION, rule_id, definition, target)
    await connection.execute(NOTIFY_RULES, rule_id)


UPDATE_LABELS: Final = """
UPDATE rules SET name = $2, severity = $3, updated_at = now() WHERE rule_id = $1
"""


async def label_rule(connection: asyncpg.Connection, rule_id: int, *, name: str, severity: str) -> None:
    """Call a rule otherwise, or say how bad it is: what it watches stays."""
    await connection.execute(UPDATE_LABELS, rule_id, name, severity)
    await connection.execute(NOTIFY_RULES, rule_id)


UPDATE_BACKTEST: Final = """
UPDATE rules SET backtest = $3::text::jsonb, backtest_version = $2 WHERE rule_id = $1 AND version = $2
"""


async def set_backtest(connection: asyncpg.Connection, rule_id: int, version: int, backtest: str) -> None:
    """Keep what a version would have done; nothing if the rule was changed meanwhile."""
    await connection.execute(UPDATE_BACKTEST, rule_id, version, backtest)


UPDATE_ENABLED: Final = """
UPDATE rules SET enabled = true, expanded_at = NULL, updated_at = now() WHERE rule_id = $1
"""

UPDATE_DISABLED: Final = """
UPDATE rules
   SET enabled = false, deleted_at = CASE WHEN $2 THEN now() ELSE deleted_at END, updated_at = now()
 WHERE rule_id = $1
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
    await connection.execute(NOTIFY_RULES, rule_id)


async def disable_rule(connection: asyncpg.Connection, rule_id: int, *, forget: bool = False) -> None:
    """Let a rule watch no longer: evaluation withdraws its open alerts. `forget` takes it off the list."""
    await connection.execute(UPDATE_DISABLED, rule_id, forget)
    await connection.execute(NOTIFY_RULES, rule_id)


UPSERT_CALENDAR: Final = """
INSERT INTO calendars AS known (tenant_id, site_id, definition)
VALUES ($1, $2, $3::text::jsonb)
ON CONFLICT (tenant_id, site_id) DO UPDATE SET definition = excluded.definition, updated_at = now()
"""


async def set_calendar(connection: asyncpg.Connection, tenant_id: int, site_id: int | None, definition: str) -> None:
    """Keep the opening hours of a site, or of all sites of a tenant that have none of their own."""
    await connection.execute(UPSERT_CALENDAR, tenant_id, site_id, definition)
    await connection.execute(NOTIFY_RULES, 0)


SELECT_CALENDAR: Final = """
SELECT definition::text
  FROM calendars
 WHERE tenant_id = $1
   AND (site_id = $2 OR site_id IS NULL)
 ORDER BY site_id NULLS LAST
 LIMIT 1
"""


async def calendar(connection: asyncpg.Connection, tenant_id: int, site_id: int | None) -> str | None:
    """Return the opening hours of a site, its own or else its tenant's, as JSON; None when nobody said them."""
    found: str | None = await connection.fetchval(SELECT_CALENDAR, tenant_id, site_id)
    return found


class RuleAlert(NamedTuple):
    """One firing of a rule. `reason` is JSON."""

    point: str | None
    site: str | None
    phase: str
    degree: int
    started_at: datetime
    ended_at: datetime | None
    told: bool
    reason: str


SELECT_ALERTS_OF_RULE: Final = """
SELECT points.name AS point, sites.name AS site, phase, degree, started_at, ended_at, told, reason::text
  FROM alerts
  LEFT JOIN points USING (point_id)
  LEFT JOIN sites ON sites.site_id = alerts.site_id
 WHERE alerts.tenant_id = $1
   AND rule_id = $2
 ORDER BY started_at DESC, alert_id
 LIMIT $3
"""


async def alerts_of_rule(connection: asyncpg.Connection, tenant_id: int, rule_id: int, limit: int) -> list[RuleAlert]:
    """Return the last firings of a rule, the latest first."""
    return [RuleAlert(*row) for row in await connection.fetch(SELECT_ALERTS_OF_RULE, tenant_id, rule_id, limit)]
