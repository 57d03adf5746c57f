"""Network-server messages become stored uplinks."""
