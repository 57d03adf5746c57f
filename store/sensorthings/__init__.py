"""OGC SensorThings over the territory: what each entity set is in SQL, and what of it is asked."""
