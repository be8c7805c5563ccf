"""Faults to order: what an emulator does wrong on purpose, for a gate to meet."""
