"""How public collections of codecs lie on disk: one module each, with `find(root)`."""
