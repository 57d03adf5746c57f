-- Network keys that come with a list of sensors: sealed when the file is read, handed to the order of their row when it is
-- taken, and gone two days later at most. The API writes them and reads none.

CREATE TABLE import_keys (
  import_id  integer NOT NULL REFERENCES import_files ON DELETE CASCADE,
  place      integer NOT NULL,                         -- of the row, from 0
  cell       integer NOT NULL,                         -- of the column, from 0
  created_at timestamptz NOT NULL,
  master     text NOT NULL,                            -- which key wraps the data key
  wrapped    bytea NOT NULL,
  sealed     bytea NOT NULL,
  PRIMARY KEY (import_id, place, cell)
);
ALTER TABLE import_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON import_keys TO CURRENT_USER USING (true) WITH CHECK (true);

ALTER TABLE import_files ADD COLUMN registers boolean NOT NULL DEFAULT false;  -- on the network server as well
ALTER TABLE import_files ADD COLUMN keep_keys boolean NOT NULL DEFAULT false;
ALTER TABLE network_orders ADD COLUMN import_id integer;                       -- the list that asked, which may be gone
CREATE INDEX network_orders_import ON network_orders (import_id) WHERE import_id IS NOT NULL;
GRANT INSERT (import_id) ON network_orders TO samara_api;

-- What a key was sealed as, when it came with a list: it cannot be sealed anew by what cannot open it. '': as its row says.
ALTER TABLE network_secrets ADD COLUMN sealed_as text NOT NULL DEFAULT '';
ALTER TABLE device_keys ADD COLUMN sealed_as text NOT NULL DEFAULT '';

CREATE FUNCTION import_key_name(list integer, place integer, cell integer) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('key of row %s, column %s of list %s', place, cell, list)
$$;

CREATE FUNCTION may_import(list integer) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.import_files AS one
                  WHERE one.import_id = $1 AND one.tenant_id = ANY (public.allowed('install')));
END $$;

CREATE FUNCTION put_import_keys(list integer, at timestamptz, places integer[], cells integer[],
                                masters text[], wrapped bytea[], sealed bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT public.may_import($1) THEN
    RAISE no_data_found USING MESSAGE = 'no such list here';
  END IF;
  INSERT INTO public.import_keys (import_id, place, cell, created_at, master, wrapped, sealed)
  SELECT $1, given.place, given.cell, $2, given.master, given.wrapped, given.sealed
    FROM unnest($3, $4, $5, $6, $7) AS given (place, cell, master, wrapped, sealed);
END $$;

-- The rows of a list, of those from `first` to before `until`, whose key is still here, with its column.
CREATE FUNCTION import_keyed(list integer, first integer, until integer) RETURNS TABLE (place integer, cell integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF public.may_import($1) THEN
    RETURN QUERY SELECT place, cell FROM public.import_keys
                  WHERE import_id = $1 AND place >= $2 AND place < $3 ORDER BY place, cell;
  END IF;
END $$;

-- Give orders the keys of their rows: the column app_cell is the AppKey, nwk_cell the NwkKey (-1: there is none).
CREATE FUNCTION hand_import_keys(list integer, orders integer[], places integer[], app_cell integer, nwk_cell integer,
                                 keeping boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT public.may_import($1) THEN
    RAISE no_data_found USING MESSAGE = 'no such list here';
  END IF;
  WITH handed AS MATERIALIZED (
    SELECT one.order_id, device.device_id, CASE held.cell WHEN $4 THEN 'app_key' ELSE 'nwk_key' END AS kind,
           held.master, held.wrapped, held.sealed, public.import_key_name($1, held.place, held.cell) AS sealed_as
      FROM unnest($2, $3) AS given (order_id, place)
      JOIN public.import_keys AS held ON held.import_id = $1 AND held.place = given.place AND held.cell IN ($4, $5)
      JOIN public.network_orders AS one ON one.order_id = given.order_id AND one.state = 'waiting'
      JOIN public.devices AS device ON device.dev_eui = one.dev_eui AND device.tenant_id = one.tenant_id
     WHERE one.tenant_id = (SELECT list.tenant_id FROM public.import_files AS list WHERE list.import_id = $1)
  ),
  passed AS (
    INSERT INTO public.network_secrets (order_id, kind, master, wrapped, sealed, sealed_as)
    SELECT order_id, kind, master, wrapped, sealed, sealed_as FROM handed
  )
  INSERT INTO public.device_keys AS known (device_id, kind, master, wrapped, sealed, sealed_as)
  SELECT device_id, kind, master, wrapped, sealed, sealed_as FROM handed WHERE $6
  ON CONFLICT ON CONSTRAINT device_keys_pkey
  DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed,
                sealed_as = excluded.sealed_as, written_at = now();
END $$;

-- Forget the keys of the rows before `until`: they were taken, or refused.
CREATE FUNCTION drop_import_keys(list integer, until integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.may_import($1) THEN
    DELETE FROM public.import_keys WHERE import_id = $1 AND place < $2;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION put_device_key(dev_eui text, kind text, master text, wrapped bytea, sealed bytea) RETURNS void
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
  DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed, sealed_as = '',
                written_at = now();
  PERFORM public.audit_own('device_key.written', device.tenant_id, $1, jsonb_build_object('kind', $2)::text);
END $$;

REVOKE EXECUTE ON FUNCTION import_key_name(integer, integer, integer), may_import(integer),
  put_import_keys(integer, timestamptz, integer[], integer[], text[], bytea[], bytea[]),
  import_keyed(integer, integer, integer), drop_import_keys(integer, integer),
  hand_import_keys(integer, integer[], integer[], integer, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION put_import_keys(integer, timestamptz, integer[], integer[], text[], bytea[], bytea[]),
  import_keyed(integer, integer, integer), drop_import_keys(integer, integer),
  hand_import_keys(integer, integer[], integer[], integer, integer, boolean) TO samara_api;
