-- Who receives the monthly report, and what was sent. A row of report_mails is a claim: whoever inserts it sends.

CREATE TABLE report_recipients (
  tenant_id integer NOT NULL REFERENCES tenants,
  email     text NOT NULL CHECK (length(email) BETWEEN 5 AND 320),
  PRIMARY KEY (tenant_id, email)
);
CALL protect('report_recipients', 'manage', 'manage');

CREATE TABLE report_mails (
  tenant_id  integer NOT NULL REFERENCES tenants,
  month      date NOT NULL,
  email      text NOT NULL,
  claimed_at timestamptz NOT NULL,
  sent_at    timestamptz,
  PRIMARY KEY (tenant_id, month, email)
);
CALL protect('report_mails', 'manage');
GRANT SELECT, INSERT, UPDATE ON report_mails TO samara_alerting;
