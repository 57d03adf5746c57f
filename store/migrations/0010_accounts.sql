-- Who may do what, and what was done (docs/access.md). Words: an account is a person or a program; a grant gives it
-- a role on a tenant, or on it and its descendants; a role is a set of permissions.

-- Every tenant under each of its ancestors, itself included; 0 stands above them all.
CREATE TABLE tenant_tree (
  ancestor_id integer NOT NULL,
  tenant_id   integer NOT NULL REFERENCES tenants ON DELETE CASCADE,
  PRIMARY KEY (ancestor_id, tenant_id)
);
CREATE INDEX tenant_tree_tenant ON tenant_tree (tenant_id);

CREATE FUNCTION plant_tenant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO public.tenant_tree (ancestor_id, tenant_id)
    SELECT 0, NEW.tenant_id
     UNION
    SELECT NEW.tenant_id, NEW.tenant_id
     UNION
    SELECT ancestor_id, NEW.tenant_id FROM public.tenant_tree WHERE tenant_id = NEW.parent_id;
  ELSE
    IF EXISTS (SELECT FROM public.tenant_tree WHERE ancestor_id = NEW.tenant_id AND tenant_id = NEW.parent_id) THEN
      RAISE check_violation USING MESSAGE = 'a tenant is not above itself', CONSTRAINT = 'tenants_tree_check';
    END IF;
    DELETE FROM public.tenant_tree AS above
     USING public.tenant_tree AS below
     WHERE below.ancestor_id = NEW.tenant_id
       AND above.tenant_id = below.tenant_id
       AND above.ancestor_id <> 0
       AND above.ancestor_id NOT IN (SELECT tenant_id FROM public.tenant_tree WHERE ancestor_id = NEW.tenant_id);
    INSERT INTO public.tenant_tree (ancestor_id, tenant_id)
    SELECT above.ancestor_id, below.tenant_id
      FROM public.tenant_tree AS above, public.tenant_tree AS below
     WHERE above.tenant_id = NEW.parent_id
       AND above.ancestor_id <> 0
       AND below.ancestor_id = NEW.tenant_id;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER tenants_planted AFTER INSERT ON tenants
  FOR EACH ROW EXECUTE FUNCTION plant_tenant();
CREATE TRIGGER tenants_replanted AFTER UPDATE OF parent_id ON tenants
  FOR EACH ROW WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id) EXECUTE FUNCTION plant_tenant();

INSERT INTO tenant_tree (ancestor_id, tenant_id)
WITH RECURSIVE tree (ancestor_id, tenant_id) AS (
  SELECT tenant_id, tenant_id FROM tenants
   UNION ALL
  SELECT parent_id, tree.tenant_id FROM tree JOIN tenants ON tenants.tenant_id = ancestor_id WHERE parent_id IS NOT NULL
)
SELECT * FROM tree UNION ALL SELECT 0, tenant_id FROM tenants;

-- Whose device it was when: what it said belongs to the tenant that had it then. Ranges of one device never overlap.
CREATE TABLE ownerships (
  device_id integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  tenant_id integer NOT NULL REFERENCES tenants,
  since     timestamptz NOT NULL DEFAULT '-infinity',
  until     timestamptz NOT NULL DEFAULT 'infinity',
  PRIMARY KEY (device_id, since),
  CHECK (since < until)
);
CREATE INDEX ownerships_tenant ON ownerships (tenant_id, device_id);
INSERT INTO ownerships (device_id, tenant_id) SELECT device_id, tenant_id FROM devices;

CREATE FUNCTION own_device() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.ownerships (device_id, tenant_id) VALUES (NEW.device_id, NEW.tenant_id);
  RETURN NULL;
END $$;

CREATE TRIGGER devices_owned AFTER INSERT ON devices
  FOR EACH ROW EXECUTE FUNCTION own_device();

CREATE TABLE role_permissions (
  role       text NOT NULL,
  permission text NOT NULL,
  PRIMARY KEY (role, permission)
);
INSERT INTO role_permissions VALUES
  ('viewer', 'health'), ('viewer', 'read'),
  ('manager', 'health'), ('manager', 'read'), ('manager', 'manage'),
  ('technician', 'health'), ('technician', 'read'), ('technician', 'install'),
  ('supervisor', 'health'), ('supervisor', 'supervise'),
  ('administrator', 'health'), ('administrator', 'read'), ('administrator', 'manage'), ('administrator', 'install'),
  ('administrator', 'administer');

CREATE TABLE accounts (
  account_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email       text NOT NULL UNIQUE CHECK (email = lower(email) AND email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 254),
  name        text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  language    text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'en')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz
);

CREATE TABLE passwords (
  account_id integer PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
  hash       text NOT NULL CHECK (hash LIKE '$argon2id$%'),
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- The secret is sealed with a key that is not in the database; last_step refuses a code that was used.
CREATE TABLE second_factors (
  account_id   integer PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
  secret       bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  confirmed_at timestamptz,
  last_step    bigint NOT NULL DEFAULT 0
);

-- tenant_id NULL: all tenants, those to come included.
CREATE TABLE grants (
  grant_id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id       integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  role             text NOT NULL CHECK (role IN ('viewer', 'manager', 'technician', 'supervisor', 'administrator')),
  tenant_id        integer REFERENCES tenants ON DELETE CASCADE,
  with_descendants boolean NOT NULL,
  granted_by       integer REFERENCES accounts ON DELETE SET NULL,
  granted_at       timestamptz NOT NULL DEFAULT now(),
  CHECK (tenant_id IS NOT NULL OR with_descendants),
  UNIQUE NULLS NOT DISTINCT (account_id, role, tenant_id)
);

-- digest is SHA-256 of what the API sends, which is SHA-256 of the cookie, the key or the link: neither opens anything.
CREATE TABLE sessions (
  session_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest     bytea NOT NULL UNIQUE,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  is_pending boolean NOT NULL DEFAULT false,  -- the second factor was not shown yet: it opens nothing else
  opened_at  timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now(),
  idle       interval NOT NULL,
  expires_at timestamptz NOT NULL,
  user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_account ON sessions (account_id);

-- A key may do what its account may, and no more than its own permissions on its own tenants (NULL: those of the account).
CREATE TABLE api_keys (
  key_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest      bytea NOT NULL UNIQUE,
  account_id  integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  name        text NOT NULL CHECK (name <> '' AND length(name) <= 200),
  hint        text NOT NULL,                 -- its first characters, to tell it from others
  permissions text[] NOT NULL CHECK (permissions <@ '{health,read,manage,install,supervise,administer}'),
  tenant_id   integer REFERENCES tenants ON DELETE CASCADE,
  created_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz NOT NULL,
  revoked_at  timestamptz
);
CREATE INDEX api_keys_account ON api_keys (account_id);

-- A link opens one door once: an invitation, a new password, a session.
CREATE TABLE links (
  link_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest     bytea NOT NULL UNIQUE,
  kind       text NOT NULL CHECK (kind IN ('invitation', 'reset', 'sign_in')),
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);

-- An account at an identity provider: the pair alone says who it is, never an e-mail or a SIRET.
CREATE TABLE identities (
  issuer     text NOT NULL,
  subject    text NOT NULL,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject)
);

-- A role of the database that reads for an account: one for each organisation of Grafana.
CREATE TABLE database_readers (
  role_name  text PRIMARY KEY,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE
);

-- Each key under its own data key, that one under a key kept elsewhere; tenant and DevEUI are authenticated with it.
CREATE TABLE device_keys (
  device_id  integer NOT NULL REFERENCES devices ON DELETE CASCADE,
  kind       text NOT NULL CHECK (kind IN ('app_key', 'nwk_key')),
  master     text NOT NULL,                  -- which key wraps the data key
  wrapped    bytea NOT NULL,
  sealed     bytea NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (device_id, kind)
);

-- Who did what. Each entry holds the digest of the one before: what is changed or missing shows.
CREATE TABLE audit (
  entry_id   bigint PRIMARY KEY,
  at         timestamptz NOT NULL,
  account_id integer,
  actor      text NOT NULL,
  action     text NOT NULL,
  tenant_id  integer,
  object     text NOT NULL,
  detail     text NOT NULL,
  digest     bytea NOT NULL
);
CREATE INDEX audit_tenant ON audit (tenant_id, entry_id);

-- What the database refused and a supervisor should look at: a DevEUI declared twice, for one.
CREATE TABLE supervision_events (
  event_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        timestamptz NOT NULL DEFAULT now(),
  kind      text NOT NULL,
  tenant_id integer,
  dev_eui   text,
  detail    text NOT NULL DEFAULT ''
);
