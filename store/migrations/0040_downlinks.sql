-- Commands for devices on their way: asked here, sent by the role `provisioning`, and told of by network servers (docs/downlinks.md).
CREATE TABLE downlinks (
  downlink_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reference       uuid NOT NULL DEFAULT gen_random_uuid(), -- what its network server is told, where it keeps it
  tenant_id       integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  device_id       integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  account_id      integer REFERENCES accounts ON DELETE SET NULL,
  command         text NOT NULL CHECK (command ~ '^[a-z][a-z0-9_]{0,39}$'),
  parameters      text NOT NULL CHECK (length(parameters) <= 4000), -- JSON, as asked
  period_s        integer CHECK (period_s BETWEEN 1 AND 2678400),   -- how often the device sends once it did
  f_port          smallint NOT NULL CHECK (f_port BETWEEN 1 AND 223),
  payload         bytea NOT NULL CHECK (octet_length(payload) BETWEEN 1 AND 242),
  confirmed       boolean NOT NULL,
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  asked_at        timestamptz,                      -- since when its network server may have it
  item            text NOT NULL DEFAULT '',         -- what it is called in the queue over there
  withdrawn_at    timestamptz,                      -- when somebody wanted it back
  accepted_at     timestamptz,
  sent_at         timestamptz,
  acknowledged_at timestamptz,
  refused_at      timestamptz,
  failed_at       timestamptz,
  expired_at      timestamptz,
  cancelled_at    timestamptz,
  trouble         text NOT NULL DEFAULT '',
  attempts        integer NOT NULL DEFAULT 0,
  due_at          timestamptz NOT NULL,
  claimed_until   timestamptz NOT NULL DEFAULT '-infinity',
  -- The furthest that it is known to have come. It follows from the moments: what is told late or twice changes nothing.
  state           text NOT NULL GENERATED ALWAYS AS (CASE WHEN acknowledged_at IS NOT NULL THEN 'acknowledged'
                                                          WHEN failed_at IS NOT NULL THEN 'failed'
                                                          WHEN sent_at IS NOT NULL THEN 'sent'
                                                          WHEN refused_at IS NOT NULL THEN 'refused'
                                                          WHEN cancelled_at IS NOT NULL THEN 'cancelled'
                                                          WHEN expired_at IS NOT NULL THEN 'expired'
                                                          WHEN accepted_at IS NOT NULL THEN 'accepted'
                                                          ELSE 'queued' END) STORED,
  UNIQUE (reference)
);
CREATE INDEX downlinks_due ON downlinks (due_at) WHERE state IN ('queued', 'accepted');
CREATE INDEX downlinks_waiting ON downlinks (device_id, downlink_id) WHERE state IN ('queued', 'accepted');
CREATE INDEX downlinks_device ON downlinks (device_id, downlink_id);
-- Of these something may still be told.
CREATE INDEX downlinks_followed ON downlinks (device_id, expires_at) WHERE acknowledged_at IS NULL;
CALL protect('downlinks', 'health');
CREATE POLICY adding ON downlinks FOR INSERT TO samara_api
  WITH CHECK (tenant_id = ANY ((SELECT public.allowed('install'))::integer[]));
CREATE POLICY changing ON downlinks FOR UPDATE TO samara_api
  USING (tenant_id = ANY ((SELECT public.allowed('install'))::integer[]))
  WITH CHECK (tenant_id = ANY ((SELECT public.allowed('install'))::integer[]));
GRANT INSERT (tenant_id, device_id, account_id, command, parameters, period_s, f_port, payload, confirmed, created_at, expires_at,
  due_at) ON downlinks TO samara_api;
GRANT UPDATE (withdrawn_at, cancelled_at, due_at) ON downlinks TO samara_api;

-- Ingest notes of which devices with a downlink under way something was told; `provisioning` looks, and forgets it.
CREATE TABLE downlinks_told (
  device_id integer NOT NULL
);
CREATE POLICY ingest ON downlinks FOR SELECT TO samara_ingest USING (true);
GRANT SELECT (device_id, acknowledged_at, expires_at) ON downlinks TO samara_ingest;
GRANT INSERT ON downlinks_told TO samara_ingest;

CREATE POLICY provisioning ON downlinks TO samara_provisioning USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON downlinks TO samara_provisioning;
GRANT SELECT, DELETE ON downlinks_told TO samara_provisioning;
GRANT SELECT ON network_events TO samara_provisioning;

-- What a device acknowledged that it will do is what is expected of it; the newest such command counts.
CREATE FUNCTION follow_period(wanted integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE public.devices AS one
     SET parameters = one.parameters || jsonb_build_object('period_s', done.period_s::text)
    FROM public.downlinks AS done
   WHERE done.downlink_id = $1
     AND done.acknowledged_at IS NOT NULL
     AND done.period_s IS NOT NULL
     AND one.device_id = done.device_id
     AND one.tenant_id = done.tenant_id
     AND NOT EXISTS (SELECT FROM public.downlinks AS later
                      WHERE later.device_id = done.device_id
                        AND later.downlink_id > done.downlink_id
                        AND later.acknowledged_at IS NOT NULL
                        AND later.period_s IS NOT NULL)
$$;

-- The codec in force for a device: its own, else its model's with the nearest tenant. For who may install there.
CREATE FUNCTION codec_of_device(device integer)
RETURNS TABLE (tenant_id integer, sha256 text, source text, is_fresh boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT codec.tenant_id, codec.sha256, codec.source, codec.is_fresh
    FROM public.devices AS one
    JOIN public.tenant_tree AS above ON above.tenant_id = one.tenant_id
    JOIN public.codec_bindings AS bound ON bound.tenant_id = above.ancestor_id
                                       AND (bound.device_id = one.device_id OR bound.model_id = one.model_id)
    JOIN public.codecs AS codec ON codec.tenant_id = bound.tenant_id AND codec.name = bound.codec
   WHERE one.device_id = $1
     AND one.tenant_id = ANY (public.allowed('install'))
     AND codec.state = 'active'
   ORDER BY bound.device_id IS NULL,
            (SELECT count(*) FROM public.tenant_tree AS depth WHERE depth.tenant_id = bound.tenant_id) DESC
   LIMIT 1;
END $$;

REVOKE EXECUTE ON FUNCTION follow_period(integer), codec_of_device(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION follow_period(integer) TO samara_provisioning;
GRANT EXECUTE ON FUNCTION codec_of_device(integer) TO samara_api;
