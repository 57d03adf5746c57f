"""Open data, for everybody: the catalogue, and the files of each dataset. No account, no tenant's own tables."""
