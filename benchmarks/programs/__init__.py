"""What is measured, and what measures it: programs that run in processes of their own.

They are small, so that what is measured carries no weight of theirs.
"""
