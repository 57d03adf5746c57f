"""OGC SensorThings API 1.1, the read side, one service a tenant: /sensorthings/<slug>/v1.1."""
