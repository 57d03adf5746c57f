"""Silences and works alike: spells of time, of a tenant, during which what goes on is held and told at their end."""


def ending(relation: str, key: str, why: str) -> str:
    """Return the statement that ends the spell $2 of the tenant $1 at $3, and has what it held looked at at once.

    One that is still to come never was. No row comes back when there is none that goes on or is to come.
    """
    return f"""
WITH dropped AS (
  DELETE FROM {relation}
   WHERE {key} = $2
     AND tenant_id = $1
     AND lower(during) > $3::timestamptz
  RETURNING {key}
),
ended AS (
  UPDATE {relation}
     SET during = tstzrange(lower(during), greatest($3, lower(during) + interval '1 microsecond'))
   WHERE {key} = $2
     AND tenant_id = $1
     AND during @> $3::timestamptz
  RETURNING {key}
),
released AS (
  UPDATE held_alerts
     SET release_at = $3
    FROM alerts, ended
   WHERE alerts.alert_id = held_alerts.alert_id
     AND alerts.tenant_id = $1
     AND why = '{why}'
     AND released_at IS NULL
)
SELECT {key} FROM ended UNION ALL SELECT {key} FROM dropped
"""  # noqa: S608 - what calls this names its own table
