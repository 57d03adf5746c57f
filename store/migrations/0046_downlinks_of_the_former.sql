-- What waits for a device that goes to another tenant is wanted back: it was asked for while it was the former's.
CREATE OR REPLACE FUNCTION move_device(moved integer, taker integer, at timestamptz) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE public.downlinks
     SET withdrawn_at = coalesce(withdrawn_at, $3), due_at = $3,
         cancelled_at = CASE WHEN asked_at IS NULL THEN coalesce(cancelled_at, $3) ELSE cancelled_at END
   WHERE device_id = $1 AND tenant_id <> $2 AND state IN ('queued', 'accepted');
  UPDATE public.devices SET tenant_id = $2 WHERE device_id = $1;
  DELETE FROM public.device_keys WHERE device_id = $1;
  DELETE FROM public.ownerships WHERE device_id = $1 AND since >= $3;
  UPDATE public.ownerships SET until = $3 WHERE device_id = $1 AND until > $3;
  INSERT INTO public.ownerships (device_id, tenant_id, since) VALUES ($1, $2, $3);
$$;
