-- Network keys are written and never read back: the API's role has this door alone, and it opens inwards.
CREATE FUNCTION put_device_key(dev_eui text, kind text, master text, wrapped bytea, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  device record;
BEGIN
  SELECT one.device_id, one.tenant_id INTO device
    FROM public.devices AS one
   WHERE one.dev_eui = $1 AND one.tenant_id = ANY (public.allowed('install'));
  IF device.device_id IS NULL THEN
    RAISE no_data_found USING MESSAGE = 'no such device here';
  END IF;
  INSERT INTO public.device_keys AS known (device_id, kind, master, wrapped, sealed) VALUES (device.device_id, $2, $3, $4, $5)
  ON CONFLICT ON CONSTRAINT device_keys_pkey
  DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed, written_at = now();
  PERFORM public.audit_own('device_key.written', device.tenant_id, $1, jsonb_build_object('kind', $2)::text);
END $$;
REVOKE EXECUTE ON FUNCTION put_device_key(text, text, text, bytea, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION put_device_key(text, text, text, bytea, bytea) TO samara_api;
