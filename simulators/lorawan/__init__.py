"""LoRaWAN 1.0.x as it is on the air: frames, keys, time on air, EU868, adaptive data rate."""
