"""What is wanted of network servers, carried out: devices registered there, moved, given keys, taken away."""
