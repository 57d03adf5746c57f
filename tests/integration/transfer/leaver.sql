-- A row in every relation that leaves with a tenant: leaver.py says what :tenant and the others are.
WITH rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity, enabled, backtest, backtest_version)
  VALUES (:tenant, 'Trop chaud', 'threshold', jsonb_build_object('outdoor_point_id', :meter::integer, 'over', 26),
          jsonb_build_object('point_id', :point::integer), 'warning', true, '{"alerts": 3}', 1),
         (:tenant, 'Ancienne', 'budget', '{"inputs": [{"point_id": null}]}', '{"everything": true}', 'info', false, NULL, NULL)
  RETURNING rule_id, kind
), state AS (
  INSERT INTO rule_states (rule_id, rule_version, tenant_id, site_id, point_id, phase, phase_since, machine, folded_to,
                           alert_id, evaluated_at, due_at)
  SELECT rule_id, 1, :tenant, :site, :point, 'firing', :now, '{"a":  1}'::json, :now, '0f9d2c3e-0000-4000-8000-000000000001'::uuid, :now,
         '9999-12-31'::timestamptz
    FROM rule WHERE kind = 'threshold'
  RETURNING state_id, rule_id
), input AS (
  INSERT INTO rule_inputs (state_id, position, point_id, quantity_id)
  SELECT state_id, 0, :point, (SELECT quantity_id FROM quantities WHERE name = 'temperature') FROM state
), checkpoint AS (
  INSERT INTO rule_checkpoints SELECT state_id, :now, '{"b": [1, 2]}' FROM state
), incident AS (
  INSERT INTO incidents (tenant_id, cause, site_id, opened_at, severity, assigned_to)
  VALUES (:tenant, 'threshold:site:' || :site, :site, :now, 'warning', NULL)
  RETURNING incident_id
), other AS (
  INSERT INTO incidents (tenant_id, cause, opened_at, closed_at, severity)
  SELECT :tenant, 'budget:rule:' || rule_id, :now, :now, 'info' FROM rule WHERE kind = 'budget'
), event AS (
  INSERT INTO incident_events (incident_id, at, kind, who, note)
  SELECT incident_id, :now, 'acknowledged', 'Zoé', E'vu,\n"je viens"' FROM incident
), alert AS (
  INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, site_id, point_id, severity, degree, phase, started_at,
                      value, reason, told, incident_id)
  SELECT '0f9d2c3e-0000-4000-8000-000000000001'::uuid, :tenant, rule_id, state_id, :site, :point, 'warning', 1, 'firing', :now, 27.5,
         '{"value": 27.5}'::jsonb, true, incident_id
    FROM state, incident
  UNION ALL
  SELECT '0f9d2c3e-0000-4000-8000-000000000002'::uuid, :tenant, rule_id, state_id + 1000, :site, :point, 'warning', 1, 'resolved', :now,
         NULL, '{}'::jsonb, false, NULL
    FROM state
  RETURNING alert_id, rule_id, state_id, phase
), transition AS (
  INSERT INTO transitions (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, reason, told)
  SELECT :tenant, rule_id, state_id, alert_id, :now, 'ok', phase, 1, '{}', true FROM alert WHERE phase = 'firing'
  RETURNING transition_id, alert_id
)
INSERT INTO outbox (tenant_id, alert_id, transition_id, kind, message_id, created_at)
SELECT :tenant, alert_id, transition_id, 'firing', '0f9d2c3e-0000-4000-8000-000000000003'::uuid, :now FROM transition;

WITH contact AS (
  INSERT INTO contacts (tenant_id, name, channel, target)
  VALUES (:tenant, 'Services techniques', 'email', '{"address": "st@mareuville.fr"}') RETURNING contact_id
), shift AS (
  INSERT INTO on_call_shifts (contact_id, during) SELECT contact_id, tstzrange(:now, :now + interval '1 day') FROM contact
), step AS (
  INSERT INTO escalation_steps SELECT :tenant, 1800, contact_id FROM contact UNION ALL SELECT :tenant, 3600, NULL
)
INSERT INTO deliveries (message_id, tenant_id, incident_id, contact_id, kind, severity, due_at, created_at)
SELECT 'm1', :tenant, incident_id, contact_id, 'opened', 'warning', :now, :now FROM contact, incidents
 WHERE incidents.tenant_id = :tenant AND closed_at IS NULL;

INSERT INTO held_alerts (alert_id, why, held_at) SELECT alert_id, 'silence', :now FROM alerts WHERE phase = 'firing';
INSERT INTO silences (tenant_id, point_id, during, reason, created_by)
VALUES (:tenant, :point, tstzrange(:now, :now + interval '1 h'), 'essai', 'zoe');
INSERT INTO calendars (tenant_id, site_id, definition) VALUES (:tenant, :site, '{"weekly": []}');
INSERT INTO maintenance_windows (tenant_id, site_id, during, reason)
VALUES (:tenant, :site, tstzrange(:now, :now + interval '1 h'), 'travaux');
INSERT INTO point_tags VALUES (:point, 'secteur:nord');
INSERT INTO codecs (tenant_id, name, sha256, source, examples, fields, created_by)
VALUES (:tenant, 'maison', repeat('a', 64), 'x', '[]', '{}', 'zoe');
INSERT INTO codec_bindings (tenant_id, codec, device_id) VALUES (:tenant, 'maison', :device);
INSERT INTO decoders (codec_id, version) SELECT codec_id, 'c1' FROM codecs WHERE tenant_id = :tenant;
INSERT INTO decoders (model_id, version) VALUES ('acme-th', 'v1');
INSERT INTO sources (name) VALUES ('lns');
INSERT INTO gateways (gateway_eui) VALUES ('00000000000000aa'), ('00000000000000ab');
INSERT INTO latest_frames VALUES (:device, 0, :now, :now, '{}', '{}', '{}');
INSERT INTO radio_accounts VALUES (:device, (:now)::date, 9, 1, 0, 0, 0);
INSERT INTO ingest_accounts SELECT (:now)::date, source_id, :tenant, 'uplink', 'stored', 'w', 9 FROM sources;
INSERT INTO quarantine (digest, first_at, last_at, source_id, lns, topic, reason, detail, tenant_id, day, message,
                        message_bytes)
SELECT '\x01', :now, :now, source_id, 'chirpstack', 'a', 'implausible', '', :tenant, (:now)::date, '\x7b00', 2
  FROM sources;
INSERT INTO network_events SELECT :now, 7, :now, :device, NULL, source_id, 'join', '{"a": 1}' FROM sources;
INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, frequency_hz, device_id, decoder_id, source_id, f_port,
                     spreading_factor, data_rate, confirmed, adr, dev_addr, outcome, detail, payload, object)
SELECT :now, key, :now, key, 868100000, :device,
       (SELECT decoder_id FROM decoders WHERE version = CASE key WHEN 1 THEN 'v1' WHEN 2 THEN 'c1' END),
       source_id, 2, 7, 5, false, true, '01020304', 'decoded', '', '\xcafe',
       CASE key WHEN 3 THEN '{"é": [1.50]}'::jsonb END
  FROM sources, generate_series(1, 3) AS keys (key);
INSERT INTO receptions SELECT :now, 1, :device, gateway_id, -101.5, -7.25, NULL FROM gateways;
-- Roll-ups from when measurements themselves are no longer kept.
INSERT INTO measurements_hourly
SELECT :device, quantity_id, 0, '2019-01-01 05:00Z', 2, 3.5, 1.5, 2, 2, '2019-01-01 05:01Z', 1.5, '2019-01-01 05:30Z'
  FROM quantities WHERE name = 'co2';
INSERT INTO measurements_daily
SELECT :device, quantity_id, 0, '2018-12-31 23:00Z', 2, 3.5, 1.5, 2, 2, '2019-01-01 05:01Z', 1.5, '2019-01-01 05:30Z'
  FROM quantities WHERE name = 'co2';
INSERT INTO processings VALUES (:tenant, 'individual_water', 'Facturation', 'contract', 24, :now);
INSERT INTO open_datasets (tenant_id, name, title, description, quantities, grain, every, since, published_to)
VALUES (:tenant, 'ecoles', 'Écoles', 'Température des écoles', '{temperature}', 'point', 'day', :now, :now);
INSERT INTO open_rows (dataset_id, site_id, point_id, quantity, channel, start, site, point, samples, mean)
SELECT dataset_id, :site, :point, 'temperature', 0, :now, 'École', 'Classe', 24, 19.5 FROM open_datasets;
INSERT INTO usage VALUES (:tenant, '2025-10-01', 4, 1000, 5000, NULL, 1, 0, 0, 2, :now);
INSERT INTO exports_sent VALUES (:tenant, :now, 1, 'csv', 500);
INSERT INTO buildings VALUES (:site, :tenant, 850.5, 'Enseignement primaire', 2015, 120000);
INSERT INTO prices VALUES (:tenant, 'active_energy_import', '2025-01-01', 0.21);
INSERT INTO water_networks VALUES (:tenant, 2024, 50000, 0, 1200, 41000, 12.5);
INSERT INTO weather_points VALUES (:tenant, :point);
INSERT INTO report_recipients VALUES (:tenant, 'maire@example.fr');
INSERT INTO report_mails VALUES (:tenant, '2025-01-01', 'maire@example.fr', '2025-02-02T08:00Z', '2025-02-02T08:00:05Z');
INSERT INTO installations (tenant_id, device_id, point_id, act, done_at, note, former_dev_eui, former_index, new_index)
VALUES (:tenant, :device, :point, 'replaced', :now, 'clé en mairie', '00000000000000aa', 1234.5, 0);
INSERT INTO photos VALUES (:device, :now, :tenant, '\xffd8ff00');
INSERT INTO populations VALUES (:tenant, 5200, 2025);
INSERT INTO comparison_consents VALUES (:tenant, NULL, 'Mme Lefèvre', :now);
INSERT INTO points (site_id, name, use) VALUES (:site, 'Eau, cantine', 'kitchen');
UPDATE points SET part_of = (SELECT point_id FROM points WHERE name = 'Eau, cantine') WHERE point_id = :meter;  -- a later one
