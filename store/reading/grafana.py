"""The statements of Grafana's dashboards. Each runs as the PostgreSQL role of one tenant, on the schema `visible`.

`$__timeFilter(…)`, `$__timeGroupAlias(…)` and `$__interval` are macros of Grafana's PostgreSQL data source. What
a tenant's role may see is decided by the views (docs/access.md), not here.
"""

from typing import Final

STATEMENTS: Final = {
    # One series a point, from the hours; {quantity} and {domain} are of the vocabulary.
    "hourly": """
SELECT hour.hour AS "time",
       site.name || ', ' || point.name AS metric,
       hour.total / hour.samples AS value
  FROM measurements_hourly AS hour
  JOIN quantities AS quantity ON quantity.quantity_id = hour.quantity_id
  JOIN assignments AS assignment ON assignment.device_id = hour.device_id AND assignment.during @> hour.hour
  JOIN points AS point ON point.point_id = assignment.point_id
  JOIN sites AS site ON site.site_id = point.site_id
 WHERE quantity.name = '{quantity}'
   AND $__timeFilter(hour.hour)
 ORDER BY 1, 2
""",
    # The increase of an index over each day: what was consumed.
    "daily_increase": """
SELECT day.day AS "time",
       site.name || ', ' || point.name AS metric,
       day.last - day.first AS value
  FROM measurements_daily AS day
  JOIN quantities AS quantity ON quantity.quantity_id = day.quantity_id
  JOIN assignments AS assignment ON assignment.device_id = day.device_id AND assignment.during @> day.day
  JOIN points AS point ON point.point_id = assignment.point_id
  JOIN sites AS site ON site.site_id = point.site_id
 WHERE quantity.name = '{quantity}'
   AND $__timeFilter(day.day)
 ORDER BY 1, 2
""",
    "latest_of_domain": """
SELECT site.name AS site, point.name AS point, quantity.label_fr AS quantity, latest.value, quantity.unit,
       latest.measured_at
  FROM latest
  JOIN quantities AS quantity ON quantity.quantity_id = latest.quantity_id
  JOIN assignments AS assignment ON assignment.device_id = latest.device_id AND assignment.during @> latest.measured_at
  JOIN points AS point ON point.point_id = assignment.point_id
  JOIN sites AS site ON site.site_id = point.site_id
 WHERE quantity.domain = '{domain}'
 ORDER BY 1, 2, 3
""",
    # Sensors that have been silent for three of their periods, or a day: what a tenant can act on.
    "silent_devices": """
SELECT device.name, device.dev_eui, model.name AS model, max(frame.received_at) AS last_heard
  FROM devices AS device
  LEFT JOIN models AS model ON model.model_id = device.model_id
  LEFT JOIN latest_frames AS frame ON frame.device_id = device.device_id
 GROUP BY device.device_id, device.name, device.dev_eui, model.name, model.period_s
HAVING coalesce(max(frame.received_at), '-infinity')
       < now() - interval '1 second' * greatest(3 * model.period_s, 86400)
 ORDER BY last_heard NULLS FIRST
""",
    "open_incidents": """
SELECT incident.opened_at AS "Depuis", incident.severity AS "Gravité", site.name AS "Site",
       string_agg(DISTINCT rule.name, ', ' ORDER BY rule.name) AS "Règles", count(alert.alert_id) AS "Alertes",
       coalesce(incident.assigned_to, incident.acknowledged_by, '') AS "Pris en charge par"
  FROM incidents AS incident
  LEFT JOIN sites AS site ON site.site_id = incident.site_id
  LEFT JOIN alerts AS alert ON alert.incident_id = incident.incident_id
  LEFT JOIN rules AS rule ON rule.rule_id = alert.rule_id
 WHERE incident.closed_at IS NULL
 GROUP BY incident.incident_id, site.name
 ORDER BY incident.opened_at DESC
 LIMIT 200
""",
    # What was withdrawn did not happen after all: a late measurement said so.
    "alerts_by_severity": """
SELECT date_trunc('day', started_at, 'Europe/Paris') AS "time", severity AS metric, count(*) AS value
  FROM alerts
 WHERE $__timeFilter(started_at)
   AND phase <> 'withdrawn'
 GROUP BY 1, 2
 ORDER BY 1, 2
""",
    "alerts_of_period": """
SELECT alert.started_at AS "Début", alert.ended_at AS "Fin", alert.severity AS "Gravité", rule.name AS "Règle",
       site.name AS "Site", point.name AS "Point", alert.value AS "Valeur"
  FROM alerts AS alert
  JOIN rules AS rule ON rule.rule_id = alert.rule_id
  LEFT JOIN points AS point ON point.point_id = alert.point_id
  LEFT JOIN sites AS site ON site.site_id = alert.site_id
 WHERE $__timeFilter(alert.started_at)
   AND alert.phase <> 'withdrawn'
 ORDER BY alert.started_at DESC
 LIMIT 500
""",
    "lost_frames": """
SELECT day::timestamptz AS "time", sum(lost) AS lost, sum(heard) AS heard
  FROM radio_accounts
 WHERE $__timeFilter(day::timestamptz)
 GROUP BY 1
 ORDER BY 1
""",
    "gateway_receptions": """
SELECT date_trunc('hour', reception.received_at) AS "time", gateway.name AS metric, count(*) AS value
  FROM receptions AS reception
  JOIN gateways AS gateway ON gateway.gateway_id = reception.gateway_id
 WHERE $__timeFilter(reception.received_at)
 GROUP BY 1, 2
 ORDER BY 1, 2
""",
    "spreading_factors": """
SELECT date_trunc('hour', received_at) AS "time", 'SF' || spreading_factor AS metric, count(*) AS value
  FROM uplinks
 WHERE $__timeFilter(received_at)
   AND spreading_factor IS NOT NULL
 GROUP BY 1, 2
 ORDER BY 1, 2
""",
    "ingest_outcomes": """
SELECT day::timestamptz AS "time", outcome AS metric, sum(messages) AS value
  FROM ingest_accounts
 WHERE $__timeFilter(day::timestamptz)
 GROUP BY 1, 2
 ORDER BY 1, 2
""",
    "quarantine_reasons": """
SELECT reason, sum(times) AS times, max(last_at) AS last_at
  FROM quarantine
 WHERE $__timeFilter(last_at)
 GROUP BY reason
 ORDER BY times DESC
""",
    # How long a message took from its network server to its batch: the figure of a load test.
    "ingest_delay": """
SELECT date_trunc('minute', received_at) AS "time", count(*) AS uplinks,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ingested_at - received_at)) AS p50_s,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM ingested_at - received_at)) AS p99_s
  FROM uplinks
 WHERE $__timeFilter(received_at)
 GROUP BY 1
 ORDER BY 1
""",
}
