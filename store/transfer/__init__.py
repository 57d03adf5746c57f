"""A tenant with everything of its own, out of one database and into another (docs/how-to/leave-with-your-data.md)."""
