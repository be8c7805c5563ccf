"""Injected faults, which show how a gate reacts to them."""
