"""Sign in with an identity provider (OpenID Connect, authorization code flow): `flow` is the recipe."""
