"""Where a listener leads, and how a step is led to it."""
