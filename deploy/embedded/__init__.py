"""PostgreSQL and an MQTT broker that need no installation: for a try, a small town, and the tests."""
