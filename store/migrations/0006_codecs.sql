-- JavaScript codecs: scripts for the models that no decoder of ours knows.

-- One version of a codec, by the hash of its script. At most one version of a name is in force: active, or in quarantine
-- because it killed its worker too often; then nothing else decodes in its stead until a person says so.
CREATE TABLE codecs (
  codec_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id      integer NOT NULL REFERENCES tenants,
  name           text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  sha256         text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  source         text NOT NULL,
  examples       jsonb NOT NULL,               -- as uploaded; it is not activated unless they pass
  fields         jsonb NOT NULL,               -- the mapping: which field is which quantity
  is_fresh       boolean NOT NULL DEFAULT false, -- to be run in a new context at each call
  version        text NOT NULL DEFAULT '',     -- of script and mapping, since it was last activated
  state          text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'active', 'quarantined', 'retired')),
  kills          integer NOT NULL DEFAULT 0,
  reason         text NOT NULL DEFAULT '',     -- why it is in quarantine
  created_at     timestamptz NOT NULL DEFAULT now(),
  created_by     text NOT NULL,
  activated_at   timestamptz,
  quarantined_at timestamptz,
  UNIQUE (tenant_id, name, sha256)
);
CREATE UNIQUE INDEX codecs_in_force ON codecs (tenant_id, name) WHERE state IN ('active', 'quarantined');

-- Which devices a codec decodes: one device, or those of a model that belong to the codec's tenant or to one below it
-- (the nearest tenant's binding wins). It names the codec, so that a new version takes over by being activated.
CREATE TABLE codec_bindings (
  tenant_id integer NOT NULL REFERENCES tenants,
  codec     text NOT NULL,
  device_id integer UNIQUE REFERENCES devices ON DELETE CASCADE,
  model_id  text REFERENCES models,
  UNIQUE (tenant_id, model_id),
  CHECK (num_nonnulls(device_id, model_id) = 1)
);

-- A decoder is a model's at one version, or a codec's.
ALTER TABLE decoders ALTER COLUMN model_id DROP NOT NULL;
ALTER TABLE decoders ADD COLUMN codec_id integer REFERENCES codecs;
ALTER TABLE decoders ADD UNIQUE (codec_id, version);
ALTER TABLE decoders ADD CHECK (num_nonnulls(model_id, codec_id) = 1);

-- What decoding needs to know of one device: the weight of a pulse, a constant of its probe. Codecs get them as `variables`.
ALTER TABLE devices ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object');

-- Ingest keeps codecs and bindings in memory; this tells it that they changed.
CREATE FUNCTION notify_codec_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('samara_codecs', '');
  RETURN NULL;
END $$;

CREATE TRIGGER codecs_changed AFTER INSERT OR UPDATE OR DELETE ON codecs
  FOR EACH STATEMENT EXECUTE FUNCTION notify_codec_change();
CREATE TRIGGER codec_bindings_changed AFTER INSERT OR UPDATE OR DELETE ON codec_bindings
  FOR EACH STATEMENT EXECUTE FUNCTION notify_codec_change();
CREATE TRIGGER tenants_moved AFTER UPDATE OF parent_id ON tenants
  FOR EACH STATEMENT EXECUTE FUNCTION notify_codec_change();
