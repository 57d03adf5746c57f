"""What `make demo` shows: communes of the Somme, their buildings, meters and rooms, a year of it and the present."""
