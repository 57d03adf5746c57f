-- Who administers a tenant says who may do what there; who comes from an identity provider is remembered meanwhile.

-- A sign-in at an identity provider that has begun (docs/access.md). What is kept opens nothing: state, nonce and the
-- verifier of PKCE are made of a secret that only the browser has.
CREATE TABLE oidc_attempts (
  digest     bytea PRIMARY KEY,
  provider   text NOT NULL,
  following  text NOT NULL,
  account_id integer REFERENCES accounts ON DELETE CASCADE,  -- whose account is bound; NULL: whoever it is
  link       bytea,                                          -- an invitation that is accepted so
  expires_at timestamptz NOT NULL
);
ALTER TABLE oidc_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE oidc_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON oidc_attempts TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY accounts ON oidc_attempts TO samara_accounts USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON oidc_attempts TO samara_accounts;

-- Whether whoever asks administers all tenants, those to come included. A key that is of one tenant does not.
CREATE FUNCTION administers_all() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT
                   FROM public.bearer_of(decode(nullif(current_setting('samara.bearer', true), ''), 'hex')) AS who
                   JOIN public.grants AS held USING (account_id)
                  WHERE held.role = 'administrator'
                    AND held.tenant_id IS NULL
                    AND who.tenant_id IS NULL
                    AND (who.permissions IS NULL OR 'administer' = ANY (who.permissions)));
END $$;

CREATE VIEW visible.held_grants WITH (security_barrier) AS
SELECT held.grant_id, held.account_id, one.email, one.name, held.role, held.tenant_id, held.with_descendants,
       held.granted_at, giver.email AS granted_by, one.disabled_at IS NOT NULL AS is_disabled,
       EXISTS (SELECT FROM public.passwords WHERE passwords.account_id = one.account_id)
       OR EXISTS (SELECT FROM public.identities WHERE identities.account_id = one.account_id) AS has_entered,
       EXISTS (SELECT FROM public.second_factors AS factor
                WHERE factor.account_id = one.account_id AND factor.confirmed_at IS NOT NULL) AS has_second_factor
  FROM public.grants AS held
  JOIN public.accounts AS one USING (account_id)
  LEFT JOIN public.accounts AS giver ON giver.account_id = held.granted_by
 WHERE (held.tenant_id = ANY ((SELECT public.allowed('administer'))::integer[])
        OR held.tenant_id IS NULL AND (SELECT public.administers_all()))
   AND NOT EXISTS (SELECT FROM public.database_readers AS reader WHERE reader.account_id = one.account_id);
GRANT SELECT ON visible.held_grants TO samara_api;

-- Whether whoever asks may give this: on a tenant that they administer, on what is below it only if they administer all
-- of it; supervision, which sees the whole network, and rights on all tenants only if they administer all tenants.
CREATE FUNCTION may_give(role text, tenant_id integer, with_descendants boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET samara.tenant = '' AS $$
DECLARE
  administered integer[] := public.allowed('administer');
BEGIN
  IF $2 IS NULL OR $1 = 'supervisor' THEN
    RETURN public.administers_all();
  END IF;
  RETURN $2 = ANY (administered)
         AND NOT ($3 AND EXISTS (SELECT FROM public.tenant_tree AS tree
                                  WHERE tree.ancestor_id = $2 AND tree.tenant_id <> ALL (administered)));
END $$;

-- Somebody who gets more than they had without a second factor signs in again, and is asked for one.
CREATE FUNCTION give_grant(account_id integer, role text, tenant_id integer, with_descendants boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  given integer;
BEGIN
  IF NOT public.may_give($2, $3, $4) THEN
    RAISE insufficient_privilege USING MESSAGE = 'this is not yours to give';
  END IF;
  INSERT INTO public.grants AS known (account_id, role, tenant_id, with_descendants, granted_by)
  VALUES ($1, $2, $3, $4 OR $3 IS NULL, public.asking())
  ON CONFLICT ON CONSTRAINT grants_account_id_role_tenant_id_key
  DO UPDATE SET with_descendants = excluded.with_descendants
  RETURNING known.grant_id INTO given;
  IF $2 IN ('administrator', 'supervisor') THEN
    DELETE FROM public.sessions AS open
     WHERE open.account_id = $1
       AND open.account_id <> public.asking()
       AND NOT EXISTS (SELECT FROM public.second_factors AS factor
                        WHERE factor.account_id = $1 AND factor.confirmed_at IS NOT NULL);
  END IF;
  RETURN given;
END $$;

-- Give a role to the account of this e-mail, made if there is none. `must_enter`: it has no way in yet.
CREATE FUNCTION invite(email text, name text, language text, role text, tenant_id integer, with_descendants boolean)
RETURNS TABLE (account_id integer, grant_id integer, must_enter boolean, is_disabled boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  invited integer;
BEGIN
  IF NOT public.may_give($4, $5, $6) THEN
    RAISE insufficient_privilege USING MESSAGE = 'this is not yours to give';
  END IF;
  INSERT INTO public.accounts AS known (email, name, language) VALUES (lower($1), $2, $3)
  ON CONFLICT (email) DO NOTHING
  RETURNING known.account_id INTO invited;
  IF invited IS NULL THEN
    SELECT known.account_id INTO STRICT invited FROM public.accounts AS known WHERE known.email = lower($1);
  END IF;
  RETURN QUERY
  SELECT one.account_id, public.give_grant(one.account_id, $4, $5, $6),
         NOT EXISTS (SELECT FROM public.passwords AS held WHERE held.account_id = invited)
         AND NOT EXISTS (SELECT FROM public.identities AS held WHERE held.account_id = invited),
         one.disabled_at IS NOT NULL
    FROM public.accounts AS one
   WHERE one.account_id = invited;
END $$;

-- Take a role away; no row when there is none to take. Nobody takes away their own: the last one would be locked out.
CREATE FUNCTION take_grant(grant_id integer) RETURNS TABLE (account_id integer, email text, role text, tenant_id integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held record;
BEGIN
  SELECT * INTO held FROM visible.held_grants AS one WHERE one.grant_id = $1;
  IF held.grant_id IS NULL THEN
    RETURN;
  END IF;
  IF held.account_id = public.asking() THEN
    RAISE object_in_use USING MESSAGE = 'nobody takes away their own rights';
  END IF;
  DELETE FROM public.grants AS one WHERE one.grant_id = $1;
  RETURN QUERY SELECT held.account_id, held.email, held.role, held.tenant_id;
END $$;

-- End every session of an account all of whose roles are on tenants of whoever asks; NULL when there is no such account.
CREATE FUNCTION end_sessions_of_member(member integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET samara.tenant = '' AS $$
DECLARE
  ended integer;
BEGIN
  IF NOT EXISTS (SELECT FROM visible.held_grants AS one WHERE one.account_id = member)
     OR EXISTS (SELECT FROM public.grants AS held
                 WHERE held.account_id = member
                   AND NOT EXISTS (SELECT FROM visible.held_grants AS one WHERE one.grant_id = held.grant_id)) THEN
    RETURN NULL;
  END IF;
  DELETE FROM public.sessions WHERE account_id = member;
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;

REVOKE EXECUTE ON FUNCTION administers_all(), may_give(text, integer, boolean), take_grant(integer),
       give_grant(integer, text, integer, boolean), invite(text, text, text, text, integer, boolean),
       end_sessions_of_member(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION administers_all(), may_give(text, integer, boolean), take_grant(integer),
      invite(text, text, text, text, integer, boolean), end_sessions_of_member(integer) TO samara_api;

-- An account that already has a role where whoever asks administers may have another: nobody is looked for so.
CREATE FUNCTION give_member(member integer, role text, tenant_id integer, with_descendants boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET samara.tenant = '' AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM visible.held_grants AS one WHERE one.account_id = member) THEN
    RAISE no_data_found USING MESSAGE = 'no such account here';
  END IF;
  RETURN public.give_grant($1, $2, $3, $4);
END $$;
REVOKE EXECUTE ON FUNCTION give_member(integer, text, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION give_member(integer, text, integer, boolean) TO samara_api;

-- What is of no tenant (sign-ins, passwords, the operator's commands) is for who administers all of them.
CREATE POLICY reading_all ON audit FOR SELECT TO samara_api USING (tenant_id IS NULL AND (SELECT administers_all()));
CREATE INDEX audit_action ON audit (action, entry_id);

-- A write that its own words were noted of needs no others: `samara.audited` says so until the transaction ends.
CREATE OR REPLACE FUNCTION audit_own(action text, tenant_id integer, object text, detail text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  who record;
BEGIN
  SELECT one.account_id, one.email INTO who
    FROM public.bearer_of(decode(nullif(current_setting('samara.bearer', true), ''), 'hex')) AS bearer
    JOIN public.accounts AS one USING (account_id);
  IF who.account_id IS NULL THEN
    RAISE insufficient_privilege USING MESSAGE = 'nobody is signed in';
  END IF;
  PERFORM set_config('samara.audited', 'yes', true);
  RETURN public.audit_append(who.account_id, who.email, action, tenant_id, object, detail);
END $$;
