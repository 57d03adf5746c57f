"""What must be done now and then so that the store stays right and small: partitions, roll-ups, accounts, retention."""
