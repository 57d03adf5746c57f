"""Plans a network before it is paid for: coverage, capacity, where antennas go, what the answer rests on."""
