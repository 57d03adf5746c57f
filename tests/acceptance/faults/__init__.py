"""Faults on real processes: what may break around ingest, and what must hold when it does (docs/faults.md)."""
