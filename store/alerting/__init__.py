"""Rules, their states and what they found. docs/alerting.md says who writes what."""
