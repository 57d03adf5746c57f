"""The REST API, version 1: one module per resource, found by walking this folder."""
