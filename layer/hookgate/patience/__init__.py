"""How often a question is asked, and when its answer counts."""
