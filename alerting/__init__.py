"""Stored measurements become states of rules, and these incidents that people are told of: docs/alerting.md."""
