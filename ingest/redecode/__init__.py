"""Stored uplinks decoded again: a decoder mended today mends the past."""
