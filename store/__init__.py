"""The only place with SQL: what is stored, how it is written, how it is read."""
