"""The hooks of a rehearsal: who runs them, and what they write."""
