"""Stored measurements become rule states, and these notifications. Its issue builds it; `rules/` is its first part."""
