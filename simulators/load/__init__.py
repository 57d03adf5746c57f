"""Publishes as a network server would, at any pace, with faults, and keeps an exact account of what it emitted."""
