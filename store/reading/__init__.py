"""What is read back: plain functions over a connection or a pool, the tenant always said. Nothing here writes."""
