-- Decoding again what is stored: who asked, why, and how far it has come.

CREATE TABLE redecodings (
  redecoding_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  asked_at        timestamptz NOT NULL DEFAULT now(),
  asked_by        text NOT NULL,
  reason          text NOT NULL,
  dev_eui         text,                  -- of one device alone; NULL: of all that have the model
  model_id        text,
  decoder_version text NOT NULL,         -- '' where no decoder knows the model
  since           timestamptz NOT NULL,  -- uplinks received from here
  until           timestamptz NOT NULL,  -- to here, excluded
  finished_at     timestamptz
);

-- One row a device: whoever works locks it, and moves it on in the transaction that rewrites its measurements.
CREATE TABLE redecoded_devices (
  redecoding_id integer NOT NULL REFERENCES redecodings ON DELETE CASCADE,
  device_id     integer NOT NULL,
  reached_at    timestamptz NOT NULL,         -- uplinks received up to here are done
  is_done       boolean NOT NULL DEFAULT false,
  uplinks       bigint NOT NULL DEFAULT 0,    -- looked at
  outcomes      bigint NOT NULL DEFAULT 0,    -- uplinks whose outcome is another now
  added         bigint NOT NULL DEFAULT 0,    -- readings, as the next three
  removed       bigint NOT NULL DEFAULT 0,
  changed       bigint NOT NULL DEFAULT 0,
  refused       bigint NOT NULL DEFAULT 0,    -- not plausible, or of an impossible time
  PRIMARY KEY (redecoding_id, device_id)
) WITH (fillfactor = 50);
