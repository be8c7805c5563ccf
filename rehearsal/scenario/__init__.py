"""The file that says what to rehearse, and what is read of it."""
