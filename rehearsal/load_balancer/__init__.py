"""ELBv2: moto holds what clients configure, the data plane does it for real."""
