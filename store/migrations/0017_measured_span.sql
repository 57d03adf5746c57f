-- When a series was first and last measured while a device was at a point: by the key, from both its ends. As
-- last_before, the one of `visible` looks first whose it is.
CREATE FUNCTION measured_span(device_id integer, quantity_id smallint, channel smallint, since timestamptz, until timestamptz)
RETURNS TABLE (first_at timestamptz, last_at timestamptz) LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT (SELECT told.measured_at
            FROM public.measurements AS told
           WHERE told.device_id = $1 AND told.quantity_id = $2 AND told.channel = $3
             AND told.measured_at >= coalesce($4, '-infinity') AND told.measured_at < coalesce($5, 'infinity')
           ORDER BY told.measured_at
           LIMIT 1),
         (SELECT told.measured_at
            FROM public.measurements AS told
           WHERE told.device_id = $1 AND told.quantity_id = $2 AND told.channel = $3
             AND told.measured_at >= coalesce($4, '-infinity') AND told.measured_at < coalesce($5, 'infinity')
           ORDER BY told.measured_at DESC
           LIMIT 1)
$$;

CREATE FUNCTION visible.measured_span(device_id integer, quantity_id smallint, channel smallint, since timestamptz, until timestamptz)
RETURNS TABLE (first_at timestamptz, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
  SELECT min(span.first_at), max(span.last_at)
    FROM public.ownerships AS held
   CROSS JOIN LATERAL public.measured_span($1, $2, $3, greatest($4, held.since), least($5, held.until)) AS span
   WHERE held.device_id = $1
     AND held.tenant_id = ANY (public.allowed('read'))
$$;
REVOKE EXECUTE ON FUNCTION visible.measured_span(integer, smallint, smallint, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visible.measured_span(integer, smallint, smallint, timestamptz, timestamptz) TO samara_api, samara_grafana;
