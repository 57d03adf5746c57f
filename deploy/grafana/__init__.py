"""Grafana for each tenant: desired state, dashboards from small builders, and how they come to be there."""
