-- Whose meter it is: true, one household's or person's; false, a building's or nobody's; NULL, nobody said: meters of
-- water and energy then count as individual (domain/personal.py).
ALTER TABLE points ADD COLUMN is_individual boolean;

-- What a tenant chose to publish. What is read by everybody stands here and in open_rows, as it was when maintenance
-- published it (store/maintenance/publishing.py): no route without account reads anything else.
CREATE TABLE open_datasets (
  dataset_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id    integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name         text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  title        text NOT NULL CHECK (title <> ''),
  description  text NOT NULL CHECK (description <> ''),
  quantities   text[] NOT NULL CHECK (cardinality(quantities) > 0),
  grain        text NOT NULL CHECK (grain IN ('point', 'site')),
  every        text NOT NULL CHECK (every IN ('hour', 'day')),
  since        timestamptz NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  publisher    jsonb,                   -- slug, name, kind, insee, siren of the tenant
  published_to timestamptz,             -- NULL: not yet
  refused      text NOT NULL DEFAULT '',  -- why nothing more is published
  updated_at   timestamptz,
  UNIQUE (tenant_id, name)
);
CALL protect('open_datasets', 'read', 'manage');
REVOKE UPDATE ON open_datasets FROM samara_api;
CREATE POLICY published ON open_datasets FOR SELECT TO samara_api USING (published_to IS NOT NULL);

CREATE TABLE open_rows (
  dataset_id    integer NOT NULL REFERENCES open_datasets ON DELETE CASCADE,
  site_id       integer NOT NULL,
  point_id      integer,                -- NULL: of the whole site
  quantity      text NOT NULL,
  channel       smallint,               -- NULL: of the whole site
  start         timestamptz NOT NULL,
  site          text NOT NULL,
  point         text,
  latitude_deg  double precision,
  longitude_deg double precision,
  samples       bigint NOT NULL,
  minimum       double precision,
  mean          double precision,
  maximum       double precision,
  increase      double precision,
  UNIQUE NULLS NOT DISTINCT (dataset_id, start, site_id, point_id, quantity, channel)
);
ALTER TABLE open_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE open_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON open_rows TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY published ON open_rows FOR SELECT TO samara_api
  USING (EXISTS (SELECT FROM open_datasets WHERE open_datasets.dataset_id = open_rows.dataset_id AND published_to IS NOT NULL));
GRANT SELECT ON open_rows TO samara_api;
