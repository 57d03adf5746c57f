"""Measurements as files: one module a form of file. Each takes rows by and by, and gives bytes; none holds them all."""
