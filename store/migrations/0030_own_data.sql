-- The right of access (GDPR, article 15): what is kept of the person who asks, part by part.
--
-- As the API's role, of whoever the bearer is: there is nothing to say whose data are meant. Digests, hashes and sealed
-- secrets are left out, and so are the names of others in what is told.
CREATE FUNCTION own_data() RETURNS TABLE (part text, said jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own public.accounts;
BEGIN
  SELECT one.* INTO own FROM public.accounts AS one WHERE account_id = public.asking();
  IF own.account_id IS NULL THEN
    RAISE insufficient_privilege USING MESSAGE = 'nobody is signed in';
  END IF;
  RETURN QUERY
  SELECT 'account', jsonb_build_object(
           'email', own.email, 'name', own.name, 'language', own.language, 'created_at', own.created_at,
           'password_changed_at', (SELECT changed_at FROM public.passwords WHERE account_id = own.account_id),
           'second_factor_since', (SELECT confirmed_at FROM public.second_factors WHERE account_id = own.account_id));
  RETURN QUERY
  SELECT 'grants', jsonb_build_object('role', role, 'tenant', slug, 'with_descendants', with_descendants,
                                      'granted_at', granted_at)
    FROM public.grants LEFT JOIN public.tenants USING (tenant_id)
   WHERE account_id = own.account_id ORDER BY grant_id;
  RETURN QUERY
  SELECT 'identities', jsonb_build_object('issuer', issuer, 'subject', subject, 'since', created_at)
    FROM public.identities WHERE account_id = own.account_id ORDER BY created_at;
  RETURN QUERY
  SELECT 'sessions', jsonb_build_object('opened_at', opened_at, 'seen_at', seen_at, 'expires_at', expires_at,
                                        'user_agent', user_agent)
    FROM public.sessions WHERE account_id = own.account_id ORDER BY session_id;
  RETURN QUERY
  SELECT 'keys', jsonb_build_object('name', one.name, 'hint', hint, 'permissions', permissions, 'tenant', slug,
                                    'created_at', one.created_at, 'expires_at', expires_at, 'revoked_at', revoked_at)
    FROM public.api_keys AS one LEFT JOIN public.tenants USING (tenant_id)
   WHERE account_id = own.account_id ORDER BY key_id;
  RETURN QUERY
  SELECT 'links', jsonb_build_object('kind', kind, 'created_at', created_at, 'expires_at', expires_at, 'used_at', used_at)
    FROM public.links WHERE account_id = own.account_id ORDER BY link_id;
  RETURN QUERY
  SELECT 'database_readers', jsonb_build_object('role', role_name)
    FROM public.database_readers WHERE account_id = own.account_id ORDER BY role_name;
  RETURN QUERY
  SELECT 'contacts', jsonb_build_object('tenant', slug, 'name', one.name, 'language', language, 'channel', channel,
                                        'target', target, 'min_severity', min_severity, 'on_call_only', on_call_only,
                                        'preferences', preferences, 'created_at', one.created_at,
                                        'messages', (SELECT count(*) FROM public.deliveries AS sent
                                                      WHERE sent.contact_id = one.contact_id))
    FROM public.contacts AS one JOIN public.tenants USING (tenant_id)
   WHERE lower(target->>'address') = own.email AND deleted_at IS NULL ORDER BY contact_id;
  RETURN QUERY
  SELECT 'reports', jsonb_build_object('tenant', slug, 'month', mails.month, 'sent_at', mails.sent_at)
    FROM public.report_recipients AS recipients
    JOIN public.tenants USING (tenant_id)
    LEFT JOIN public.report_mails AS mails ON mails.tenant_id = recipients.tenant_id AND lower(mails.email) = own.email
   WHERE lower(recipients.email) = own.email ORDER BY slug, mails.month;
  RETURN QUERY
  SELECT 'installations', jsonb_build_object('tenant', slug, 'act', act, 'done_at', done_at, 'note', note,
                                             'latitude_deg', latitude_deg, 'longitude_deg', longitude_deg)
    FROM public.installations JOIN public.tenants USING (tenant_id)
   WHERE account_id = own.account_id ORDER BY installation_id;
  -- What alerts keep is the name that somebody is called by: told when it can be nobody else's.
  RETURN QUERY
  SELECT 'remarks', jsonb_build_object('tenant', slug, 'at', one.at, 'kind', one.kind, 'note', note)
    FROM public.incident_events AS one
    JOIN public.incidents USING (incident_id)
    JOIN public.tenants USING (tenant_id)
   WHERE who = own.email
      OR (who <> '' AND who = own.name AND NOT EXISTS (SELECT FROM public.accounts AS other
                                                        WHERE other.name = own.name
                                                          AND other.account_id <> own.account_id))
   ORDER BY event_id;
  RETURN QUERY
  SELECT 'log', jsonb_build_object('at', at, 'action', action, 'tenant', slug, 'object', object, 'detail', detail::jsonb,
                                   'by_oneself', coalesce(entry.account_id = own.account_id, false))
    FROM public.audit AS entry LEFT JOIN public.tenants USING (tenant_id)
   WHERE entry.account_id = own.account_id OR actor = own.email OR object = own.email
   ORDER BY entry_id;
END $$;
REVOKE EXECUTE ON FUNCTION own_data() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_data() TO samara_api;
