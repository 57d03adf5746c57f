-- What the pages of the network's supervision read: kept by maintenance, so that no page reads receptions by the million.

-- Microseconds in the air of a frame of PHYPayload bytes: explicit header, CRC, coding rate 4/5, preamble of 8 symbols
-- (Semtech AN1200.13). NULL when the modulation is not known.
CREATE FUNCTION airtime_us(spreading_factor integer, bandwidth_hz integer, phy_bytes integer) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN spreading_factor BETWEEN 7 AND 12 AND bandwidth_hz > 0 THEN
    ((12.25 + 8 + greatest(0, ceil((8 * phy_bytes - 4 * spreading_factor + 44)::numeric
      / (4 * (spreading_factor - CASE WHEN spreading_factor >= 11 AND bandwidth_hz = 125000 THEN 2 ELSE 0 END))) * 5))
     * (1 << spreading_factor) * 1000000 / bandwidth_hz)::bigint END
$$;

-- A device's UTC day: frames stored, how many had no reading and should, were at SF12.
CREATE TABLE frames_daily (
  device_id  integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  day        date    NOT NULL,
  frames     integer NOT NULL,
  undecoded  integer NOT NULL,
  sf12       integer NOT NULL,
  airtime_us bigint  NOT NULL,
  period_s   integer,  -- median time between two frames; NULL when there was one
  PRIMARY KEY (device_id, day)
);
CREATE INDEX frames_daily_day ON frames_daily USING brin (day);

-- The same day as one gateway heard it, at one spreading factor (0: not known). Means, and the least.
CREATE TABLE heard_daily (
  device_id        integer  NOT NULL REFERENCES devices ON DELETE CASCADE,
  day              date     NOT NULL,
  gateway_id       integer  NOT NULL,
  spreading_factor smallint NOT NULL,
  frames           integer  NOT NULL,
  alone            integer  NOT NULL,
  airtime_us       bigint   NOT NULL,
  rssi_dbm         real,
  snr_db           real,
  snr_min_db       real,
  PRIMARY KEY (device_id, day, gateway_id, spreading_factor)
);
CREATE INDEX heard_daily_gateway ON heard_daily (gateway_id, day);
CREATE INDEX heard_daily_day ON heard_daily USING brin (day);

-- How a device fares, over its last seven UTC days with frames. Battery: by its level or voltage of the last 60 days.
CREATE TABLE device_health (
  device_id       integer PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
  tenant_id       integer  NOT NULL REFERENCES tenants ON DELETE CASCADE,
  until_day       date     NOT NULL,
  heard           integer  NOT NULL,
  lost            integer  NOT NULL,
  resets          integer  NOT NULL,
  undecoded       integer  NOT NULL,
  sf12            integer  NOT NULL,
  period_s        integer,
  margin_db       real,     -- of the gateway that hears it best, over what its spreading factor needs
  gateway_ids     integer[] NOT NULL,
  only_gateway_id integer,  -- the only gateway that hears it, NULL when there are several or none
  battery_kind    text CHECK (battery_kind IN ('level', 'voltage')),
  battery         real,     -- percent or volts, last day's mean
  battery_on      date,
  battery_end_on  date      -- forecast; NULL when it does not fall, or there is too little to say
);
CREATE INDEX device_health_tenant ON device_health (tenant_id);
CREATE INDEX device_health_only ON device_health (only_gateway_id) WHERE only_gateway_id IS NOT NULL;
CREATE INDEX device_health_resets ON device_health (resets) WHERE resets > 0;
CALL protect('device_health', 'health');

-- Devices that say nothing for longer than they should: since when (NULL: never heard), and what is likely the cause.
CREATE TABLE silent_devices (
  device_id integer PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
  tenant_id integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  since     timestamptz,
  cause     text NOT NULL CHECK (cause IN ('never', 'gateway', 'battery', 'radio', 'sensor'))
);
CREATE INDEX silent_devices_tenant ON silent_devices (tenant_id);
CALL protect('silent_devices', 'health');

-- A device that goes to another tenant begins anew there: how it fared is no business of the next one.
CREATE FUNCTION forget_health() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.device_health WHERE device_id = new.device_id;
  DELETE FROM public.silent_devices WHERE device_id = new.device_id;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION forget_health() FROM PUBLIC;
CREATE TRIGGER devices_moved AFTER UPDATE OF tenant_id ON devices
  FOR EACH ROW WHEN (old.tenant_id <> new.tenant_id) EXECUTE FUNCTION forget_health();

-- The fleet of a tenant, by model ('': not known). Counts of devices, and of frames over each one's last seven days.
CREATE TABLE fleet_counts (
  tenant_id   integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  model_id    text    NOT NULL,
  devices     integer NOT NULL,
  silent      integer NOT NULL,
  heard       bigint  NOT NULL,
  lost        bigint  NOT NULL,
  undecoded   bigint  NOT NULL,
  placed      integer NOT NULL,  -- heard by at least one gateway
  alone       integer NOT NULL,  -- by one only
  stuck       integer NOT NULL,  -- at SF12, with margin to spare
  battery_60  integer NOT NULL,  -- to change within 60 days
  battery_180 integer NOT NULL,
  PRIMARY KEY (tenant_id, model_id)
);
CALL protect('fleet_counts', 'health');

-- Frames of a tenant's UTC day, and how many its devices that have a period should have sent.
CREATE TABLE fleet_days (
  tenant_id integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  day       date    NOT NULL,
  frames    bigint  NOT NULL,
  undecoded bigint  NOT NULL,
  expected  bigint  NOT NULL,
  PRIMARY KEY (tenant_id, day)
);
CALL protect('fleet_days', 'health');

-- The network's own: an hour of a gateway as its network server told it, whom it serves, and rounds of ingest's counts.
CREATE TABLE gateway_hours (
  gateway_id integer     NOT NULL REFERENCES gateways ON DELETE CASCADE,
  hour       timestamptz NOT NULL,
  events     integer     NOT NULL,
  received   bigint      NOT NULL,
  intact     bigint      NOT NULL,
  asked      bigint      NOT NULL,  -- to send
  sent       bigint      NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (gateway_id, hour)
);
CREATE INDEX gateway_hours_hour ON gateway_hours (hour);

-- How a gateway hears the devices of a tenant, over the last seven days; `alone`: those that no other hears.
CREATE TABLE gateway_tenants (
  gateway_id integer  NOT NULL REFERENCES gateways ON DELETE CASCADE,
  tenant_id  integer  NOT NULL REFERENCES tenants ON DELETE CASCADE,
  devices    integer  NOT NULL,
  alone      integer  NOT NULL,
  frames     bigint[] NOT NULL,  -- at SF7 to SF12
  margin_db  real,
  PRIMARY KEY (gateway_id, tenant_id)
);
CALL protect('gateway_tenants', 'supervise');

-- Where a tenant is on a map of the network: the middle of its sites.
CREATE TABLE tenant_middles (
  tenant_id     integer PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  latitude_deg  double precision NOT NULL,
  longitude_deg double precision NOT NULL
);
CALL protect('tenant_middles', 'health');

-- What network servers complain of: few among all events.
CREATE INDEX network_events_logs ON network_events (received_at) WHERE kind = 'log';

CREATE TABLE ingest_rounds (
  at            timestamptz PRIMARY KEY,
  received      bigint NOT NULL,  -- since the day before began: a rate is a difference
  latency_p50_s double precision,
  latency_p95_s double precision
);

-- DevEUIs that are heard and are nobody's, which somebody said not to show again.
CREATE TABLE ignored_devices (
  dev_eui    text PRIMARY KEY CHECK (dev_eui ~ '^[0-9a-f]{16}$'),
  ignored_at timestamptz NOT NULL DEFAULT now(),
  ignored_by text NOT NULL
);

-- What a plan foretold, to be shown beside what is measured: GeoJSON of `samara simulate plan`.
CREATE TABLE coverage_plans (
  name        text NOT NULL,
  part        text NOT NULL CHECK (part IN ('cells', 'communes', 'antennas')),
  imported_at timestamptz NOT NULL DEFAULT now(),
  features    jsonb NOT NULL,
  PRIMARY KEY (name, part)
);

DO $$
DECLARE
  held text;
BEGIN
  FOREACH held IN ARRAY ARRAY['gateway_hours', 'ingest_rounds', 'ignored_devices', 'coverage_plans'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', held);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', held);
    EXECUTE format('CREATE POLICY supervising ON %I TO samara_api
                    USING (cardinality((SELECT allowed(''supervise''))::integer[]) > 0)
                    WITH CHECK (cardinality((SELECT allowed(''supervise''))::integer[]) > 0)', held);
    EXECUTE format('GRANT SELECT ON %I TO samara_api', held);
  END LOOP;
END $$;
GRANT INSERT, DELETE ON ignored_devices TO samara_api;

CREATE VIEW visible.frames_daily WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.frames_daily AS told ON told.device_id = held.device_id
                                  AND told.day >= (held.since AT TIME ZONE 'UTC')::date
                                  AND told.day < (held.until AT TIME ZONE 'UTC')::date
 WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[]);

CREATE VIEW visible.heard_daily WITH (security_barrier) AS
SELECT told.*
  FROM public.ownerships AS held
  JOIN public.heard_daily AS told ON told.device_id = held.device_id
                                 AND told.day >= (held.since AT TIME ZONE 'UTC')::date
                                 AND told.day < (held.until AT TIME ZONE 'UTC')::date
 WHERE held.tenant_id = ANY ((SELECT public.allowed('health'))::integer[]);
GRANT SELECT ON visible.frames_daily, visible.heard_daily TO samara_api;
