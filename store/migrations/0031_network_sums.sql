-- What supervision's pages would otherwise add up at each view, and what ingest processes say of themselves.

-- A UTC day of a gateway at one spreading factor (0: not known): our devices that it heard, their frames, means.
CREATE TABLE gateway_days (
  gateway_id       integer  NOT NULL REFERENCES gateways ON DELETE CASCADE,
  day              date     NOT NULL,
  spreading_factor smallint NOT NULL,
  devices          integer  NOT NULL,
  frames           bigint   NOT NULL,
  airtime_us       bigint   NOT NULL,
  rssi_dbm         real,
  snr_db           real,
  PRIMARY KEY (gateway_id, day, spreading_factor)
);
CREATE INDEX gateway_days_day ON gateway_days (day);
INSERT INTO gateway_days
SELECT gateway_id, day, spreading_factor, count(*), sum(frames), sum(airtime_us),
       sum(rssi_dbm * frames) / sum(frames), sum(snr_db * frames) / sum(frames)
  FROM heard_daily
  JOIN gateways USING (gateway_id)
 GROUP BY gateway_id, day, spreading_factor;

-- Frames that a gateway sent in a whole hour, by frequency: of the last week.
CREATE TABLE gateway_frequencies (
  gateway_id   integer     NOT NULL REFERENCES gateways ON DELETE CASCADE,
  hour         timestamptz NOT NULL,
  frequency_hz bigint      NOT NULL,
  sent         bigint      NOT NULL,
  PRIMARY KEY (gateway_id, hour, frequency_hz)
);
CREATE INDEX gateway_frequencies_hour ON gateway_frequencies (hour);

-- What an ingest process said last: messages received and not yet durable, its spool, the sources it does not hear.
CREATE TABLE ingest_workers (
  worker      text PRIMARY KEY,
  at          timestamptz NOT NULL,
  held        bigint NOT NULL,
  held_bytes  bigint NOT NULL,
  spool_bytes bigint NOT NULL,
  deaf        text[] NOT NULL
);

DO $$
DECLARE
  held text;
BEGIN
  FOREACH held IN ARRAY ARRAY['gateway_days', 'gateway_frequencies', 'ingest_workers'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', held);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', held);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', held);
    EXECUTE format('CREATE POLICY supervising ON %I FOR SELECT TO samara_api
                    USING (cardinality((SELECT allowed(''supervise''))::integer[]) > 0)', held);
    EXECUTE format('GRANT SELECT ON %I TO samara_api', held);
  END LOOP;

  -- A list of 771 tenants is hashed in a subquery, and walked for each row in an array. These are read by the thousand.
  FOREACH held IN ARRAY ARRAY['device_health', 'silent_devices', 'fleet_counts', 'fleet_days', 'tenant_middles'] LOOP
    EXECUTE format('ALTER POLICY reading ON %I USING (tenant_id IN (SELECT unnest(public.allowed(''health''))))', held);
  END LOOP;
  ALTER POLICY reading ON gateway_tenants USING (tenant_id IN (SELECT unnest(public.allowed('supervise'))));
END $$;
CREATE POLICY ingest ON ingest_workers TO samara_ingest USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON ingest_workers TO samara_ingest;

-- The list of silent sensors begins with the last that fell silent.
CREATE INDEX silent_devices_since ON silent_devices (since DESC NULLS LAST);
