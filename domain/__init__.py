"""Pure types, units, vocabulary and errors. Imports the standard library alone."""
