-- An order to a network server can be taken back while it waits, and asked again when it failed or was taken back.

ALTER TABLE network_orders DROP CONSTRAINT network_orders_state_check;
ALTER TABLE network_orders ADD CONSTRAINT network_orders_state_check
  CHECK (state IN ('waiting', 'done', 'failed', 'cancelled'));
ALTER TABLE network_orders ADD COLUMN brings_keys boolean NOT NULL DEFAULT false;  -- whether keys came with it
CREATE INDEX network_orders_of_device ON network_orders (dev_eui, order_id);
GRANT INSERT (brings_keys) ON network_orders TO samara_api;

-- What becomes of it, in one word: `cancelled`; `in_hand`, a worker is at it this minute; `over`, it does not wait.
CREATE FUNCTION cancel_network_order(wanted integer, at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked record;
BEGIN
  SELECT state, claimed_until INTO asked
    FROM public.network_orders
   WHERE order_id = $1 AND tenant_id = ANY (public.allowed('install'))
     FOR UPDATE;
  IF NOT FOUND THEN
    RAISE no_data_found USING MESSAGE = 'no such order here';
  ELSIF asked.state <> 'waiting' THEN
    RETURN 'over';
  ELSIF asked.claimed_until > $2 THEN
    RETURN 'in_hand';
  END IF;
  UPDATE public.network_orders SET state = 'cancelled', ended_at = $2 WHERE order_id = $1;
  DELETE FROM public.network_secrets WHERE order_id = $1;
  RETURN 'cancelled';
END $$;

-- `again`: it is due now; `in_hand`; `over`, it was done; `later`, something else was wanted of the device since;
-- `keys`: those that it brought were deleted with it and are not kept, so that they must be given again.
CREATE FUNCTION retry_network_order(wanted integer, at timestamptz, with_keys boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked record;
BEGIN
  SELECT * INTO asked
    FROM public.network_orders
   WHERE order_id = $1 AND tenant_id = ANY (public.allowed('install'))
     FOR UPDATE;
  IF NOT FOUND THEN
    RAISE no_data_found USING MESSAGE = 'no such order here';
  ELSIF asked.state = 'done' THEN
    RETURN 'over';
  ELSIF asked.claimed_until > $2 THEN
    RETURN 'in_hand';
  ELSIF EXISTS (SELECT FROM public.network_orders AS one
                 WHERE one.dev_eui = asked.dev_eui AND one.order_id > $1 AND one.state <> 'cancelled') THEN
    RETURN 'later';
  ELSIF asked.state <> 'waiting' AND asked.brings_keys AND NOT $3 AND NOT 'keyed' = ANY (asked.steps)
    AND NOT EXISTS (SELECT FROM public.device_keys JOIN public.devices AS one USING (device_id)
                     WHERE one.dev_eui = asked.dev_eui AND one.tenant_id = asked.tenant_id) THEN
    RETURN 'keys';
  END IF;
  UPDATE public.network_orders
     SET state = 'waiting', due_at = $2, ended_at = NULL, brings_keys = brings_keys OR $3,
         created_at = CASE WHEN state = 'waiting' THEN created_at ELSE $2 END
   WHERE order_id = $1;
  DELETE FROM public.network_secrets WHERE order_id = $1 AND $3;  -- others come
  RETURN 'again';
END $$;

-- The models that have a profile where a tenant's devices go; NULL: no network server serves it.
CREATE FUNCTION network_profiled(tenant integer) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  served integer := public.network_server_of($1);
BEGIN
  IF served IS NULL OR NOT $1 = ANY (public.allowed('health')) THEN
    RETURN NULL;
  END IF;
  RETURN ARRAY(SELECT known.model_id FROM public.network_profiles AS known WHERE known.tenant_id = served);
END $$;

REVOKE EXECUTE ON FUNCTION cancel_network_order(integer, timestamptz),
  retry_network_order(integer, timestamptz, boolean), network_profiled(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cancel_network_order(integer, timestamptz),
  retry_network_order(integer, timestamptz, boolean), network_profiled(integer) TO samara_api;
