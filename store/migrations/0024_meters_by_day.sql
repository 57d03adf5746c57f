-- A household's meter is told by day, unless the tenant chose hours: what is finer, the API's and Grafana's roles are not
-- shown. Alerting, which looks for leaks, sees what it needs.

ALTER TABLE processings ADD COLUMN grain text NOT NULL DEFAULT 'day' CHECK (grain IN ('hour', 'day'));

-- The quantities of a device that are told by day alone, while a tenant has it.
ALTER TABLE ownerships ADD COLUMN by_day smallint[] NOT NULL DEFAULT '{}';

-- Air in a home is told as it is measured unless the tenant says otherwise; water and energy by day.
CREATE FUNCTION told_by_day(device_id integer, tenant_id integer) RETURNS smallint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(quantity.quantity_id), '{}')
    FROM public.quantities AS quantity
    LEFT JOIN public.processings AS said ON said.tenant_id = $2 AND said.data_class = 'individual_' || quantity.domain
   WHERE quantity.domain IN ('water', 'energy', 'environment')
     AND coalesce(said.grain, CASE quantity.domain WHEN 'environment' THEN 'hour' ELSE 'day' END) = 'day'
     AND EXISTS (SELECT FROM public.assignments AS held
                   JOIN public.points AS point ON point.point_id = held.point_id
                  WHERE held.device_id = $1 AND held.of_tenant_id = $2 AND point.is_individual)
$$;

CREATE FUNCTION note_by_day(devices integer[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE public.ownerships AS one
     SET by_day = public.told_by_day(one.device_id, one.tenant_id)
   WHERE one.device_id = ANY ($1)
     AND one.by_day IS DISTINCT FROM public.told_by_day(one.device_id, one.tenant_id)
$$;

CREATE FUNCTION note_assignment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP <> 'DELETE' THEN
    PERFORM public.note_by_day(ARRAY[NEW.device_id]);
  ELSE
    PERFORM public.note_by_day(ARRAY[OLD.device_id]);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER assignments_noted AFTER INSERT OR DELETE OR UPDATE OF point_id, device_id, of_tenant_id ON assignments
  FOR EACH ROW EXECUTE FUNCTION note_assignment();

CREATE FUNCTION note_point() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM public.note_by_day(ARRAY(SELECT device_id FROM public.assignments WHERE point_id = NEW.point_id));
  RETURN NULL;
END $$;
CREATE TRIGGER points_noted AFTER UPDATE OF is_individual ON points
  FOR EACH ROW WHEN (OLD.is_individual IS DISTINCT FROM NEW.is_individual) EXECUTE FUNCTION note_point();

CREATE FUNCTION note_processing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tenant integer := CASE TG_OP WHEN 'DELETE' THEN OLD.tenant_id ELSE NEW.tenant_id END;
BEGIN
  PERFORM public.note_by_day(ARRAY(SELECT device_id FROM public.assignments WHERE of_tenant_id = tenant));
  RETURN NULL;
END $$;
CREATE TRIGGER processings_noted AFTER INSERT OR UPDATE OR DELETE ON processings
  FOR EACH ROW EXECUTE FUNCTION note_processing();
REVOKE EXECUTE ON FUNCTION told_by_day(integer, integer), note_by_day(integer[]), note_assignment(), note_point(),
  note_processing() FROM PUBLIC;

-- Whether a series is told by day alone: of the owner's reading none is.
CREATE FUNCTION by_day_alone(point_id integer, quantity_id smallint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT false
$$;
CREATE FUNCTION visible.by_day_alone(point_id integer, quantity_id smallint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM public.assignments AS one
                   JOIN public.ownerships AS held ON held.device_id = one.device_id AND held.tenant_id = one.of_tenant_id
                  WHERE one.point_id = $1 AND $2 = ANY (held.by_day)
                    AND held.tenant_id = ANY (public.allowed('read')))
$$;
REVOKE EXECUTE ON FUNCTION visible.by_day_alone(integer, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visible.by_day_alone(integer, smallint) TO samara_api, samara_grafana;

CREATE OR REPLACE VIEW visible.measurements WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.measurements AS told ON told.device_id = held.device_id
                                  AND told.measured_at >= held.since AND told.measured_at < held.until
                                  AND told.quantity_id <> ALL (held.by_day)
 WHERE held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]);

CREATE OR REPLACE VIEW visible.measurements_hourly WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.measurements_hourly AS told ON told.device_id = held.device_id
                                         AND told.hour >= held.since AND told.hour <= held.until - interval '1 hour'
                                         AND told.quantity_id <> ALL (held.by_day)
 WHERE held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]);

CREATE OR REPLACE VIEW visible.uplinks WITH (security_barrier) AS
SELECT told.received_at, told.uplink_key, told.ingested_at, told.f_cnt, told.frequency_hz, told.device_id,
       told.decoder_id, told.bandwidth_hz, told.source_id, told.f_port, told.spreading_factor, told.data_rate,
       told.confirmed, told.adr, told.dev_addr, told.outcome,
       CASE WHEN mine THEN told.detail ELSE '' END AS detail,
       CASE WHEN mine THEN told.payload END AS payload,
       CASE WHEN mine THEN told.object END AS object
  FROM (SELECT frame.*,
               held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[])
               AND (held.by_day = '{}'
                    OR NOT EXISTS (SELECT FROM public.latest_frames AS latest
                                    WHERE latest.device_id = held.device_id AND latest.quantity_ids && held.by_day)) AS mine
          FROM public.ownerships AS held
          JOIN public.uplinks AS frame ON frame.device_id = held.device_id
                                      AND frame.received_at >= held.since AND frame.received_at < held.until
         WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[])) AS told;

-- The latest value of what is told by day is the last of the days before, as of the midnight that ended them.
CREATE OR REPLACE VIEW visible.latest_frames WITH (security_barrier) AS
SELECT told.device_id, told.layout,
       CASE WHEN by_day THEN date_trunc('day', told.measured_at, 'Europe/Paris') ELSE told.measured_at END AS measured_at,
       told.received_at,
       CASE WHEN NOT mine THEN '{}' WHEN by_day THEN coalesce(days.quantity_ids, '{}') ELSE told.quantity_ids END AS quantity_ids,
       CASE WHEN NOT mine THEN '{}' WHEN by_day THEN coalesce(days.channels, '{}') ELSE told.channels END AS channels,
       CASE WHEN NOT mine THEN '{}' WHEN by_day THEN coalesce(days.readings, '{}') ELSE told.readings END AS readings,
       told.xmin
  FROM (SELECT frame.*, frame.xmin, held.by_day AS hidden, frame.quantity_ids && held.by_day AS by_day,
               held.tenant_id = ANY ((SELECT public.allowed('read'))::integer[]) AS mine
          FROM public.ownerships AS held
          JOIN public.latest_frames AS frame ON frame.device_id = held.device_id
                                            AND frame.received_at >= held.since AND frame.received_at < held.until
                                            AND frame.measured_at >= held.since AND frame.measured_at < held.until
         WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[])) AS told
  LEFT JOIN LATERAL (
         SELECT array_agg(quantity_id) AS quantity_ids, array_agg(channel) AS channels, array_agg(value) AS readings
           FROM (SELECT one.quantity_id, one.channel,
                        CASE WHEN one.quantity_id = ANY (told.hidden)
                             THEN (SELECT daily.last
                                     FROM public.measurements_daily AS daily
                                    WHERE daily.device_id = told.device_id
                                      AND daily.quantity_id = one.quantity_id
                                      AND daily.channel = one.channel
                                      AND daily.day < date_trunc('day', told.measured_at, 'Europe/Paris')
                                    ORDER BY daily.day DESC
                                    LIMIT 1)
                             ELSE one.value
                         END AS value
                   FROM unnest(told.quantity_ids, told.channels, told.readings) AS one (quantity_id, channel, value)) AS each_one
          WHERE value IS NOT NULL) AS days ON told.by_day AND told.mine;

CREATE OR REPLACE FUNCTION visible.last_before(device_id integer, quantity_id smallint, channel smallint, before timestamptz, since timestamptz)
RETURNS TABLE (measured_at timestamptz, value double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
DECLARE
  held record;
BEGIN
  FOR held IN SELECT greatest($5, one.since) AS since, least($4, one.until) AS until, $2 = ANY (one.by_day) AS by_day
                FROM public.ownerships AS one
               WHERE one.device_id = $1
                 AND one.tenant_id = ANY (public.allowed('read'))
                 AND one.since < $4
               ORDER BY one.since DESC LOOP
    IF held.by_day THEN
      RETURN QUERY SELECT daily.last_at, daily.last
                     FROM public.measurements_daily AS daily
                    WHERE daily.device_id = $1 AND daily.quantity_id = $2 AND daily.channel = $3
                      AND daily.day < date_trunc('day', held.until, 'Europe/Paris')
                      AND daily.day >= coalesce(held.since, '-infinity')
                    ORDER BY daily.day DESC
                    LIMIT 1;
    ELSE
      RETURN QUERY SELECT * FROM public.last_before($1, $2, $3, held.until, held.since);
    END IF;
    EXIT WHEN FOUND;
  END LOOP;
END $$;
