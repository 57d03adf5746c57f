-- Lists of sensors that somebody sends as a file: kept while they are looked at and taken, and a few weeks after.

CREATE TABLE import_files (
  import_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id   integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  account_id  integer REFERENCES accounts ON DELETE SET NULL,
  name        text NOT NULL CHECK (length(name) <= 200),
  created_at  timestamptz NOT NULL,
  headings    text[] NOT NULL,
  fields      text[] NOT NULL,                        -- what each column says, '' for nothing
  rows        integer NOT NULL CHECK (rows > 0),
  looked_at   integer NOT NULL DEFAULT 0,             -- rows
  devices     integer NOT NULL DEFAULT 0,             -- that are new
  assignments integer NOT NULL DEFAULT 0,             -- that are new
  refused     integer NOT NULL DEFAULT 0,             -- rows
  CHECK (cardinality(headings) = cardinality(fields))
);
CREATE INDEX import_files_tenant ON import_files (tenant_id, created_at);
CALL protect('import_files', 'install', 'install');

CREATE TABLE import_rows (
  import_id integer NOT NULL REFERENCES import_files ON DELETE CASCADE,
  place     integer NOT NULL,                         -- from 0
  tenant_id integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  line      integer NOT NULL,                         -- in the file, from 1
  cells     jsonb NOT NULL,                           -- texts, as many as headings or fewer
  why       text,                                     -- one word: why it was not taken
  found     text NOT NULL DEFAULT '',                 -- what stands there
  PRIMARY KEY (import_id, place)
);
CREATE INDEX import_rows_refused ON import_rows (import_id, place) WHERE why IS NOT NULL;
CALL protect('import_rows', 'install', 'install');

-- Which column says what in a tenant's files, by its heading without case, accents and spaces.
CREATE TABLE import_columns (
  tenant_id integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  heading   text NOT NULL,
  field     text NOT NULL,
  PRIMARY KEY (tenant_id, heading)
);
CALL protect('import_columns', 'install', 'install');

-- An assignment changes what a device tells by day alone when its point is a household's; thousands that are imported
-- are not asked one by one.
CREATE OR REPLACE FUNCTION note_assignment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM public.note_by_day(ARRAY[OLD.device_id]);
  ELSIF TG_OP = 'UPDATE'
        OR (SELECT is_individual FROM public.points WHERE points.point_id = NEW.point_id) THEN
    PERFORM public.note_by_day(ARRAY[NEW.device_id]);
  END IF;
  RETURN NULL;
END $$;
