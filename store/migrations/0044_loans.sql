-- A device goes from one tenant to another, for good or on loan. What it said stays with whom it was of at the time.

CREATE TABLE loans (
  loan_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id   integer NOT NULL REFERENCES tenants ON DELETE CASCADE,   -- whose it is: there it comes back
  borrower_id integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  device_id   integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  account_id  integer REFERENCES accounts ON DELETE SET NULL,
  lent_at     timestamptz NOT NULL,
  due_on      date NOT NULL,                                           -- the last day
  returned_at timestamptz,
  note        text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  CHECK (tenant_id <> borrower_id),
  CHECK (returned_at >= lent_at)
);
CREATE UNIQUE INDEX loans_open ON loans (device_id) WHERE returned_at IS NULL;
CREATE INDEX loans_tenant ON loans (tenant_id, loan_id);
CREATE INDEX loans_borrower ON loans (borrower_id, loan_id);
CALL protect('loans', 'health', 'install');
CREATE POLICY borrowed ON loans FOR SELECT TO samara_api USING (borrower_id = ANY ((SELECT public.allowed('health'))::integer[]));

-- Give a device to another tenant. Keys that were kept for the former go: they were sealed with its name.
CREATE FUNCTION move_device(moved integer, taker integer, at timestamptz) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE public.devices SET tenant_id = $2 WHERE device_id = $1;
  DELETE FROM public.device_keys WHERE device_id = $1;
  DELETE FROM public.ownerships WHERE device_id = $1 AND since >= $3;
  UPDATE public.ownerships SET until = $3 WHERE device_id = $1 AND until > $3;
  INSERT INTO public.ownerships (device_id, tenant_id, since) VALUES ($1, $2, $3);
$$;

-- The same for who may install at both ends, whichever of them the transaction is narrowed to. What it measures ends with
-- it. Network servers are told: where another serves the taker, it is taken away from the one and wanted on the other.
CREATE FUNCTION hand_over_device(dev_eui text, giver integer, taker integer, at timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  narrowed text := coalesce(current_setting('samara.tenant', true), '');
  mine     integer[];
  moved    integer;
  who      integer := public.asking();
  since    timestamptz;
  former   integer := public.network_server_of($2);
  latter   integer := public.network_server_of($3);
BEGIN
  PERFORM set_config('samara.tenant', '', true);
  mine := public.allowed('install');
  PERFORM set_config('samara.tenant', narrowed, true);
  IF NOT ($2 = ANY (mine) AND $3 = ANY (mine)) OR $2 = $3 THEN
    RAISE no_data_found USING MESSAGE = 'no such device or tenant here';
  END IF;
  SELECT one.device_id INTO moved FROM public.devices AS one WHERE one.dev_eui = $1 AND one.tenant_id = $2 FOR UPDATE;
  IF moved IS NULL THEN
    RAISE no_data_found USING MESSAGE = 'no such device here';
  END IF;
  SELECT lower(one.during) INTO since
    FROM public.assignments AS one WHERE one.device_id = moved AND upper_inf(one.during);
  IF FOUND THEN
    IF since > $4 THEN
      RAISE object_in_use USING MESSAGE = 'it measures since a later moment';
    END IF;
    DELETE FROM public.assignments WHERE device_id = moved AND upper_inf(during) AND lower(during) = $4;
    UPDATE public.assignments SET during = tstzrange(lower(during), $4) WHERE device_id = moved AND upper_inf(during);
    INSERT INTO public.installations (tenant_id, device_id, act, done_at, account_id) VALUES ($2, moved, 'removed', $4, who);
  END IF;
  PERFORM public.move_device(moved, $3, $4);
  IF former IS DISTINCT FROM latter THEN
    INSERT INTO public.network_orders (tenant_id, act, dev_eui, account_id, created_at, due_at)
    SELECT tenant_id, act, $1, who, $4, $4
      FROM (VALUES (1, $2, 'delete', former), (2, $3, 'put', latter)) AS wish (place, tenant_id, act, server)
     WHERE server IS NOT NULL
     ORDER BY place;
  END IF;
  PERFORM public.audit_own('device.handed_over', $2, $1, jsonb_build_object('to', $3)::text);
  PERFORM public.audit_own('device.taken_over', $3, $1, jsonb_build_object('from', $2)::text);
  RETURN moved;
END $$;

-- What a tenant lent and borrowed (NULL: all that whoever asks may know), with both names: who lends or borrows knows
-- the other.
CREATE FUNCTION loans_of(tenant integer)
RETURNS TABLE (loan_id integer, dev_eui text, name text, model text, lender_slug text, lender text, borrower_slug text,
               borrower text, lent_at timestamptz, due_on date, returned_at timestamptz, note text, is_lender boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  mine integer[] := public.allowed('health');
BEGIN
  RETURN QUERY
  SELECT one.loan_id, device.dev_eui, device.name, kind.vendor || ' ' || kind.name, giver.slug, giver.name, taker.slug,
         taker.name, one.lent_at, one.due_on, one.returned_at, one.note, one.tenant_id = ANY (mine)
    FROM public.loans AS one
    JOIN public.devices AS device USING (device_id)
    LEFT JOIN public.models AS kind ON kind.model_id = device.model_id
    JOIN public.tenants AS giver ON giver.tenant_id = one.tenant_id
    JOIN public.tenants AS taker ON taker.tenant_id = one.borrower_id
   WHERE (one.tenant_id = ANY (mine) OR one.borrower_id = ANY (mine))
     AND ($1 IS NULL OR ($1 = ANY (mine) AND $1 IN (one.tenant_id, one.borrower_id)));
END $$;

REVOKE EXECUTE ON FUNCTION move_device(integer, integer, timestamptz),
  hand_over_device(text, integer, integer, timestamptz), loans_of(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hand_over_device(text, integer, integer, timestamptz), loans_of(integer) TO samara_api;

-- A tenant that handed a device over may have it taken away where it was, if another network server serves it now.
CREATE POLICY provisioning ON ownerships FOR SELECT TO samara_provisioning USING (true);
GRANT SELECT ON ownerships TO samara_provisioning;
