"""A territory that behaves as a real one would, on the wire. Imports `domain` alone."""
