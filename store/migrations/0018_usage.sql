-- What each tenant used in each month, reckoned by maintenance (store/maintenance/usage.py) and then left as it is: what
-- was billed does not change when measurements are deleted later. Days and months are the tenant's, but for uplinks,
-- which ingest counts by UTC day.
CREATE TABLE usage (
  tenant_id    integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  month        date NOT NULL CHECK (extract(day FROM month) = 1),
  devices      integer NOT NULL,  -- that measured a point of the tenant's, for some of the month
  uplinks      bigint NOT NULL,
  measurements bigint NOT NULL,   -- of the month, kept
  disk_bytes   bigint,            -- share, by rows, of the telemetry's tables at the month's end; NULL: nothing to go by yet
  emails       integer NOT NULL,
  sms          integer NOT NULL,
  sms_segments integer NOT NULL,  -- what they are billed as
  exports      integer NOT NULL,
  reckoned_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, month)
);
CREATE INDEX usage_month ON usage (month, tenant_id);
CALL protect('usage', 'manage');

-- Files that were sent whole.
CREATE TABLE exports_sent (
  tenant_id    integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  sent_at      timestamptz NOT NULL,
  account_id   integer,
  form         text NOT NULL,
  measurements bigint NOT NULL
);
CREATE INDEX exports_sent_tenant ON exports_sent (tenant_id, sent_at);
CALL protect('exports_sent', 'manage');

CREATE FUNCTION count_export(tenant_id integer, form text, measurements bigint, sent_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO public.exports_sent (tenant_id, account_id, form, measurements, sent_at)
  SELECT $1, public.asking(), $2, $3, $4 WHERE $1 = ANY (public.allowed('read'))
$$;
REVOKE EXECUTE ON FUNCTION count_export(integer, text, bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_export(integer, text, bigint, timestamptz) TO samara_api;
