"""What people and programs read: the REST API, live events, health and the pages. No SQL here."""
