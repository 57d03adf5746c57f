-- Several installations hear the same network servers, and tenants move between them (docs/decisions/0018).

-- Devices that a neighbour has: their messages are not ours to keep.
CREATE TABLE elsewhere (
  dev_eui   text PRIMARY KEY,
  neighbour text NOT NULL,
  found_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON elsewhere TO samara_ingest;

-- A device that is declared is here.
CREATE FUNCTION device_is_here() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM public.elsewhere WHERE dev_eui = NEW.dev_eui;
  RETURN NULL;
END $$;

CREATE TRIGGER devices_here AFTER INSERT ON devices
  FOR EACH ROW EXECUTE FUNCTION device_is_here();

-- Where a tenant is that was moved; what of it is still here is removed by `samara tenants forget`.
CREATE TABLE placements (
  tenant_id integer PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  neighbour text NOT NULL,
  url       text NOT NULL,        -- of the pages there, without a slash at the end
  began_at  timestamptz NOT NULL,
  moved_at  timestamptz           -- NULL: it is being moved, and still read here
);
CALL protect('placements', 'health');
