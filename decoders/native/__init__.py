"""One file per model, found by `decoders.registry`."""
