-- Who owns what, and what measures it. Words as in docs/architecture.md.
-- Lines that begin with "--plain " or "--timescale " belong to one flavour of the store: see store/migrate.py.

CREATE TABLE tenants (
  tenant_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  parent_id  integer REFERENCES tenants,
  kind       text NOT NULL CHECK (kind IN ('syndicat', 'departement', 'epci', 'commune', 'sdis', 'water_union', 'other')),
  slug       text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name       text NOT NULL CHECK (name <> ''),
  insee      text CHECK (insee ~ '^[0-9AB]{2,5}$'),
  siren      text CHECK (siren ~ '^[0-9]{9}$'),
  time_zone  text NOT NULL DEFAULT 'Europe/Paris',
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (parent_id <> tenant_id)
);

CREATE TABLE sites (
  site_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id     integer NOT NULL REFERENCES tenants,
  name          text NOT NULL CHECK (name <> ''),
  kind          text NOT NULL DEFAULT 'other',
  latitude_deg  double precision CHECK (latitude_deg BETWEEN -90 AND 90),
  longitude_deg double precision CHECK (longitude_deg BETWEEN -180 AND 180),
  UNIQUE (tenant_id, name)
);

CREATE TABLE points (
  point_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site_id  integer NOT NULL REFERENCES sites,
  name     text NOT NULL CHECK (name <> ''),
  UNIQUE (site_id, name)
);

CREATE TABLE models (
  model_id text PRIMARY KEY,            -- the registry's id: "dragino-lse01"
  vendor   text NOT NULL,
  name     text NOT NULL,
  period_s integer CHECK (period_s > 0) -- the usual time between two uplinks, when its document says one
);

CREATE TABLE devices (
  device_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dev_eui    text NOT NULL UNIQUE CHECK (dev_eui ~ '^[0-9a-f]{16}$'),
  tenant_id  integer NOT NULL REFERENCES tenants,
  name       text NOT NULL DEFAULT '',
  model_id   text REFERENCES models,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Device X measures point P during a time range; ranges of one device never overlap, nor do those of one point.
-- int4range stands for equality: GiST has it built in, so no extension is needed.
CREATE TABLE assignments (
  assignment_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device_id     integer NOT NULL REFERENCES devices,
  point_id      integer NOT NULL REFERENCES points,
  during        tstzrange NOT NULL CHECK (NOT isempty(during)),
  EXCLUDE USING gist (int4range(device_id, device_id, '[]') WITH &&, during WITH &&),
  EXCLUDE USING gist (int4range(point_id, point_id, '[]') WITH &&, during WITH &&)
);

CREATE TABLE gateways (
  gateway_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway_eui   text NOT NULL UNIQUE CHECK (gateway_eui <> ''),
  name          text NOT NULL DEFAULT '',
  latitude_deg  double precision,
  longitude_deg double precision,
  altitude_m    double precision,
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- The vocabulary of domain/quantities.py, and the names that network servers' own codecs use (foreign).
CREATE TABLE quantities (
  quantity_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  unit        text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('gauge', 'counter', 'state')),
  domain      text NOT NULL CHECK (domain IN ('energy', 'water', 'environment', 'device', 'foreign')),
  low         double precision NOT NULL,
  high        double precision NOT NULL,
  label_fr    text NOT NULL,
  label_en    text NOT NULL
);

-- A source is a network server; the name is the operator's (settings), the number saves room in every uplink.
CREATE TABLE sources (
  source_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name      text NOT NULL UNIQUE
);

-- A decoder at one version. An uplink remembers which decoded it, so that it can be decoded again.
CREATE TABLE decoders (
  decoder_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model_id   text NOT NULL REFERENCES models,
  version    text NOT NULL,
  UNIQUE (model_id, version)
);

-- Ingest keeps the fleet in memory; this tells it what changed.
CREATE FUNCTION notify_device_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('samara_devices', COALESCE(NEW.dev_eui, OLD.dev_eui));
  RETURN NULL;
END $$;

CREATE TRIGGER devices_changed AFTER INSERT OR UPDATE OR DELETE ON devices
  FOR EACH ROW EXECUTE FUNCTION notify_device_change();
