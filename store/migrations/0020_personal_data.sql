-- What a tenant says of the personal data that its meters make: what for, on which ground, and for how long. A class
-- without a row here is as domain/processings.py has it.
CREATE TABLE processings (
  tenant_id   integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  data_class  text NOT NULL CHECK (data_class IN ('individual_water', 'individual_energy', 'individual_environment')),
  purpose     text NOT NULL CHECK (purpose <> ''),
  legal_basis text NOT NULL CHECK (legal_basis <> ''),
  keep_months integer NOT NULL CHECK (keep_months BETWEEN 1 AND 120),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, data_class)
);
CALL protect('processings', 'read', 'manage');

-- Everything that one device said in a range of time, of some quantities (NULL: of all, and its frames as well), deleted
-- wherever it is. Returns how many rows. A roll-up goes with the range in which it begins.
CREATE FUNCTION erase_measured(device_id integer, since timestamptz, until timestamptz, quantity_ids smallint[])
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  found   bigint;
  deleted bigint := 0;
--timescale  rolled  record;
BEGIN
  since := coalesce(since, '-infinity');
  until := coalesce(until, 'infinity');
  DELETE FROM public.measurements AS one
   WHERE one.device_id = device_id AND one.measured_at >= since AND one.measured_at < until
     AND (quantity_ids IS NULL OR one.quantity_id = ANY (quantity_ids));
  GET DIAGNOSTICS found = ROW_COUNT;
  deleted := deleted + found;
--plain  DELETE FROM public.measurements_hourly AS one
--plain   WHERE one.device_id = device_id AND one.hour >= since AND one.hour < until
--plain     AND (quantity_ids IS NULL OR one.quantity_id = ANY (quantity_ids));
--plain  DELETE FROM public.measurements_daily AS one
--plain   WHERE one.device_id = device_id AND one.day >= since AND one.day < until
--plain     AND (quantity_ids IS NULL OR one.quantity_id = ANY (quantity_ids));
--timescale  FOR rolled IN SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS place,
--timescale                       CASE view_name WHEN 'measurements_hourly' THEN 'hour' ELSE 'day' END AS unit
--timescale                  FROM timescaledb_information.continuous_aggregates
--timescale                 WHERE view_name IN ('measurements_hourly', 'measurements_daily') LOOP
--timescale    EXECUTE format('DELETE FROM %s WHERE device_id = $1 AND %I >= $2 AND %2$I < $3
--timescale                      AND ($4 IS NULL OR quantity_id = ANY ($4))', rolled.place, rolled.unit)
--timescale      USING device_id, since, until, quantity_ids;
--timescale  END LOOP;
  DELETE FROM public.latest_frames AS one
   WHERE one.device_id = device_id AND one.measured_at >= since AND one.measured_at < until
     AND (quantity_ids IS NULL OR one.quantity_ids && quantity_ids);
  IF quantity_ids IS NULL THEN
    DELETE FROM public.uplinks AS one
     WHERE one.device_id = device_id AND one.received_at >= since AND one.received_at < until;
    GET DIAGNOSTICS found = ROW_COUNT;
    deleted := deleted + found;
    DELETE FROM public.receptions AS one
     WHERE one.device_id = device_id AND one.received_at >= since AND one.received_at < until;
    DELETE FROM public.network_events AS one
     WHERE one.device_id = device_id AND one.received_at >= since AND one.received_at < until;
    DELETE FROM public.quarantine AS one
     USING public.devices
     WHERE devices.device_id = device_id AND one.dev_eui = devices.dev_eui
       AND one.first_at >= since AND one.first_at < until;
  END IF;
  RETURN deleted;
END $$;
REVOKE EXECUTE ON FUNCTION erase_measured(integer, timestamptz, timestamptz, smallint[]) FROM PUBLIC;

-- What else says of a point what it measured: what was published, what was watched, what was told.
CREATE FUNCTION erase_told(point_id integer) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  states bigint[] := ARRAY(SELECT one.state_id FROM public.rule_states AS one WHERE one.point_id = point_id
                            UNION SELECT one.state_id FROM public.rule_inputs AS one WHERE one.point_id = point_id);
BEGIN
  DELETE FROM public.open_rows AS one WHERE one.point_id = point_id;
  UPDATE public.deliveries AS one SET notice = NULL
   WHERE one.incident_id IN (SELECT alerts.incident_id FROM public.alerts WHERE alerts.state_id = ANY (states));
  UPDATE public.transitions AS one SET value = NULL, reason = '{}' WHERE one.state_id = ANY (states);
  UPDATE public.alerts AS one SET value = NULL, reason = '{}', ended_at = coalesce(one.ended_at, now())
   WHERE one.state_id = ANY (states);
  DELETE FROM public.rule_states AS one WHERE one.state_id = ANY (states);  -- with checkpoints; rules make them anew
END $$;
REVOKE EXECUTE ON FUNCTION erase_told(integer) FROM PUBLIC;

-- For whoever manages the tenant: everything that a point measured, whichever device did.
CREATE FUNCTION erase_point(point_id integer, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  tenant  integer;
  held    record;
  deleted bigint := 0;
BEGIN
  SELECT one.of_tenant_id INTO tenant
    FROM public.points AS one
   WHERE one.point_id = point_id AND one.of_tenant_id = ANY (public.allowed('manage'));
  IF tenant IS NULL THEN
    RAISE no_data_found USING MESSAGE = 'no such point here';
  END IF;
  FOR held IN SELECT one.device_id, lower(one.during) AS since, upper(one.during) AS until
                FROM public.assignments AS one WHERE one.point_id = point_id LOOP
    deleted := deleted + public.erase_measured(held.device_id, held.since, held.until, NULL);
  END LOOP;
  PERFORM public.erase_told(point_id);
  PERFORM public.audit_own('point.erased', tenant, point_id::text,
                           jsonb_build_object('reason', reason, 'rows', deleted)::text);
  RETURN deleted;
END $$;
REVOKE EXECUTE ON FUNCTION erase_point(integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_point(integer, text) TO samara_api;
