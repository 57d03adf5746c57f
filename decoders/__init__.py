"""Bytes to readings: no database, no network."""
