"""What: one file, one class, one question. A file dropped in here is in use."""
