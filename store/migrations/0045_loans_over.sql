-- Of a loan that is over, who no longer has the device is not told what another tenant calls it since.
CREATE OR REPLACE FUNCTION loans_of(tenant integer)
RETURNS TABLE (loan_id integer, dev_eui text, name text, model text, lender_slug text, lender text, borrower_slug text,
               borrower text, lent_at timestamptz, due_on date, returned_at timestamptz, note text, is_lender boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  mine integer[] := public.allowed('health');
BEGIN
  RETURN QUERY
  SELECT one.loan_id, device.dev_eui,
         CASE WHEN one.returned_at IS NULL OR device.tenant_id = ANY (mine) THEN device.name ELSE '' END,
         kind.vendor || ' ' || kind.name, giver.slug, giver.name, taker.slug, taker.name,
         one.lent_at, one.due_on, one.returned_at, one.note, one.tenant_id = ANY (mine)
    FROM public.loans AS one
    JOIN public.devices AS device USING (device_id)
    LEFT JOIN public.models AS kind ON kind.model_id = device.model_id
    JOIN public.tenants AS giver ON giver.tenant_id = one.tenant_id
    JOIN public.tenants AS taker ON taker.tenant_id = one.borrower_id
   WHERE (one.tenant_id = ANY (mine) OR one.borrower_id = ANY (mine))
     AND ($1 IS NULL OR ($1 = ANY (mine) AND $1 IN (one.tenant_id, one.borrower_id)));
END $$;
