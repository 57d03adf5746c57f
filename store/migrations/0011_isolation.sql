-- Whatever the API does, the database lets it see what the account may see (docs/access.md).
--
-- The API says in each transaction who asks (samara.bearer, a secret that only the asker could send) and, when it
-- knows, about which tenant (samara.tenant, which can only take away). `allowed` makes tenants of the two.

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['samara_ingest', 'samara_api', 'samara_accounts', 'samara_alerting', 'samara_grafana'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was quicker
        WHEN insufficient_privilege THEN
          RAISE EXCEPTION 'the role % is missing and % may not create it: as a superuser, CREATE ROLE %', wanted, current_user, wanted;
      END;
    END IF;
  END LOOP;
END $$;

-- --- Who asks, and what they may ---------------------------------------------------------------------------------

CREATE FUNCTION bearer_of(presented bytea)
RETURNS TABLE (account_id integer, session_id bigint, key_id integer, permissions text[], tenant_id integer)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
#variable_conflict use_column
DECLARE
  sought bytea := sha256(presented);
BEGIN
  RETURN QUERY
  SELECT one.account_id, one.session_id, NULL::integer, NULL::text[], NULL::integer
    FROM public.sessions AS one
    JOIN public.accounts USING (account_id)
   WHERE one.digest = sought
     AND NOT one.is_pending
     AND one.expires_at > now()
     AND one.seen_at + one.idle > now()
     AND disabled_at IS NULL;
  IF NOT FOUND THEN
    RETURN QUERY
    SELECT one.account_id, NULL::bigint, one.key_id, one.permissions, one.tenant_id
      FROM public.api_keys AS one
      JOIN public.accounts USING (account_id)
     WHERE one.digest = sought
       AND one.expires_at > now()
       AND one.revoked_at IS NULL
       AND disabled_at IS NULL;
  END IF;
END $$;

-- The tenants on which whoever asks has a permission.
CREATE FUNCTION allowed(wanted text) RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  presented text := nullif(current_setting('samara.bearer', true), '');
  narrowed  integer := nullif(current_setting('samara.tenant', true), '')::integer;
  who       record;
  found_ids integer[];
BEGIN
  IF presented IS NULL THEN
    SELECT reader.account_id, NULL::text[] AS permissions, NULL::integer AS tenant_id INTO who
      FROM public.database_readers AS reader
      JOIN public.accounts USING (account_id)
     WHERE reader.role_name = session_user
       AND disabled_at IS NULL;
  ELSE
    SELECT * INTO who FROM public.bearer_of(decode(presented, 'hex'));
  END IF;
  IF who.account_id IS NULL OR NOT (who.permissions IS NULL OR wanted = ANY (who.permissions)) THEN
    RETURN '{}';
  END IF;
  SELECT array_agg(DISTINCT tree.tenant_id) INTO found_ids
    FROM public.grants AS held
    JOIN public.role_permissions USING (role)
    JOIN public.tenant_tree AS tree ON tree.ancestor_id = coalesce(held.tenant_id, 0)
                                   AND (held.with_descendants OR tree.tenant_id = held.tenant_id)
   WHERE held.account_id = who.account_id
     AND permission = wanted
     AND (narrowed IS NULL OR tree.tenant_id = narrowed)
     AND (who.tenant_id IS NULL OR EXISTS (SELECT FROM public.tenant_tree AS scope
                                            WHERE scope.ancestor_id = who.tenant_id
                                              AND scope.tenant_id = tree.tenant_id));
  RETURN coalesce(found_ids, '{}');
END $$;

-- Who a session or a key is, with the permissions that it has anywhere. No row: nobody.
CREATE FUNCTION whoami(presented bytea)
RETURNS TABLE (account_id integer, email text, name text, language text, session_id bigint, key_id integer,
               permissions text[], has_second_factor boolean, idle_s double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT one.account_id, one.email, one.name, one.language, who.session_id, who.key_id,
         ARRAY(SELECT DISTINCT permission
                 FROM public.grants
                 JOIN public.role_permissions USING (role)
                WHERE grants.account_id = who.account_id
                  AND (who.permissions IS NULL OR permission = ANY (who.permissions))),
         EXISTS (SELECT FROM public.second_factors AS factor
                  WHERE factor.account_id = who.account_id AND factor.confirmed_at IS NOT NULL),
         (SELECT extract(epoch FROM now() - seen_at)::float8 FROM public.sessions AS own
           WHERE own.session_id = who.session_id)
    FROM public.bearer_of(presented) AS who
    JOIN public.accounts AS one USING (account_id);
END $$;

-- The account that asks.
CREATE FUNCTION asking() RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT account_id FROM public.bearer_of(decode(nullif(current_setting('samara.bearer', true), ''), 'hex')));
END $$;

-- Those of several bearers that have a permission on a tenant: who follows a stream is asked again from time to time.
CREATE FUNCTION who_may(presented bytea[], wanted text, tenant_id integer) RETURNS bytea[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before text := coalesce(current_setting('samara.bearer', true), '');
  found  bytea[] := '{}';
  one    bytea;
BEGIN
  FOREACH one IN ARRAY presented LOOP
    PERFORM set_config('samara.bearer', encode(one, 'hex'), true);
    IF tenant_id = ANY (public.allowed(wanted)) THEN
      found := found || one;
    END IF;
  END LOOP;
  PERFORM set_config('samara.bearer', before, true);
  RETURN found;
END $$;

REVOKE EXECUTE ON FUNCTION bearer_of(bytea), allowed(text), whoami(bytea), asking(), who_may(bytea[], text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION asking(), who_may(bytea[], text, integer) TO samara_api;
GRANT EXECUTE ON FUNCTION allowed(text) TO samara_api, samara_grafana;
GRANT EXECUTE ON FUNCTION whoami(bytea) TO samara_api, samara_accounts;

-- --- Relational tables: row security, the owner's included -------------------------------------------------------

-- For a table with a column tenant_id: who has `reading` on the tenant sees its rows, who has `writing` changes them.
-- Later migrations call it for their own tables, or the test of tests/integration/store/test_store_isolation.py fails.
CREATE PROCEDURE protect(relation regclass, reading text, writing text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
  EXECUTE format('CREATE POLICY owner ON %s TO CURRENT_USER USING (true) WITH CHECK (true)', relation);
  EXECUTE format('CREATE POLICY alerting ON %s TO samara_alerting USING (true) WITH CHECK (true)', relation);
  EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO samara_api, samara_grafana
                  USING (tenant_id = ANY ((SELECT public.allowed(%L))::integer[]))', relation, reading);
  EXECUTE format('GRANT SELECT ON %s TO samara_api, samara_grafana, samara_alerting', relation);
  IF writing IS NOT NULL THEN
    EXECUTE format('CREATE POLICY adding ON %s FOR INSERT TO samara_api
                    WITH CHECK (tenant_id = ANY ((SELECT public.allowed(%L))::integer[]))', relation, writing);
    EXECUTE format('CREATE POLICY changing ON %s FOR UPDATE TO samara_api
                    USING (tenant_id = ANY ((SELECT public.allowed(%2$L))::integer[]))
                    WITH CHECK (tenant_id = ANY ((SELECT public.allowed(%2$L))::integer[]))', relation, writing);
    EXECUTE format('CREATE POLICY removing ON %s FOR DELETE TO samara_api
                    USING (tenant_id = ANY ((SELECT public.allowed(%L))::integer[]))', relation, writing);
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %s TO samara_api', relation);
  END IF;
END $$;
REVOKE EXECUTE ON PROCEDURE protect(regclass, text, text) FROM PUBLIC;

CALL protect('tenants', 'health');
CALL protect('sites', 'health', 'install');
CALL protect('devices', 'health', 'install');
CALL protect('audit', 'administer');

-- Whose rows these are is said by another table, which has its own row security.
ALTER TABLE points ENABLE ROW LEVEL SECURITY;
ALTER TABLE points FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON points TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY alerting ON points TO samara_alerting USING (true) WITH CHECK (true);
CREATE POLICY reading ON points FOR SELECT TO samara_api, samara_grafana USING (site_id IN (SELECT site_id FROM sites));
CREATE POLICY adding ON points FOR INSERT TO samara_api
  WITH CHECK (site_id IN (SELECT site_id FROM sites WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])));
CREATE POLICY changing ON points FOR UPDATE TO samara_api
  USING (site_id IN (SELECT site_id FROM sites WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])))
  WITH CHECK (site_id IN (SELECT site_id FROM sites WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])));

ALTER TABLE assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE assignments FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON assignments TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY alerting ON assignments TO samara_alerting USING (true) WITH CHECK (true);
CREATE POLICY reading ON assignments FOR SELECT TO samara_api, samara_grafana
  USING (point_id IN (SELECT point_id FROM points));
CREATE POLICY adding ON assignments FOR INSERT TO samara_api
  WITH CHECK (point_id IN (SELECT point_id FROM points JOIN sites USING (site_id)
                            WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[]))
              AND device_id IN (SELECT device_id FROM devices WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])));
CREATE POLICY changing ON assignments FOR UPDATE TO samara_api
  USING (point_id IN (SELECT point_id FROM points JOIN sites USING (site_id)
                       WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])))
  WITH CHECK (point_id IN (SELECT point_id FROM points JOIN sites USING (site_id)
                            WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])));
CREATE POLICY removing ON assignments FOR DELETE TO samara_api
  USING (point_id IN (SELECT point_id FROM points JOIN sites USING (site_id)
                       WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])));
GRANT SELECT, INSERT, UPDATE ON points TO samara_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON assignments TO samara_api;
GRANT SELECT ON points, assignments TO samara_grafana, samara_alerting;

-- Gateways are the network's, not a tenant's.
ALTER TABLE gateways ENABLE ROW LEVEL SECURITY;
ALTER TABLE gateways FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON gateways TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY ingest ON gateways TO samara_ingest USING (true) WITH CHECK (true);
CREATE POLICY alerting ON gateways TO samara_alerting USING (true) WITH CHECK (true);
CREATE POLICY supervising ON gateways TO samara_api, samara_grafana
  USING (cardinality((SELECT allowed('supervise'))::integer[]) > 0)
  WITH CHECK (cardinality((SELECT allowed('supervise'))::integer[]) > 0);
GRANT SELECT, INSERT, UPDATE ON gateways TO samara_api;
GRANT SELECT ON gateways TO samara_grafana, samara_alerting;

ALTER TABLE supervision_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE supervision_events FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON supervision_events TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY alerting ON supervision_events TO samara_alerting USING (true) WITH CHECK (true);
CREATE POLICY supervising ON supervision_events FOR SELECT TO samara_api
  USING (cardinality((SELECT allowed('supervise'))::integer[]) > 0);
CREATE POLICY telling ON supervision_events FOR INSERT TO samara_api WITH CHECK (true);
GRANT SELECT ON supervision_events TO samara_api, samara_alerting;
GRANT INSERT ON supervision_events TO samara_api;

-- An answer is told again to who had it.
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON idempotency_keys TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own ON idempotency_keys TO samara_api
  USING (account = (SELECT asking())::text) WITH CHECK (account = (SELECT asking())::text);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO samara_api;

-- Alerting: rules, alerts and contacts are the tenant's; what only its own machinery uses is not granted to the API.
CALL protect('calendars', 'read', 'manage');
CALL protect('maintenance_windows', 'read', 'manage');
CALL protect('rules', 'read', 'manage');
CALL protect('alerts', 'read');
CALL protect('transitions', 'read');
CALL protect('contacts', 'manage', 'manage');
CALL protect('escalation_steps', 'read', 'manage');
CALL protect('silences', 'read', 'manage');
CALL protect('incidents', 'read', 'manage');
CALL protect('deliveries', 'manage');
CALL protect('codecs', 'install', 'install');
CALL protect('codec_bindings', 'install', 'install');
CREATE POLICY network ON incidents FOR SELECT TO samara_api
  USING (tenant_id IS NULL AND cardinality((SELECT allowed('supervise'))::integer[]) > 0);
CREATE POLICY ingest ON codecs TO samara_ingest USING (true) WITH CHECK (true);
CREATE POLICY ingest ON codec_bindings FOR SELECT TO samara_ingest USING (true);

-- These belong to whom the row that they name belongs to.
DO $$
DECLARE
  part   record;
  source text;
BEGIN
  FOR part IN SELECT * FROM (VALUES ('point_tags', 'point_id', 'points', 'install'),
                                    ('on_call_shifts', 'contact_id', 'contacts', 'manage'),
                                    ('incident_events', 'incident_id', 'incidents', 'manage')
                            ) AS one (relation, key, whole, writing) LOOP
    source := CASE part.relation WHEN 'point_tags' THEN 'points JOIN sites USING (site_id)' ELSE part.whole END;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part.relation);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part.relation);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', part.relation);
    EXECUTE format('CREATE POLICY alerting ON %I TO samara_alerting USING (true) WITH CHECK (true)', part.relation);
    EXECUTE format('CREATE POLICY reading ON %I FOR SELECT TO samara_api USING (%I IN (SELECT %2$I FROM %I))',
                   part.relation, part.key, part.whole);
    EXECUTE format('CREATE POLICY writing ON %I TO samara_api
                    USING (%2$I IN (SELECT %2$I FROM %3$s WHERE tenant_id = ANY ((SELECT allowed(%4$L))::integer[])))
                    WITH CHECK (%2$I IN (SELECT %2$I FROM %3$s WHERE tenant_id = ANY ((SELECT allowed(%4$L))::integer[])))',
                   part.relation, part.key, source, part.writing);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO samara_api', part.relation);
  END LOOP;
END $$;

-- What belongs to accounts is for the role that lets people in, which reads nothing else: no statement of the API's
-- own role can make a session or read a password.
DO $$
DECLARE
  held text;
BEGIN
  FOREACH held IN ARRAY ARRAY['accounts', 'passwords', 'second_factors', 'grants', 'sessions', 'api_keys', 'links',
                              'identities', 'database_readers', 'tenant_tree', 'role_permissions', 'ownerships',
                              'device_keys'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', held);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', held);
    IF held NOT IN ('database_readers', 'ownerships', 'device_keys') THEN
      EXECUTE format('CREATE POLICY accounts ON %I TO samara_accounts USING (true) WITH CHECK (true)', held);
    END IF;
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON accounts, passwords, second_factors, grants, sessions, api_keys, links, identities TO samara_accounts;
GRANT SELECT ON tenant_tree, role_permissions, tenants TO samara_accounts;
CREATE POLICY accounts ON tenants FOR SELECT TO samara_accounts USING (true);

-- --- The audit log: applications can only add to it --------------------------------------------------------------

CREATE FUNCTION audit_line(entry audit) RETURNS bytea LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT convert_to(concat_ws(chr(31), entry.entry_id,
                              to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                              coalesce(entry.account_id::text, ''), entry.actor, entry.action,
                              coalesce(entry.tenant_id::text, ''), entry.object, entry.detail), 'UTF8')
$$;

-- One writer at a time, until its transaction ends: an entry follows one that is sure to stay.
CREATE FUNCTION audit_append(account_id integer, actor text, action text, tenant_id integer, object text, detail text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last_one public.audit;
  entry    public.audit;
BEGIN
  PERFORM pg_advisory_xact_lock(91618341970244);  -- "SAUDIT"
  SELECT * INTO last_one FROM public.audit ORDER BY entry_id DESC LIMIT 1;
  entry := (coalesce(last_one.entry_id, 0) + 1, clock_timestamp(), account_id, actor, action, tenant_id, object, detail, '');
  entry.digest := sha256(coalesce(last_one.digest, '') || public.audit_line(entry));
  INSERT INTO public.audit SELECT entry.*;
  RETURN entry.entry_id;
END $$;

-- As the API's role: who did it is whoever the bearer is, whatever the caller says.
CREATE FUNCTION audit_own(action text, tenant_id integer, object text, detail text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who record;
BEGIN
  SELECT one.account_id, one.email INTO who
    FROM public.bearer_of(decode(nullif(current_setting('samara.bearer', true), ''), 'hex')) AS bearer
    JOIN public.accounts AS one USING (account_id);
  IF who.account_id IS NULL THEN
    RAISE insufficient_privilege USING MESSAGE = 'nobody is signed in';
  END IF;
  RETURN public.audit_append(who.account_id, who.email, action, tenant_id, object, detail);
END $$;

REVOKE EXECUTE ON FUNCTION audit_append(integer, text, text, integer, text, text), audit_own(text, integer, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append(integer, text, text, integer, text, text) TO samara_accounts;
GRANT EXECUTE ON FUNCTION audit_own(text, integer, text, text) TO samara_api;

-- --- Telemetry: the API and Grafana read it through these views alone --------------------------------------------

-- They have the names of the tables: `visible` is first in the search path of the API's sessions, so that one
-- statement reads everything for its owner, and for the API what the account may see. A row is of the tenant that had
-- the device at the time. TimescaleDB has no row security on compressed chunks: hence views.
CREATE SCHEMA visible;
GRANT USAGE ON SCHEMA visible TO samara_api, samara_grafana;

CREATE VIEW visible.measurements WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.measurements AS told ON told.device_id = held.device_id
                                  AND told.measured_at >= held.since AND told.measured_at < held.until
 WHERE held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]);

-- An hour or a day counts when all of it was the tenant's.
CREATE VIEW visible.measurements_hourly WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.measurements_hourly AS told ON told.device_id = held.device_id
                                         AND told.hour >= held.since AND told.hour <= held.until - interval '1 hour'
 WHERE held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]);

CREATE VIEW visible.measurements_daily WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.measurements_daily AS told ON told.device_id = held.device_id AND told.day >= held.since
   AND (held.until = 'infinity'
        OR (told.day AT TIME ZONE 'Europe/Paris' + interval '1 day') AT TIME ZONE 'Europe/Paris' <= held.until)
 WHERE held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]);

-- Supervisors see how a frame travelled, not what it said.
CREATE VIEW visible.uplinks WITH (security_barrier) AS
SELECT told.received_at, told.uplink_key, told.ingested_at, told.f_cnt, told.frequency_hz, told.device_id,
       told.decoder_id, told.bandwidth_hz, told.source_id, told.f_port, told.spreading_factor, told.data_rate,
       told.confirmed, told.adr, told.dev_addr, told.outcome,
       CASE WHEN held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]) THEN told.detail ELSE '' END AS detail,
       CASE WHEN held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]) THEN told.payload END AS payload,
       CASE WHEN held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]) THEN told.object END AS object
  FROM public.ownerships AS held
  JOIN public.uplinks AS told ON told.device_id = held.device_id
                             AND told.received_at >= held.since AND told.received_at < held.until
 WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[]);

CREATE VIEW visible.receptions WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.receptions AS told ON told.device_id = held.device_id
                                AND told.received_at >= held.since AND told.received_at < held.until
 WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[]);

CREATE VIEW visible.latest_frames WITH (security_barrier) AS
SELECT told.device_id, told.layout, told.measured_at, told.received_at,
       CASE WHEN mine THEN told.quantity_ids ELSE '{}' END AS quantity_ids,
       CASE WHEN mine THEN told.channels ELSE '{}' END AS channels,
       CASE WHEN mine THEN told.readings ELSE '{}' END AS readings,
       told.xmin
  FROM (SELECT frame.*, frame.xmin,
               held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]) AS mine
          FROM public.ownerships AS held
          JOIN public.latest_frames AS frame ON frame.device_id = held.device_id
                                            AND frame.received_at >= held.since AND frame.received_at < held.until
                                            AND frame.measured_at >= held.since AND frame.measured_at < held.until
         WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[])) AS told;

CREATE VIEW visible.latest WITH (security_barrier) AS
  SELECT DISTINCT ON (device_id, quantity_id, channel)
         device_id, quantity_id, channel, value, measured_at, received_at
    FROM visible.latest_frames, unnest(quantity_ids, channels, readings) AS one (quantity_id, channel, value)
ORDER BY device_id, quantity_id, channel, measured_at DESC;

CREATE VIEW visible.network_events WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.network_events AS told ON told.device_id = held.device_id
                                    AND told.received_at >= held.since AND told.received_at < held.until
 WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[])
 UNION ALL
SELECT *
  FROM public.network_events
 WHERE gateway_id IS NOT NULL
   AND cardinality((SELECT public.allowed('supervise'))::integer[]) > 0;

CREATE VIEW visible.gateways_heard WITH (security_barrier) AS
SELECT * FROM public.gateways_heard WHERE cardinality((SELECT public.allowed('supervise'))::integer[]) > 0;

CREATE VIEW visible.changed_hours WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.changed_hours AS told ON told.device_id = held.device_id
                                   AND told.hour + interval '1 hour' > held.since AND told.hour < held.until
 WHERE held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]);

CREATE VIEW visible.radio_accounts WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.radio_accounts AS told ON told.device_id = held.device_id
                                    AND told.day >= (held.since AT TIME ZONE 'UTC')::date
                                    AND told.day < (held.until AT TIME ZONE 'UTC')::date
 WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[]);

CREATE VIEW visible.ingest_accounts WITH (security_barrier) AS
SELECT *
  FROM public.ingest_accounts
 WHERE tenant_id = ANY ((SELECT public.allowed('health'))::integer[])
    OR tenant_id IS NULL AND cardinality((SELECT public.allowed('supervise'))::integer[]) > 0;

CREATE VIEW visible.quarantine WITH (security_barrier) AS
SELECT *
  FROM public.quarantine
 WHERE tenant_id = ANY ((SELECT public.allowed('read'))::integer[])
    OR tenant_id IS NULL AND cardinality((SELECT public.allowed('supervise'))::integer[]) > 0;

GRANT SELECT ON ALL TABLES IN SCHEMA visible TO samara_api, samara_grafana;

-- "The last one before" through a barrier would read all that came before: these look first whose it is.
CREATE FUNCTION last_before(device_id integer, quantity_id smallint, channel smallint, before timestamptz, since timestamptz)
RETURNS TABLE (measured_at timestamptz, value double precision) LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT told.measured_at, told.value
    FROM public.measurements AS told
   WHERE told.device_id = $1
     AND told.quantity_id = $2
     AND told.channel = $3
     AND told.measured_at < $4
     AND told.measured_at >= coalesce($5, '-infinity')
   ORDER BY told.measured_at DESC
   LIMIT 1
$$;

CREATE FUNCTION visible.last_before(device_id integer, quantity_id smallint, channel smallint, before timestamptz, since timestamptz)
RETURNS TABLE (measured_at timestamptz, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
DECLARE
  held record;
BEGIN
  FOR held IN SELECT greatest($5, one.since) AS since, least($4, one.until) AS until
                FROM public.ownerships AS one
               WHERE one.device_id = $1
                 AND one.tenant_id = ANY (public.allowed('read'))
                 AND one.since < $4
               ORDER BY one.since DESC LOOP
    RETURN QUERY SELECT * FROM public.last_before($1, $2, $3, held.until, held.since);
    EXIT WHEN FOUND;
  END LOOP;
END $$;

CREATE FUNCTION last_gateway_event_at(gateway_id integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT told.received_at
    FROM public.network_events AS told
   WHERE told.gateway_id = $1
   ORDER BY told.received_at DESC
   LIMIT 1
$$;

CREATE FUNCTION visible.last_gateway_event_at(gateway_id integer) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN cardinality(public.allowed('supervise')) > 0 THEN public.last_gateway_event_at($1) END;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA visible FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA visible TO samara_api, samara_grafana;

-- --- What is nobody's: vocabularies, and what tells no tenant's business -----------------------------------------

GRANT SELECT ON quantities, models, decoders, sources, changed_days TO samara_api, samara_grafana;
GRANT SELECT ON schema_migrations TO samara_ingest, samara_api, samara_accounts, samara_alerting;

-- --- Ingest and alerting work for all tenants --------------------------------------------------------------------

CREATE POLICY ingest ON tenants FOR SELECT TO samara_ingest USING (true);
CREATE POLICY ingest ON devices FOR SELECT TO samara_ingest USING (true);
GRANT SELECT ON tenants, devices TO samara_ingest;
GRANT SELECT, INSERT ON gateways, quantities, sources, decoders TO samara_ingest;
GRANT SELECT, INSERT, UPDATE ON models TO samara_ingest;
GRANT SELECT ON codec_bindings, watched_tenants TO samara_ingest;
GRANT SELECT, UPDATE ON codecs TO samara_ingest;
GRANT INSERT ON arrivals TO samara_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON uplinks, receptions, measurements, network_events, latest_frames, changed_hours,
      ingest_accounts, quarantine, gateways_heard TO samara_ingest;

CREATE POLICY alerting ON ownerships TO samara_alerting USING (true);
CREATE POLICY alerting ON accounts FOR SELECT TO samara_alerting USING (true);
CREATE POLICY alerting ON grants FOR SELECT TO samara_alerting USING (true);
GRANT SELECT ON uplinks, receptions, measurements, measurements_hourly, measurements_daily, network_events, latest_frames,
      latest, changed_hours, changed_days, ingest_accounts, quarantine, gateways_heard, radio_accounts, quantities,
      models, decoders, sources, ownerships, accounts, grants TO samara_alerting;

GRANT SELECT, INSERT, UPDATE, DELETE
   ON calendars, maintenance_windows, rules, watched_tenants, arrivals, rule_states, rule_inputs, rule_checkpoints,
      incidents, alerts, transitions, outbox, contacts, on_call_shifts, escalation_steps, silences, incident_events,
      held_alerts, deliveries, point_tags TO samara_alerting;

-- A partition belongs to whoever owns the relation: ingest asks for one, and no more.
CREATE FUNCTION make_partition(relation text, month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  part text := relation || to_char(month, '_YYYY_MM');
BEGIN
  IF relation NOT IN ('uplinks', 'receptions', 'measurements', 'network_events') OR month <> date_trunc('month', month) THEN
    RAISE invalid_parameter_value USING MESSAGE = format('%s has no partition of %s', relation, month);
  END IF;
  EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', part, relation);
  EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', relation, part,
                 to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
                 to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
  RETURN part;
END $$;
REVOKE EXECUTE ON FUNCTION make_partition(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partition(text, date) TO samara_ingest;
