-- Rows are locked in one order: a device, then its downlinks. So do handing a device over and removing it; whoever follows
-- its downlinks, and may change the period that is expected of it, holds it first.
CREATE FUNCTION hold_devices(wanted integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.devices WHERE device_id = ANY ($1) ORDER BY device_id FOR NO KEY UPDATE;
END $$;
REVOKE EXECUTE ON FUNCTION hold_devices(integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_devices(integer[]) TO samara_provisioning;
