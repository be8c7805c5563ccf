"""One HTTP endpoint for every AWS service of a stage."""
