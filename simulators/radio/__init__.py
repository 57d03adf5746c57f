"""What the air does to frames: path loss, fading, interference, demodulators. NumPy and Numba."""
