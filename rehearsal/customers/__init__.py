"""The customers of a rehearsal, who ask production all the time."""
