-- What is wanted of network servers is written here, in the transaction of what it belongs to; the role `provisioning`
-- carries it out (docs/provisioning.md). It alone reads what is sealed here, and device_keys.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'samara_provisioning') THEN
    CREATE ROLE samara_provisioning NOLOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was quicker
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role samara_provisioning is missing and % may not create it: as a superuser, CREATE ROLE samara_provisioning',
      current_user;
END $$;

ALTER TABLE devices ADD COLUMN join_eui text CHECK (join_eui ~ '^[0-9a-f]{16}$');  -- NULL: nobody said it

-- Where a tenant's devices are registered: its own, else that of the nearest tenant above it.
CREATE TABLE network_servers (
  tenant_id   integer PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  kind        text NOT NULL CHECK (kind ~ '^[a-z]{1,40}$'),       -- a module of alerting/provisioning/servers
  address     text NOT NULL CHECK (address ~ '^https?://[!-~]{1,200}$'),
  application text NOT NULL CHECK (application ~ '^[a-z0-9-]{1,64}$'),
  changed_at  timestamptz NOT NULL DEFAULT now(),
  listed_at   timestamptz,                                        -- when what it has was last read
  trouble     text NOT NULL DEFAULT ''                            -- why it could not be
);
CALL protect('network_servers', 'health', 'administer');

-- What a model is over there: a device profile (ChirpStack), a LoRaWAN version and frequency plan (The Things Stack).
CREATE TABLE network_profiles (
  tenant_id integer NOT NULL REFERENCES network_servers ON DELETE CASCADE,
  model_id  text NOT NULL REFERENCES models,
  profile   text NOT NULL CHECK (profile ~ '^[!-~]{1,200}$'),
  PRIMARY KEY (tenant_id, model_id)
);
CALL protect('network_profiles', 'health', 'administer');

-- What a network server has, as it was last read there or done there.
CREATE TABLE network_devices (
  tenant_id integer NOT NULL REFERENCES network_servers ON DELETE CASCADE,
  dev_eui   text NOT NULL CHECK (dev_eui ~ '^[0-9a-f]{16}$'),
  name      text NOT NULL,
  profile   text NOT NULL,
  join_eui  text,                                                 -- NULL: it was not asked
  PRIMARY KEY (tenant_id, dev_eui)
);
CREATE INDEX network_devices_dev_eui ON network_devices (dev_eui);
CALL protect('network_devices', 'health');

-- What is wanted. `put`: the device is to be there as it is here. The wishes of one device are granted in their order.
CREATE TABLE network_orders (
  order_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id     integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  act           text NOT NULL CHECK (act IN ('put', 'delete', 'list')),
  dev_eui       text CHECK (dev_eui ~ '^[0-9a-f]{16}$'),
  account_id    integer REFERENCES accounts ON DELETE SET NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
  steps         text[] NOT NULL DEFAULT '{}',                     -- what was done over there
  attempts      integer NOT NULL DEFAULT 0,
  due_at        timestamptz NOT NULL DEFAULT now(),
  claimed_until timestamptz NOT NULL DEFAULT '-infinity',
  trouble       text NOT NULL DEFAULT '',
  ended_at      timestamptz,
  CHECK ((dev_eui IS NULL) = (act = 'list'))
);
CREATE INDEX network_orders_waiting ON network_orders (due_at) WHERE state = 'waiting';
CREATE INDEX network_orders_device ON network_orders (dev_eui, order_id) WHERE state = 'waiting';
CREATE INDEX network_orders_tenant ON network_orders (tenant_id, order_id);
CALL protect('network_orders', 'health');
CREATE POLICY adding ON network_orders FOR INSERT TO samara_api
  WITH CHECK (tenant_id = ANY ((SELECT public.allowed('install'))::integer[]));
GRANT INSERT (tenant_id, act, dev_eui, account_id, created_at, due_at) ON network_orders TO samara_api;

-- The token of a network server, and the keys that an order brings, which go when it ends. The API writes them and reads none.
CREATE TABLE network_secrets (
  tenant_id integer REFERENCES network_servers ON DELETE CASCADE,
  order_id  integer REFERENCES network_orders ON DELETE CASCADE,
  kind      text NOT NULL CHECK (kind IN ('token', 'app_key', 'nwk_key')),
  master    text NOT NULL,                                        -- which key wraps the data key
  wrapped   bytea NOT NULL,
  sealed    bytea NOT NULL,
  CHECK (num_nonnulls(tenant_id, order_id) = 1),
  CHECK ((kind = 'token') = (order_id IS NULL)),
  CONSTRAINT network_secrets_key UNIQUE NULLS NOT DISTINCT (tenant_id, order_id, kind)
);
CREATE INDEX network_secrets_order ON network_secrets (order_id);
ALTER TABLE network_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE network_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON network_secrets TO CURRENT_USER USING (true) WITH CHECK (true);

CREATE FUNCTION put_network_token(tenant integer, master text, wrapped bytea, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT tenant = ANY (public.allowed('administer')) THEN
    RAISE no_data_found USING MESSAGE = 'no such network server here';
  END IF;
  INSERT INTO public.network_secrets AS known (tenant_id, kind, master, wrapped, sealed) VALUES ($1, 'token', $2, $3, $4)
  ON CONFLICT ON CONSTRAINT network_secrets_key
  DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed;
END $$;

CREATE FUNCTION put_order_key(wanted integer, kind text, master text, wrapped bytea, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.network_orders AS one
                  WHERE one.order_id = $1 AND one.state = 'waiting' AND one.tenant_id = ANY (public.allowed('install'))) THEN
    RAISE no_data_found USING MESSAGE = 'no such order here';
  END IF;
  INSERT INTO public.network_secrets (order_id, kind, master, wrapped, sealed) VALUES ($1, $2, $3, $4, $5);
END $$;

-- Which tenant's network server serves a tenant: NULL where there is none. For who may ask about the tenant.
CREATE FUNCTION network_server_of(tenant integer) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT served.tenant_id
    FROM public.network_servers AS served
    JOIN public.tenant_tree AS above ON above.ancestor_id = served.tenant_id AND above.tenant_id = $1
   ORDER BY (SELECT count(*) FROM public.tenant_tree AS one WHERE one.tenant_id = served.tenant_id) DESC
   LIMIT 1
$$;

-- What serves a tenant, as far as its own people may know: which sort, and how it stands.
CREATE FUNCTION network_serving(tenant integer)
RETURNS TABLE (owner_id integer, kind text, listed_at timestamptz, trouble text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
BEGIN
  RETURN QUERY
  SELECT one.tenant_id, one.kind, one.listed_at, one.trouble
    FROM public.network_servers AS one
   WHERE one.tenant_id = public.network_server_of($1) AND $1 = ANY (public.allowed('health'));
END $$;

-- Of each device of a tenant, as it is here and as it was last seen over there (NULLs: it is not).
CREATE FUNCTION network_compared(tenant integer)
RETURNS TABLE (dev_eui text, name text, join_eui text, model_id text, profile text,
               there_name text, there_profile text, there_join_eui text, there_model_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  served integer := public.network_server_of($1);
BEGIN
  RETURN QUERY
  SELECT one.dev_eui, one.name, one.join_eui, one.model_id, known.profile, there.name, there.profile, there.join_eui,
         (SELECT min(same.model_id) FROM public.network_profiles AS same
           WHERE same.tenant_id = served AND same.profile = there.profile)
    FROM public.devices AS one
    LEFT JOIN public.network_profiles AS known ON known.tenant_id = served AND known.model_id = one.model_id
    LEFT JOIN public.network_devices AS there ON there.tenant_id = served AND there.dev_eui = one.dev_eui
   WHERE one.tenant_id = $1 AND $1 = ANY (public.allowed('health'));
END $$;

-- What a tenant's own network server has that no tenant of Samara does.
CREATE FUNCTION network_strangers(tenant integer)
RETURNS TABLE (dev_eui text, name text, profile text, join_eui text, model_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT there.dev_eui, there.name, there.profile, there.join_eui,
         (SELECT min(same.model_id) FROM public.network_profiles AS same
           WHERE same.tenant_id = $1 AND same.profile = there.profile)
    FROM public.network_devices AS there
   WHERE there.tenant_id = $1
     AND $1 = ANY (public.allowed('health'))
     AND NOT EXISTS (SELECT FROM public.devices AS one WHERE one.dev_eui = there.dev_eui);
END $$;

REVOKE EXECUTE ON FUNCTION put_network_token(integer, text, bytea, bytea), put_order_key(integer, text, text, bytea, bytea),
  network_server_of(integer), network_serving(integer), network_compared(integer), network_strangers(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION put_network_token(integer, text, bytea, bytea), put_order_key(integer, text, text, bytea, bytea),
  network_serving(integer), network_compared(integer), network_strangers(integer) TO samara_api;
GRANT EXECUTE ON FUNCTION network_server_of(integer) TO samara_provisioning;

CREATE POLICY provisioning ON devices FOR SELECT TO samara_provisioning USING (true);
CREATE POLICY provisioning ON device_keys FOR SELECT TO samara_provisioning USING (true);
CREATE POLICY provisioning ON network_servers TO samara_provisioning USING (true) WITH CHECK (true);
CREATE POLICY provisioning ON network_profiles FOR SELECT TO samara_provisioning USING (true);
CREATE POLICY provisioning ON network_devices TO samara_provisioning USING (true) WITH CHECK (true);
CREATE POLICY provisioning ON network_orders TO samara_provisioning USING (true) WITH CHECK (true);
CREATE POLICY provisioning ON network_secrets TO samara_provisioning USING (true);
GRANT SELECT ON schema_migrations, devices, device_keys, network_servers, network_profiles, network_devices, network_orders,
  network_secrets TO samara_provisioning;
GRANT UPDATE (listed_at, trouble) ON network_servers TO samara_provisioning;
GRANT INSERT, UPDATE, DELETE ON network_devices TO samara_provisioning;
GRANT UPDATE ON network_orders TO samara_provisioning;
GRANT DELETE ON network_secrets TO samara_provisioning;
