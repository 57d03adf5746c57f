"""Pages for people: one module per page, found by walking this folder. Their texts are in `catalogues/`."""
