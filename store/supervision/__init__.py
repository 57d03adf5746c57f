"""What supervisors read of the network: antennas, devices, coverage, the fleet, and what is odd."""
