"""A scenario's whole setting, built on a stage with the calls a team would make."""
