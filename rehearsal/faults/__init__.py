"""Faults to order: what a stage does wrong on purpose, for a gate to meet."""
