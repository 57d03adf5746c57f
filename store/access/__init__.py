"""Who may do what: accounts, sessions, keys, grants, the audit log, and the database's own roles."""
